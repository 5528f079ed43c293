internal import ArgumentParser
internal import HandfastNode

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let nothing come of the other side for now.",
        discussion: """
            The own relay takes nothing of it until `handfast resume`, whatever it does.
            What waits there already still comes, and what it sends meanwhile waits with
            it: nothing is lost. You can send.

            EXAMPLES
              handfast pause 'Corner Shop'
              handfast pause a3kf --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        var change = ReceptionChange()
        change.isPaused = true
        let command = Command.receive(relationship: target.relationship, change: change, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Pausing")
        try global.output.write(Document(report)) {
            "\(Printable.text(report.title)) is paused; `handfast resume` lets it come again."
        }
        global.output.note(report.notice)
    }
}
