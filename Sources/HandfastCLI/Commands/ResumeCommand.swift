internal import ArgumentParser
internal import HandfastNode

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let what the other side sends come again after a pause.",
        discussion: """
            What it has sent meanwhile comes in order. Limits that `handfast throttle`
            set stay.

            \(SenderArgument.help)

            EXAMPLES
              handfast resume 'Corner Shop'
              handfast resume a3kf --json
              handfast resume --strangers
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var sender: SenderArgument

    func run() async throws {
        var change = ReceptionChange()
        change.isPaused = false
        try await sender.apply(change, global, waiting, progress: "Resuming") { name, _ in
            "What \(name) sent meanwhile, and will send, comes again."
        }
    }
}
