internal import ArgumentParser
internal import HandfastNode

struct IssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issuer",
        abstract: "Whose word you take for claims.",
        discussion: """
            A credential is taken only from an issuer that you trust: for what others
            show you, and for what you keep in the wallet. Issuers stand in issuers.json
            in the vault's folder, each with its keys, or with the address at which it
            publishes them.

            EXAMPLES
              handfast issuer trust https://id.example
              handfast issuer trust issuer.pub.jwk --name https://id.example
              handfast issuer list
              handfast issuer forget https://id.example
            """,
        subcommands: [IssuerTrustCommand.self, IssuerListCommand.self, IssuerForgetCommand.self])
}

struct IssuerListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the issuers that you trust, and how old their keys are here.",
        discussion: """
            EXAMPLES
              handfast issuer list
              handfast issuer list --json | jq '.issuers[] | select(.trouble)'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.issuers(.list)
        try global.output.write(["issuers": .list(reports.map { try Document($0) })]) {
            reports.isEmpty ? "You trust no issuer." : IssuerReport.table(reports)
        }
    }
}

struct IssuerForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Trust an issuer no longer.",
        discussion: """
            What was proved by its word before stays where it is kept.

            EXAMPLES
              handfast issuer forget https://id.example
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Its name, as `handfast issuer list` shows it.")
    var issuer: String

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.issuers(.forget(issuer: issuer))
        try global.output.write(["issuers": .list(reports.map { try Document($0) })]) {
            "\(Printable.text(issuer)) is trusted no longer."
        }
    }
}

extension VaultAccess {
    /// Carries out a command that is answered by issuers.
    func issuers(_ action: IssuerAction) async throws -> [IssuerReport] {
        guard case .issuers(let reports) = try await reply(to: .issuer(action)) else { throw Failure.unexpectedReply }
        return reports
    }
}

extension IssuerReport {
    /// Issuers as a person reads them.
    static func table(_ reports: [IssuerReport]) -> String {
        var table = Table("ISSUER", "FOR", "KEYS", "FROM", "FETCHED")
        for report in reports {
            let keys = report.keys.map { key in key.name.map { "\($0) (\(key.algorithm))" } ?? key.algorithm }
            table.add(
                report.issuer, report.types?.joined(separator: ", ") ?? "every type",
                keys.isEmpty ? "none" : keys.joined(separator: ", "), report.url ?? "issuers.json", report.age)
        }
        return table.text
    }

    /// When its keys were fetched, and what came between since.
    private var age: String {
        guard url != nil else { return "" }
        var text = fetched.map { Moment.text($0) } ?? "never"
        if !isUsable { text += ", not used any more" }
        if let trouble { text += "; then: \(trouble)" }
        return text
    }
}
