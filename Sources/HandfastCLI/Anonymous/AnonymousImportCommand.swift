internal import ArgumentParser
internal import Handfast
internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastNode

struct AnonymousImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take an issuer's answer to a request of this wallet (experimental).",
        discussion: """
            Takes it only with the issuer's proof that its key made the credential, for
            the present epoch or the next, as everybody's is.

            EXAMPLES
              handfast anonymous import ann.issuance
              zbarimg -q --raw photo.png | handfast anonymous import -
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The answer: a file, the text itself, or -.", completion: .file())
    var issuance: String

    func run() async throws {
        let bytes = try AnonymousPart.issuance.read(issuance)
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.anonymous(.take(issuance: bytes))
        try global.output.write(try AnonymousCredentialReport.document(of: reports)) {
            reports.map(\.text).joined(separator: "\n\n") + "\n" + AnonymousCommand.notice
        }
    }
}

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
