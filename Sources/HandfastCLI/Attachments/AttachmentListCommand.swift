internal import ArgumentParser
internal import HandfastNode

struct AttachmentListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the files that both sides have sent, with their sizes and how far they are.",
        discussion: """
            EXAMPLES
              handfast attachment list 'Corner Shop'
              handfast attachment list a3kf --json | jq -r '.attachments[] | select(.state == "waiting")'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reply = try await access.reply(to: .attachments(relationship: target.relationship))
        guard case .attachments(let reports) = reply else { throw Failure.unexpectedReply }
        try global.output.write(["attachments": .list(reports.map { try Document($0) })]) {
            guard !reports.isEmpty else { return "No attachments." }
            var table = Table("FROM", "NUMBER", "NAME", "SIZE", "STATE")
            for report in reports {
                let across = report.isOpen ? "\(report.state), \(ByteCount.text(report.transferred))" : report.state
                table.add(
                    report.sender == .own ? "you" : "they", "\(report.sequence)", report.name,
                    ByteCount.text(report.size), across + (report.reason.map { ": \($0)" } ?? ""))
            }
            return table.text
        }
    }
}
