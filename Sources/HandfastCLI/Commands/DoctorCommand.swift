internal import ArgumentParser
internal import HandfastNode

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what is wrong or needs attention, and say what to do about it.",
        discussion: """
            Ends with exit code 1 when something does not work, 0 otherwise.

            EXAMPLES
              handfast doctor
              handfast doctor --json | jq '.findings[] | select(.severity == "error")'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        guard case .status(let status) = try await access.reply(to: .status),
            case .findings(let findings) = try await access.reply(to: .doctor)
        else { throw Failure.unexpectedReply }
        let store = try await Settings.load(global).shown(.store)
        try global.output.write(
            ["status": Document(status), "store": .text(store), "findings": .list(findings.map { try Document($0) })]
        ) {
            let states = status.relationships.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            var lines = [
                "node           \(status.isRunning ? "running" : "not running")",
                "relay          \(status.relay ?? "none")",
                "store          \(store ?? "SQLite")",
                "relationships  \(states.isEmpty ? "none" : states.joined(separator: ", "))",
                "to deliver     \(status.waiting)",
            ]
            if let identity = status.publicIdentity {
                lines.append("public as      \(status.domain ?? "-")  \(identity)")
            }
            lines.append("")
            if findings.isEmpty { lines.append("Nothing wrong was found.") }
            for finding in findings {
                lines.append(Printable.text("\(finding.severity.rawValue): \(finding.what) — \(finding.remedy)"))
            }
            return lines.joined(separator: "\n")
        }
        if findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
    }
}
