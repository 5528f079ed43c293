internal import ArgumentParser

struct RecoveryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery",
        abstract: "Keep the keys by which you replace a stolen device's away from every device.",
        discussion: """
            Each identity promises its next signing key in advance. With recovery words
            these next keys derive from the words, which you keep on paper and which no
            vault ever holds: who steals the device, or a backup, cannot replace your
            keys, and you can.
            """,
        subcommands: [RecoveryCreateCommand.self, RecoveryRefillCommand.self, RecoveryRotateCommand.self])
}
