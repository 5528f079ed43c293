internal import ArgumentParser
internal import HandfastNode

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one relationship: identities, state, what was exchanged and what waits.",
        discussion: """
            EXAMPLES
              handfast show 'Corner Shop'
              handfast show a3kf --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let report = try await access.relationship(.show(relationship: target.relationship))
        try global.output.write(Document(report)) { report.text }
    }
}
