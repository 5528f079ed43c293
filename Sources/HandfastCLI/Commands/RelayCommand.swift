internal import ArgumentParser

struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Run a relay: it keeps for others what it cannot read.",
        discussion: """
            EXAMPLES
              handfast relay run
              handfast relay run --listen 0.0.0.0:7447 --advertise relay.example
            """,
        subcommands: [RelayRunCommand.self])
}
