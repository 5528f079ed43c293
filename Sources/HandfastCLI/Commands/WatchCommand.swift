internal import ArgumentParser
internal import HandfastNode

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print what happens, as it happens, until interrupted.",
        discussion: """
            With --json each event is one object on one line. A program keeps the
            position of the last event whose effects it has stored, and goes on from
            there with --after: it misses nothing and sees nothing twice.

            EXAMPLES
              handfast watch
              handfast watch 'Corner Shop'
              handfast watch --json --after 0 | jq -c 'select(.kind == "record.received")'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Only events of this relationship.")
    var relationship: String?

    @Option(name: .long, help: "Begin with the events above this position; 0 for all (default: from now on).")
    var after: Int64?

    func run() async throws {
        let access = try await VaultAccess(global)
        let output = global.output
        let command = Command.watch(after: after, relationship: relationship)
        try await Interruption.ending {
            try await access.follow(command) { reply in
                guard case .events(let events) = reply else { throw Failure.unexpectedReply }
                for event in events { try output.write(event.document()) { event.line } }
            }
        }
    }
}
