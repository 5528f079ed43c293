internal import ArgumentParser
internal import HandfastNode

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one relationship: identities, state, what was exchanged and what waits.",
        discussion: """
            With --strangers: what comes of those who answer your invitations.

            EXAMPLES
              handfast show 'Corner Shop'
              handfast show a3kf --json
              handfast show --strangers
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sender: SenderArgument

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        guard let relationship = sender.relationship else {
            let report = try await access.strangers(.strangers, progress: "Looking")
            return try global.output.write(Document(report)) { report.text }
        }
        let report = try await access.relationship(.show(relationship: relationship))
        let reply = try await access.reply(to: .attachments(relationship: report.id))
        guard case .attachments(let attachments) = reply else { throw Failure.unexpectedReply }
        let document = try Document(report).adding(["attachments": .list(attachments.map { try Document($0) })])
        global.output.write(document) {
            let lines = attachments.map { attachment in
                "\n\(attachment.sender == .own ? "you " : "they")  \(attachment.sequence)  "
                    + Printable.text("[\(attachment.summary)]")
            }
            return report.text + lines.joined()
        }
    }
}
