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

            \(SenderArgument.help)

            EXAMPLES
              handfast pause 'Corner Shop'
              handfast pause a3kf --json
              handfast pause --strangers
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var sender: SenderArgument

    func run() async throws {
        var change = ReceptionChange()
        change.isPaused = true
        try await sender.apply(change, global, waiting, progress: "Pausing") { name, _ in
            "Nothing of \(name) comes until `handfast resume`."
        }
    }
}
