internal import ArgumentParser
internal import Handfast
internal import HandfastNode

struct CredentialListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the credentials of the wallet.",
        discussion: """
            EXAMPLES
              handfast credential list
              handfast credential list --json | jq '.credentials[] | select(.isRunningLow)'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.credentials(.list(id: nil))
        try global.output.write(["credentials": .list(reports.map { try Document($0) })]) {
            guard !reports.isEmpty else { return "No credentials." }
            var table = Table("CREDENTIAL", "LABEL", "TYPE", "ISSUER", "FREE")
            for report in reports {
                table.add(
                    String(report.id.prefix(8)), report.label, report.type ?? "not issued yet", report.issuer ?? "",
                    Self.free(report))
            }
            return table.text
        }
    }

    private static func free(_ report: CredentialReport) -> String {
        let revoked = Dictionary(grouping: report.copies.compactMap(\.revoked)) { $0 }.sorted { $0.key < $1.key }
        let parts =
            ["\(report.free) of \(report.copies.count)"] + revoked.map { "\($0.value.count) \($0.key)" }
            + (report.isRunningLow ? ["ask for more"] : [])
        return parts.joined(separator: ", ")
    }
}

struct CredentialShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a credential says, and which relationship sees which copy.",
        discussion: """
            EXAMPLES
              handfast credential show 'ID card'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Its label or its whole name, as `handfast credential list --json` shows them.")
    var credential: String

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.credentials(.list(id: credential))
        try global.output.write(["credentials": .list(reports.map { try Document($0) })]) {
            reports.map(\.text).joined(separator: "\n\n")
        }
    }
}

extension CredentialReport {
    /// The credential as a person reads it.
    var text: String {
        var lines = ["\(label)  (\(id))"]
        if let type, let issuer { lines.append("  \(type), issued by \(issuer)") }
        for claim in claims {
            let isShownAlone = redacted.contains(claim.claim)
            lines.append("  \(claim.claim) = \(claim.value)" + (isShownAlone ? "" : "  (part of what is shown)"))
        }
        for (number, copy) in copies.enumerated() {
            var state = copy.isIssued ? "free" : "not issued yet"
            if copy.isRetired { state = "given to nobody any more: an older copy of the vault was restored" }
            if let relationship = copy.relationship { state = "seen by \(relationship.prefix(8))" }
            if let revoked = copy.revoked {
                state += "; \(revoked) by its issuer" + (copy.revokedAt.map { " on \(Moment.text($0))" } ?? "")
            }
            lines.append("  copy \(number): \(state)" + (copy.expires.map { ", until \(Moment.text($0))" } ?? ""))
        }
        return lines.map { Printable.text($0) }.joined(separator: "\n")
    }
}
