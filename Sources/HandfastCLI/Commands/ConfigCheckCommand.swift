internal import ArgumentParser

struct ConfigCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration file and the environment.",
        discussion: """
            Ends with exit code 65 when something is wrong.

            EXAMPLES
              handfast config check
              handfast config check --config /etc/handfast.json --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let source = try SettingsSource(global)
        let problems = try source.check(ofOurVariablesOnly: false).problems
        global.output.write([
            "file": .text(source.path),
            "problems": .list(
                problems.map { ["key": .text($0.key), "message": .text($0.message), "hint": .text($0.hint)] }),
        ]) {
            let place = source.path ?? "There is no configuration file; the defaults and the environment"
            guard !problems.isEmpty else { return "\(place): nothing is wrong." }
            return problems.map { Printable.text("\($0.message) — \($0.hint)") }.joined(separator: "\n")
        }
        if !problems.isEmpty { throw ExitCode(65) }
    }
}
