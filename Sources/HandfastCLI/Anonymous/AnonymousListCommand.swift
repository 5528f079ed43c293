internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct AnonymousListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List anonymous credentials, what they say, and what was shown to whom (experimental).",
        discussion: """
            EXAMPLES
              handfast anonymous list
              handfast anonymous list --json | jq '.credentials[] | {label, expires}'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.anonymous(.list)
        try global.output.write(try AnonymousCredentialReport.document(of: reports)) {
            reports.isEmpty
                ? "No anonymous credentials."
                : reports.map(\.text).joined(separator: "\n\n") + "\n"
                    + AnonymousCommand.notice
        }
    }
}

extension VaultAccess {
    /// Carries out a command that is answered by anonymous credentials of the wallet.
    func anonymous(_ action: AnonymousAction) async throws -> [AnonymousCredentialReport] {
        guard case .anonymousCredentials(let reports) = try await reply(to: .anonymous(action)) else {
            throw Failure.unexpectedReply
        }
        return reports
    }
}

extension AnonymousCredentialReport {
    /// The credentials as one JSON document.
    static func document(of reports: [AnonymousCredentialReport]) throws -> Document {
        ["credentials": .list(try reports.map { try Document($0) }), "experimental": .flag(true)]
    }

    /// The credential as a person reads it.
    var text: String {
        var lines = ["\(label)  (\(id))", "  \(type)"]
        lines.append("  issuer   \(Base64URL.encode(issuer))")
        if isIssued {
            lines += claims.map { "  \($0.claim) = \($0.value)" }
            if let expires { lines.append("  holds    until \(Moment.text(expires))") }
        } else {
            lines.append("  asked    \(Moment.text(created)); not issued yet")
        }
        for showing in shown {
            let what = showing.claims.isEmpty ? "only that you have it" : showing.claims.joined(separator: ", ")
            let who = showing.label ?? String(showing.relationship.prefix(8))
            lines.append(
                "  shown    to \(who), \(Moment.text(showing.time)): \(what)"
                    + (showing.isLinkable ? ", linkable" : ""))
        }
        return lines.map { Printable.text($0) }.joined(separator: "\n")
    }
}
