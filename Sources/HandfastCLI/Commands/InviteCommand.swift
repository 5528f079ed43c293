internal import ArgumentParser
internal import HandfastNode

struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Make an invitation and print it, with its QR code on a terminal.",
        discussion: """
            Whoever has the invitation can accept it, once: hand it over as you would a
            key. It is valid for 30 days. With --relay it is answered at another than the
            preferred relay of this node, and that is where the relationship receives
            first.

            EXAMPLES
              handfast invite --label 'Ann'             URI and QR code
              handfast invite | mail -s Hello ann@…     the URI alone, because standard output is no terminal
              handfast invite --svg invitation.svg      the QR code as an image to print
              handfast invite --relay other.example:7447
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Option(name: .long, help: "Your own note on whom it is for; the relationship inherits it.")
    var label: String?

    @Option(name: .long, help: "Which relay of this node it is answered at, host:port (default: the preferred one).")
    var relay: String?

    @Option(name: .long, help: "Also write the QR code to this file.", completion: .file(extensions: ["svg"]))
    var svg: String?

    func run() async throws {
        let access = try await VaultAccess(global)
        let command = Command.invite(label: label, relay: relay, wait: access.wait(waiting))
        guard case .invitation(let report) = try await access.reply(to: command) else { throw Failure.unexpectedReply }
        let code = try QRCode(report.uri, of: "an invitation")
        if let svg { try OutputFile.write(Array(code.svg.utf8), to: svg) }
        try global.output.write(Document(report)) {
            guard StandardStream.output.isTerminal else { return report.uri }
            return "\(code.terminalText(hasColor: StandardStream.output.hasColor))\n\(report.uri)\n\n"
                + "Valid until \(Moment.text(report.expires)), for one answer. The other side runs:\n"
                + "  handfast accept '\(report.uri)'"
        }
        global.output.note(report.notice)
    }
}
