internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct CredentialIssueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Issue the copies of a credential that a holder asks for.",
        discussion: """
            The claims stand in a JSON object. Each of them, and each in an object of
            them, is shown by the holder or kept back; --always names those that are
            always seen. Do not give a birth date to be computed with: give age_over_18.

            Times are rounded down to days, and digests padded, so that they say nothing
            of one copy. With --status each copy gets a place of its own in the list.

            EXAMPLES
              handfast status key issuer.jwk > issuer.pub.jwk
              handfast credential issue keys.json --claims ann.json --key issuer.jwk \\
                --issuer https://id.example --type https://id.example/person \\
                --status staff.list --output ann.credential
              zbarimg -q --raw photo.png | handfast credential issue - --claims ann.json \\
                --key issuer.jwk --issuer https://id.example --type https://id.example/person \\
                --output ann.credential --svg ann.svg
            """)

    /// How credentials are written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case cwt
        case jwt
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file that the holder made, or - for its text on standard input.", completion: .file())
    var request: String

    @Option(name: .long, help: "The file with the claims.", completion: .file())
    var claims: String

    @Option(name: .long, help: "The type of the credential (vct).")
    var type: String

    @Option(name: .long, help: "The issuer's name, a URI.")
    var issuer: String

    @Option(name: .long, help: "The issuer's private key, as `handfast status key` makes it.", completion: .file())
    var key: String

    @Option(name: .long, help: "The name of the key in the credential, where the issuer has several.")
    var keyID: String?

    @Option(name: .long, help: "How to write it: cwt (SD-CWT) or jwt (SD-JWT VC).")
    var format = Format.cwt

    @Option(name: .long, help: "A claim that is always seen; repeat it for more.")
    var always: [String] = []

    @Option(name: .long, help: "The days for which it holds.")
    var days: UInt64 = 90

    @Option(name: .long, help: "The file of the status list in which each copy gets a place.", completion: .file())
    var status: String?

    @Option(name: .long, help: "The file to write.", completion: .file())
    var output: String

    @OptionGroup var code: CodeOptions

    func validate() throws {
        guard (1...36_500).contains(days) else { throw ValidationError("--days is 1 to 36500") }
    }

    func run() async throws {
        let key = try IssuerKeyFile.read(key)
        let holders = try IssuerKeyFile.readPublic(request)
        guard (1...WalletCredential.maximumCopies).contains(holders.count) else {
            throw Failure(.badData, "\(InputFile.name(of: request)) does not ask for 1 to 256 copies")
        }
        let content = try content()
        var places: [StatusReference?] = holders.map { _ in nil }
        if let status {
            places = try StatusRegisterFile.update(status) { register in
                var random = SystemEntropy()
                return try holders.map { _ in try register.allocate(using: &random) }
            }
        }
        var copies: [[UInt8]] = []
        for (holder, place) in zip(holders, places) {
            copies.append(try issue(content.copy(CredentialCopy(holder: holder, status: place)), to: holder, with: key))
        }
        let file = CredentialFile(copies, format: format == .cwt ? .sdCWT : .sdJWT)
        try OutputFile.write(Array((file.document.jsonText + "\n").utf8), to: output, mode: 0o600)
        let code = try self.code.code(of: file.document.jsonText, "a credential of \(copies.count) copies")
        global.output.write([
            "file": .text(Paths.absolute(output)), "copies": .number(copies.count),
            "expires": content.expires.map { .number($0) },
        ]) {
            code
                + "Issued \(copies.count) copies, in \(output). Give it to the holder; keep it if you may have to revoke them."
        }
    }

    private func issue(
        _ content: CredentialContent, to holder: CredentialVerificationKey, with key: borrowing CredentialSigningKey
    ) throws -> [UInt8] {
        var random = SystemEntropy()
        var content = content
        switch format {
        case .cwt:
            // The format asks for a subject: one that no other copy has, and that need not be shown.
            content.subject = Base32.encode(random.bytes(16))
            return try SDCWT.issue(
                content, holder: holder, keyID: keyID.map { Array($0.utf8) }, with: key, using: &random)
        case .jwt:
            let credential = try SDJWT.issue(content, holder: holder, keyID: keyID, with: key, using: &random)
            return Array(credential.encoded().utf8)
        }
    }

    private func content() throws -> CredentialContent {
        let bytes = try InputFile.read(claims, maximum: SDCWT.maximumCount)
        let read: CBORValue
        do {
            read = try JSON.decode(bytes, maximumSize: SDCWT.maximumCount)
        } catch {
            throw Failure(.badData, "\(InputFile.name(of: claims)) is not the JSON of claims: \(error)")
        }
        guard case .map(let claims) = read else { throw Failure(.badData, "the file \(self.claims) holds no object") }
        let visible = try always.map { text in
            guard let path = ClaimPath(text: text) else { throw Failure(.usage, "\(text) is no path of a claim") }
            return path
        }
        let redacting = Self.members(of: claims, under: []).filter { !visible.contains($0) }
        var content = CredentialContent(issuer: issuer, type: type, claims: claims, redacting: redacting)
        let now = TestClock.time.now().seconds
        content.issuedAt = now
        content.expires = now + days * CredentialContent.day
        content.pad(toDigests: (redacting.count / 8 + 1) * 8)
        return content
    }

    /// Every claim of an object, and of the objects in it.
    private static func members(of map: CBORMap, under steps: [ClaimPath.Step]) -> [ClaimPath] {
        map.entries.flatMap { entry -> [ClaimPath] in
            guard case .text(let name) = entry.key, let path = ClaimPath(steps + [.name(name)]) else { return [] }
            guard case .map(let inner) = entry.value else { return [path] }
            return [path] + members(of: inner, under: path.steps)
        }
    }
}
