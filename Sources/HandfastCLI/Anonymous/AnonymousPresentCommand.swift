internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct AnonymousPresentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "present",
        abstract: "Show attributes of a credential in a relationship, and no more (experimental).",
        discussion: """
            Makes what the other side verifies; you hand it over. It learns what you show,
            the epoch, and a pseudonym of yours that is the same in this relationship each
            time, and nowhere else. It proves nothing to anybody else.

            With --linkable the pseudonym is the same in all of your relationships with
            this vendor, which then knows that they are of one person.

            EXAMPLES
              handfast anonymous present 'Corner Shop' Club --nonce nonce --show level \\
                --output ann.shown
              handfast anonymous present 'Corner Shop' Club --nonce nonce --linkable --qr
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput
    @OptionGroup var target: RelationshipArgument

    @Argument(help: "The credential's label or whole name, as `handfast anonymous list` shows them.")
    var credential: String

    @Option(name: .long, help: "The other side's nonce: a file, the text itself, or -.", completion: .file())
    var nonce: String

    @Option(name: .long, help: "An attribute to show; repeat it for more.")
    var show: [String] = []

    @Flag(name: .long, help: "Let the vendor link all of your relationships with it by your pseudonym.")
    var linkable = false

    func run() async throws {
        let nonce = try AnonymousPart.nonce.read(nonce)
        let access = try await VaultAccess(global, network: false)
        let action = AnonymousAction.present(
            credential: credential, relationship: target.relationship, nonce: nonce, showing: show,
            isLinkable: linkable)
        guard case .anonymousPresentation(let report) = try await access.reply(to: .anonymous(action)) else {
            throw Failure.unexpectedReply
        }
        try part.write(
            .presentation, report.presentation, to: global.output, try Document(report), text: report.text)
    }
}

extension AnonymousPresentationReport {
    /// What the other side learns, as a person reads it.
    fileprivate var text: String {
        let name = label ?? String(relationship.prefix(8))
        var lines = ["Nothing is sent. Whoever you give it to learns this, and only \(name) can rely on it:"]
        lines.append("  \(type)")
        lines += claims.map { "  \($0.claim) = \($0.value)" }
        lines.append("  epoch \(epoch), which ends \(Moment.text(expires))")
        lines.append("  pseudonym \(Base64URL.encode(pseudonym)), the same \(reach)")
        lines.append(AnonymousCommand.notice)
        return lines.map { Printable.text($0) }.joined(separator: "\n")
    }

    private var reach: String {
        scope == "vendor"
            ? "in all of your relationships with this vendor: LINKABLE" : "in this relationship, and nowhere else"
    }
}
