internal import ArgumentParser
internal import HandfastNode

struct EndCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End a relationship.",
        discussion: """
            Ends it at once on your side: nothing more is accepted, whatever the other
            side does. It is told by a record and answers. The ledger stays yours to
            read and to export.

            EXAMPLES
              handfast end 'Corner Shop'
              handfast end a3kf --reason 'moved away'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    @Option(name: .long, help: "Why; the other side reads it.")
    var reason: String?

    func run() async throws {
        let access = try await VaultAccess(global)
        let command = Command.end(relationship: target.relationship, reason: reason, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Ending")
        try global.output.write(Document(report)) {
            report.state == "ended"
                ? "\(Printable.text(report.title)) has ended."
                : "\(Printable.text(report.title)) is \(report.state): it has ended once the other side answers."
        }
        global.output.note(report.notice)
    }
}
