internal import ArgumentParser
internal import Handfast
internal import HandfastChannel
internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

struct AnonymousVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify what a customer has shown (experimental).",
        discussion: """
            It must answer the nonce that the relationship was given last, and is taken
            once. The exit code is 0 only if every check holds; 1 if one does not, and 75
            while the issuer has not confirmed.

            The issuer verifies with its key. A partner of it verifies with the issuer's
            parameters and asks the issuer one question, which tells it neither attribute
            nor pseudonym; until the answer is here, nothing counts as shown.

            A blocklist is a file with a pseudonym in each line; what stands behind a # is
            for people.

            EXAMPLES
              handfast anonymous verify Ann ann.shown --key club.key
              handfast anonymous verify Ann ann.shown --key club.key --linkable \\
                --blocklist blocked
              handfast anonymous verify Ann ann.shown --parameters club.parameters \\
                --output shop.question
              handfast anonymous verify Ann ann.shown --parameters club.parameters \\
                --confirmation shop.confirmation --json | jq -r .pseudonym
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput
    @OptionGroup var target: RelationshipArgument

    @Argument(help: "The presentation: a file, the text itself, or -.", completion: .file())
    var presentation: String

    @Option(name: .long, help: "The issuer's key, as `handfast anonymous key` makes it.", completion: .file())
    var key: String?

    @Option(name: .long, help: "The issuer's parameters, for a partner of it.", completion: .file())
    var parameters: String?

    @Option(name: .long, help: "The issuer's answer to the question about this presentation.", completion: .file())
    var confirmation: String?

    @Flag(name: .long, help: "The pseudonym is that of all relationships with your public identity.")
    var linkable = false

    @Option(name: .long, help: "The file with the pseudonyms that are refused.", completion: .file())
    var blocklist: String?

    func validate() throws {
        guard (key == nil) != (parameters == nil) else {
            throw ValidationError("give either --key, as the issuer, or --parameters, as a partner of it")
        }
        guard confirmation == nil || parameters != nil else {
            throw ValidationError("--confirmation goes with --parameters")
        }
    }

    func run() async throws {
        let bytes = try AnonymousPart.presentation.read(presentation)
        let shown = try AnonymousPresentation(decoding: bytes.bytes)
        let blocked = try blocklist.map { try PseudonymList(at: $0).pseudonyms } ?? []
        let access = try await VaultAccess(global, network: false)
        let given = try await access.nonce(.nonce(relationship: target.relationship))
        let verifier = try IdentityID(text: given.verifier)
        let expectation = AnonymousExpectation(
            scope: try scope(given, verifier),
            binding: PresentationBinding(
                nonce: try FixedBytes(copying: given.nonce), verifier: verifier.digest,
                relationship: try RelationshipID(text: given.relationship).digest),
            now: TestClock.time.now().seconds, blocklist: blocked)
        let verified: VerifiedAnonymousClaims
        do {
            guard let claims = try verify(shown, expectation) else { throw ExitCode(75) }
            verified = claims
        } catch let error as AnonymousClaimError {
            refuse(error, given)
            throw ExitCode(1)
        }
        // Only what nobody has taken before counts.
        _ = try await access.nonce(.spendNonce(relationship: given.relationship, nonce: given.nonce))
        accept(verified, given)
    }

    private func scope(_ given: AnonymousNonceReport, _ verifier: IdentityID) throws -> PseudonymScope {
        guard linkable else { return .relationship(verifier.digest) }
        guard let publicIdentity = given.publicIdentity else {
            throw Failure(
                .badData, "no public identity of this vault vouches for this relationship", hint: "leave out --linkable"
            )
        }
        return .vendor(try IdentityID(text: publicIdentity).digest)
    }

    /// What is shown; nil while the issuer's answer is not here, which then is asked for.
    private func verify(
        _ shown: AnonymousPresentation, _ expectation: AnonymousExpectation
    ) throws -> VerifiedAnonymousClaims? {
        if let key {
            let file = try AnonymousKeyFile.read(key)
            return try shown.verify(expectation, parameters: file.parameters, key: file.key)
        }
        guard let parameters else { return nil }
        let encoded = try AnonymousPart.parameters.read(parameters)
        let unconfirmed = try shown.check(expectation, parameters: try AnonymousParameters(decoding: encoded.bytes))
        if let confirmation {
            let answer = try AnonymousPart.confirmation.read(confirmation)
            return try unconfirmed.confirmed(by: try Confirmation(decoding: answer.bytes))
        }
        try part.write(
            .question, unconfirmed.question.encoded(), to: global.output, ["state": .text("unconfirmed")],
            text:
                "Not confirmed: nothing counts as shown yet. Give the question to the issuer, and verify again with its "
                + "answer and --confirmation. \(AnonymousCommand.notice)")
        return nil
    }

    private func refuse(_ error: AnonymousClaimError, _ given: AnonymousNonceReport) {
        global.output.write([
            "state": .text("refused"), "reason": .text(error.description), "experimental": .flag(true),
            "relationship": .text(given.relationship),
        ]) { "Refused: \(Printable.text(error.description)). Nothing counts as shown." }
    }

    private func accept(_ verified: VerifiedAnonymousClaims, _ given: AnonymousNonceReport) {
        let claims = verified.values.sorted { $0.key < $1.key }.map { LearnedClaim($0.key, $0.value) }
        let pseudonym = Base64URL.encode(verified.pseudonym.point.array)
        global.output.write([
            "state": .text("accepted"), "experimental": .flag(true), "relationship": .text(given.relationship),
            "type": .text(verified.type), "issuer": .text(Base64URL.encode(verified.issuer.array)),
            "claims": .list(claims.map { ["claim": .text($0.claim), "value": .text($0.value)] }),
            "epoch": .number(verified.epoch), "expires": .number(verified.expires),
            "scope": .text(linkable ? "vendor" : "relationship"), "pseudonym": .text(pseudonym),
        ]) {
            var lines = ["Accepted: \(verified.type)"]
            lines += claims.map { "  \($0.claim) = \($0.value)" }
            lines.append("  holds until \(Moment.text(verified.expires))")
            lines.append(
                "  pseudonym \(pseudonym), of "
                    + (linkable ? "all relationships with you: LINKABLE" : "this relationship alone"))
            lines.append(AnonymousCommand.notice)
            return lines.map { Printable.text($0) }.joined(separator: "\n")
        }
    }
}
