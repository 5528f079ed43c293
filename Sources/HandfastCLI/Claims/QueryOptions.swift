internal import ArgumentParser
internal import Handfast
internal import HandfastClaims
internal import HandfastNode

/// What is asked for: one credential by options, or up to eight by a file.
struct QueryOptions: ParsableArguments {
    @Option(name: .long, help: "The type of the credential.")
    var type: String?

    @Option(name: .long, help: "A claim, or a claim and what it has to be; repeat it for more.")
    var claim: [String] = []

    @Option(name: .long, help: "An issuer that will do; repeat it for more (default: all that are trusted).")
    var issuer: [String] = []

    @Flag(name: .long, help: "The other side's own word is enough.")
    var selfAsserted = false

    @Option(
        name: .long, help: "A JSON file that asks for several credentials, in place of --type and what goes with it.",
        completion: .file())
    var queries: String?

    @Option(name: .long, help: "The credential was issued at most so many seconds ago.")
    var fresh: UInt64?

    /// What `--help` says of a claim and of the file.
    static let help = """
        A claim is a path: age_over_18, address.city, degrees[0].name. Behind an
        equals sign stands what it has to be: true, false, a number or a text.

        A file of --queries asks for up to eight credentials, all of them:
          [{"type": "https://id.example/person", "claims": {"age_over_18": true}},
           {"type": "address", "claims": {"city": null}, "selfAsserted": true}]
        null stands for any value; "issuers": [...] names those that will do.
        """

    func validate() throws {
        guard (type == nil) != (queries == nil) else { throw ValidationError("give either --type or --queries") }
        guard type != nil || claim.isEmpty && issuer.isEmpty && !selfAsserted else {
            throw ValidationError(
                "--claim, --issuer and --self-asserted go with --type; --queries names them in its file")
        }
    }

    /// The queries.
    ///
    /// - Throws: ``Failure``
    func read() throws -> [CredentialQuery] {
        if let queries { return try QueryFile(at: queries).queries }
        guard let type else { return [] }
        return [
            CredentialQuery(
                type: type, claims: try claim.map(Self.wanted), issuers: issuer.isEmpty ? nil : issuer,
                selfAsserted: selfAsserted ? true : nil)
        ]
    }

    private static func wanted(_ text: String) throws -> WantedClaim {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = ClaimPath(text: String(parts[0])) else {
            throw Failure(.usage, "\(text) is no claim", hint: "write it as age_over_18, address.city or degrees[0]")
        }
        guard parts.count == 2 else { return WantedClaim(path) }
        switch parts[1] {
        case "true": return WantedClaim(path, value: .bool(true))
        case "false": return WantedClaim(path, value: .bool(false))
        default: return WantedClaim(path, value: Int64(parts[1]).map { .integer($0) } ?? .text(String(parts[1])))
        }
    }
}
