internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct ClaimRequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Ask the other side to show claims of a credential.",
        discussion: """
            A claim is a path: age_over_18, address.city, degrees[0].name. Behind an
            equals sign stands what it has to be: true, false, a number or a text.

            Whose word is taken stands in issuers.json in the vault's folder.

            EXAMPLES
              handfast claim request Ann --purpose dpv:AgeVerification \\
                --type https://id.example/person --claim age_over_18=true
              handfast claim request Ann --purpose dpv:DeliveryOfGoods --type address \\
                --claim address --self-asserted --description 'Where may we deliver?'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    @Option(name: .long, help: "What it is for: a term, such as one of the Data Privacy Vocabulary.")
    var purpose: String

    @Option(name: .long, help: "The same in words for a person.")
    var description: String?

    @Option(name: .long, help: "The type of the credential.")
    var type: String

    @Option(name: .long, help: "A claim, or a claim and what it has to be; repeat it for more.")
    var claim: [String] = []

    @Option(name: .long, help: "An issuer that will do; repeat it for more (default: all that are trusted).")
    var issuer: [String] = []

    @Option(name: .long, help: "The credential was issued at most so many seconds ago.")
    var fresh: UInt64?

    @Flag(name: .long, help: "The other side's own word is enough.")
    var selfAsserted = false

    func run() async throws {
        let query = CredentialQuery(
            type: type, claims: try claim.map(Self.wanted), issuers: issuer.isEmpty ? nil : issuer,
            selfAsserted: selfAsserted ? true : nil)
        let access = try await VaultAccess(global)
        let reports = try await access.claims(
            .request(
                relationship: target.relationship, purpose: purpose, description: description,
                queries: try CBOREncoder().encode([query]), maximumAge: fresh),
            wait: access.wait(waiting), progress: "Asking")
        guard let report = reports.first else { throw Failure.unexpectedReply }
        try global.output.write(Document(report)) { report.outcome }
        global.output.note(report.notice)
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
