internal import ArgumentParser
internal import HandfastNode

struct AnonymousNonceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nonce",
        abstract: "Make the nonce that the other side's next request or presentation answers (experimental).",
        discussion: """
            It is taken once: a copy of what answers it is refused. A relationship has one
            at a time; another one takes its place.

            EXAMPLES
              handfast anonymous nonce Ann --output nonce
              handfast anonymous nonce Ann --qr
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let report = try await access.nonce(.makeNonce(relationship: target.relationship))
        let name = report.label ?? String(report.relationship.prefix(8))
        try part.write(
            .nonce, report.nonce, to: global.output,
            ["relationship": .text(report.relationship), "made": .number(report.made)],
            text: "Give the nonce to \(Printable.text(name)).")
    }
}

extension VaultAccess {
    /// Carries out a command that is answered by a nonce of a relationship.
    func nonce(_ action: AnonymousAction) async throws -> AnonymousNonceReport {
        guard case .anonymousNonce(let report) = try await reply(to: .anonymous(action)) else {
            throw Failure.unexpectedReply
        }
        return report
    }
}
