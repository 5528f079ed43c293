internal import ArgumentParser
internal import HandfastNode

struct ClaimRequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "List requests for claims, and what the other side would learn.",
        discussion: """
            EXAMPLES
              handfast claim requests
              handfast claim requests 'Corner Shop' --all
              handfast claim requests --json | jq '.requests[] | {number, purpose, shown}'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Of this relationship only.")
    var relationship: String?

    @Flag(name: .long, help: "Those that were answered, too.")
    var all = false

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.claims(.requests(relationship: relationship, all: all))
        try global.output.write(["requests": .list(reports.map { try Document($0) })]) {
            reports.isEmpty ? "No requests." : reports.map(\.text).joined(separator: "\n\n")
        }
    }
}
