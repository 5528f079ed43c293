internal import ArgumentParser
internal import HandfastNode

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List all relationships.",
        discussion: """
            The last column says what is held back, by whom and for how long, and where
            this node is not connected to its relay or behind it; `handfast show` says
            more.

            EXAMPLES
              handfast list
              handfast list --json | jq -r '.relationships[] | select(.state == "live") | .id'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        guard case .relationships(let reports) = try await access.reply(to: .list) else {
            throw Failure.unexpectedReply
        }
        try global.output.write(["relationships": .list(reports.map { try Document($0) })]) {
            guard !reports.isEmpty else {
                return "No relationships yet. Make an invitation with `handfast invite`, or accept one."
            }
            var table = Table("NAME", "STATE", "ID", "YOURS", "THEIRS", "WAITING", "")
            for report in reports {
                table.add(
                    report.title, report.state, String(report.id.prefix(8)), "\(report.ownRecords)",
                    "\(report.peerRecords)", "\(report.waiting)",
                    report.trouble == nil ? report.heldText : "! see `handfast show`")
            }
            return table.text
        }
    }
}
