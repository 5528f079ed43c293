internal import ArgumentParser
internal import HandfastNode

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Accept an invitation.",
        discussion: """
            Makes an identity for this relationship alone and answers the invitation.
            The inviter need not be online: the relationship is live once it has
            answered back. A domain that the inviter names is asked over HTTPS, and must
            confirm it.

            EXAMPLES
              handfast accept 'handfast:…' --label 'Corner Shop'
              handfast accept 'handfast:…' --unasked-domain
              zbarimg -q --raw photo.png | handfast accept -
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Argument(help: "The invitation, handfast:…, or - to read it from standard input.")
    var invitation: String

    @Option(name: .long, help: "Your own note on who it is.")
    var label: String?

    @Flag(name: .long, help: "Take the domain that the inviter names as a claim, without asking it.")
    var unaskedDomain = false

    /// How long an inviter that is online may take to answer.
    private static let moment = Duration.seconds(2)

    func run() async throws {
        let access = try await VaultAccess(global)
        let uri = invitation == "-" ? try StandardInput.text(maximum: 4_096) : invitation
        let command = Command.accept(
            invitation: uri, label: label, asksDomain: !unaskedDomain, wait: access.wait(waiting))
        var report = try await access.relationship(command, progress: "Knocking")
        // An inviter that is online answers in a moment.
        let end = ContinuousClock.now + min(.seconds(access.wait(waiting)), Self.moment)
        while access.hasRunningNode, report.state == "greeted", report.trouble == nil, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
            let notice = report.notice
            report = try await access.relationship(.show(relationship: report.id))
            if report.state == "greeted" { report.notice = notice }
        }
        if let trouble = report.trouble { throw Failure(.badData, text: trouble) }
        try global.output.write(Document(report)) {
            let next =
                report.state == "live"
                ? "Compare the words by voice if it matters: \(report.words ?? "")"
                : "It is live once the other side has been online; `handfast list` shows it."
            return "\(Printable.text(report.title)) is \(report.state). \(next)"
        }
        global.output.note(report.notice)
    }
}
