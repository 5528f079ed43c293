internal import ArgumentParser
internal import HandfastNode

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let what the other side sends come again after a pause.",
        discussion: """
            What it has sent meanwhile comes in order. Limits that `handfast throttle`
            set stay.

            EXAMPLES
              handfast resume 'Corner Shop'
              handfast resume a3kf --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        var change = ReceptionChange()
        change.isPaused = false
        let command = Command.receive(relationship: target.relationship, change: change, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Resuming")
        try global.output.write(Document(report)) {
            "What \(Printable.text(report.title)) sends comes again."
        }
        global.output.note(report.notice)
    }
}
