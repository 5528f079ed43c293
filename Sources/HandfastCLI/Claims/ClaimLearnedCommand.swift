internal import ArgumentParser
internal import HandfastNode

struct ClaimLearnedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learned",
        abstract: "What others have learned from you: which claims, when, and what for.",
        discussion: """
            EXAMPLES
              handfast claim learned
              handfast claim learned 'Corner Shop' --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Of this relationship only.")
    var relationship: String?

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.claims(.learned(relationship: relationship))
        try global.output.write(["learned": .list(reports.map { try Document($0) })]) {
            reports.isEmpty ? "Nothing." : reports.map(\.text).joined(separator: "\n\n")
        }
    }
}
