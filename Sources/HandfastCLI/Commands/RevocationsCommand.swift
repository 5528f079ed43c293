internal import ArgumentParser
internal import HandfastNode

struct RevocationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocations",
        abstract: "List what no longer holds: keys, invitations, queues, relationships, credentials.",
        discussion: """
            What the vault knows, the latest first: replaced and revoked keys of both
            sides, invitations that were used or ran out, closed queues, ended
            relationships, revoked copies of your credentials, and credentials that you
            refused because they were revoked; each with who said so, when by their
            clock, and why.

            EXAMPLES
              handfast revocations
              handfast revocations 'Corner Shop'
              handfast revocations --json | jq '.revocations[] | select(.subject == "key")'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "One relationship (default: all, and what belongs to none).")
    var relationship: String?

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reply = try await access.reply(to: .revocations(relationship: relationship))
        guard case .revocations(let reports) = reply else { throw Failure.unexpectedReply }
        try global.output.write(["revocations": .list(reports.map { try Document($0) })]) {
            guard !reports.isEmpty else { return "Nothing was revoked, ended or used up." }
            var table = Table("WHEN", "WHAT", "HOW", "BY", "OF", "ID", "WHY")
            for report in reports {
                let number = report.number.map { " #\($0)" } ?? ""
                table.add(
                    report.time.map { Moment.text($0) } ?? "", report.subject + number, report.kind,
                    Self.party(report), report.label ?? report.relationship.map { String($0.prefix(8)) } ?? "",
                    Self.shortened(report.id), report.reason ?? "")
            }
            return table.text
        }
    }

    private static func party(_ report: RevocationReport) -> String {
        switch report.party {
        case "own": "you"
        case "peer": "them"
        case let party: party ?? ""
        }
    }

    /// Enough of an id to know it again; an address is shown whole.
    private static func shortened(_ id: String) -> String {
        id.contains("//") ? id : String(id.prefix(11))
    }
}
