internal import ArgumentParser

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check or show the configuration.",
        discussion: """
            The configuration is a JSON file: --config FILE, else $HANDFAST_CONFIG, else
            config.json in the vault's folder. A variable of the environment overrides a
            key: HANDFAST_RELAY_LISTEN overrides relay.listen.

            KEYS
            \(SettingsKey.allCases.map { "  \($0.rawValue)  \($0.summary)" }.joined(separator: "\n"))

            EXAMPLES
              handfast config check --config /etc/handfast.json
              handfast config show
            """,
        subcommands: [ConfigCheckCommand.self, ConfigShowCommand.self])
}
