internal import ArgumentParser

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run the node of a vault.",
        discussion: """
            EXAMPLES
              handfast node run
            """,
        subcommands: [NodeRunCommand.self])
}
