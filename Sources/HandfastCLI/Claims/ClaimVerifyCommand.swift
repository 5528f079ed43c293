internal import ArgumentParser
internal import Handfast
internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastNode

struct ClaimVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a presentation in a file, without a vault.",
        discussion: """
            Takes an SD-CWT or SD-JWT VC with key binding, binary, as text or from standard
            input, or what `handfast claim save` wrote. Makes the ten checks that a node
            makes, and names each. Of what does not hold, nothing is shown.

            Audience and nonce are what you gave to the holder, never what came with the
            file. The holder's own word counts in its relationship only. The exit code is
            0 if all checks hold, 1 if one does not, 65 if a file cannot be read. Issuers
            that publish their keys are asked for them.

            \(QueryOptions.help)

            EXAMPLES
              handfast claim verify ann.presentation --issuers issuers.json \\
                --audience hf:… --nonce 8cQ… --type https://id.example/person \\
                --claim age_over_18=true --asked 1763791200 --at 1763791260
              pbpaste | handfast claim verify - --issuers issuers.json --audience \\
                https://shop.example --nonce 6f1d… --type https://id.example/person \\
                --status-token people.token --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file with the presentation, or - for standard input.", completion: .file())
    var file: String

    @Option(
        name: .long, help: "The file that says whose word is taken, as issuers.json of a vault.", completion: .file())
    var issuers: String

    @Option(name: .long, help: "For whom the presentation has to be made.")
    var audience: String

    // Base64url may begin with the sign of an option.
    @Option(name: .long, parsing: .unconditional, help: "The nonce that it has to answer: base64url for an SD-CWT.")
    var nonce: String

    @OptionGroup var query: QueryOptions

    @Option(
        name: .long, help: "The token of the status list, where it is not in the file.", completion: .file())
    var statusToken: String?

    @Option(name: .long, help: "When you gave the nonce, in seconds since 1970 (default: ten minutes ago).")
    var asked: UInt64?

    @Option(name: .long, help: "The time of which to judge, in seconds since 1970 (default: now).")
    var at: UInt64?

    func validate() throws {
        // Up to the year 9999: beyond it sums of times would not fit.
        guard max(asked ?? 0, at ?? 0) < 253_402_300_800 else {
            throw ValidationError("--asked and --at are seconds since 1970")
        }
    }

    func run() async throws {
        let queries = try query.read()
        var presentations = try PresentationFile(at: file).presentations
        if let statusToken {
            let token = try InputFile.read(statusToken, maximum: StatusListToken.maximumEncodedCount)
            for place in presentations.indices where presentations[place].statusToken == nil {
                presentations[place].statusToken = token
            }
        }
        let now = at ?? TestClock.time.now().seconds
        let age = VerificationContext.defaultMaximumAge
        let web = try await Settings.load(global).nodeConfiguration().web
        let trusted = try await trustedIssuers(web)
        let verifier = ClaimVerifier(audience: audience, issuers: trusted, now: now)
        let verdict = verifier.judge(
            presentations, to: queries, nonce: VerifierNonce(text: nonce), maximumAge: query.fresh,
            asked: asked ?? now - min(now, age))
        let (checks, shown) = (verdict.checks, verdict.shown)
        let isAccepted = checks.allSatisfy { $0.outcome == .held || $0.outcome == .absent }
        // Of an answer that is not proved as a whole nothing is shown as true.
        let proved = isAccepted ? shown.map { ($0, HeldClaims(claims: $0.credential.claims, redacted: [])) } : []
        try global.output.write([
            "state": .text(isAccepted ? "accepted" : "rejected"), "checks": .list(checks.map { try Document($0) }),
            "shown": .list(
                proved.map { shown, claims in
                    [
                        "query": .number(shown.query), "type": .text(shown.credential.type),
                        "issuer": .text(shown.credential.issuer), "format": .text(shown.credential.format.rawValue),
                        "expires": shown.credential.expires.map { .number($0) },
                        "claims": .list(try claims.learned(disclosing: []).map { try Document($0) }),
                    ]
                }),
        ]) {
            var lines = [
                isAccepted
                    ? "Accepted: everything that was asked for is proved." : "Rejected: nothing of it counts as shown."
            ]
            for check in checks {
                if queries.count > 1, check.check == .form { lines.append("\(queries[check.query].type)") }
                let name = check.check.rawValue
                lines.append(
                    "  \(name)\(String(repeating: " ", count: max(1, 11 - name.count)))\(check.outcome.rawValue)"
                        + (check.reason.map { ": \($0)" } ?? ""))
            }
            for (shown, claims) in proved {
                lines.append("\(shown.credential.type ?? ""), issued by \(shown.credential.issuer)")
                for claim in claims.learned(disclosing: []) { lines.append("  \(claim.claim) = \(claim.value)") }
            }
            return lines.map { Printable.text($0) }.joined(separator: "\n")
        }
        if !isAccepted { throw ExitCode(1) }
    }

    /// Whose word is taken; a file that cannot be read is bad data here.
    private func trustedIssuers(_ web: NodeConfiguration.Web) async throws -> [TrustedIssuer] {
        do {
            return try await TrustedIssuer.reading(file: issuers, web: web)
        } catch {
            throw Failure(.badData, error.description)
        }
    }
}
