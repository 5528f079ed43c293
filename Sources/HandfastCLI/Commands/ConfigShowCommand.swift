internal import ArgumentParser
internal import HandfastStore

struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the settings that are in force, and where they come from.",
        discussion: """
            EXAMPLES
              handfast config show
              handfast config show --vault /srv/shop --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let settings = try await Settings.load(global)
        var values: [String: Document?] = [:]
        for key in SettingsKey.allCases { values[key.rawValue] = .text(settings.shown(key)) }
        values[SettingsKey.vault.rawValue] = .text(settings.folder.path)
        global.output.write(["file": .text(settings.file), "settings": .object(values)]) {
            var table = Table("KEY", "VALUE", "VARIABLE", "MEANING")
            for key in SettingsKey.allCases {
                let value = key == .vault ? settings.folder.path : settings.shown(key)
                table.add(key.rawValue, value ?? "-", key.variable, key.summary)
            }
            return "file: \(settings.file ?? "none")\n\n\(table.text)"
        }
    }
}
