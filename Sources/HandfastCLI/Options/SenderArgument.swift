internal import ArgumentParser
internal import HandfastNode

/// Whose messages a command is about: those of the other side of a relationship, or those of strangers.
struct SenderArgument: ParsableArguments {
    @Flag(name: .long, help: "In place of a relationship: all who answer your invitations.")
    var strangers = false

    @Argument(help: "Its label, the other side's name, or the beginning of its id; `handfast list` shows them.")
    var relationship: String?

    func validate() throws {
        guard strangers != (relationship != nil) else {
            throw ValidationError("give either a relationship or --strangers")
        }
    }

    /// What `help` says of strangers.
    static let help = """
        With --strangers it is about those who answer your invitations, before there is
        a relationship with them. The invitations of a public identity are answered in
        one queue at each relay, for which the limits hold; those of others in one each.
        """

    /// Changes what comes of it, and says what comes from then on.
    ///
    /// - Parameters:
    ///   - progress: what is being done, while it takes long.
    ///   - text: the same once it is done, by the name of who is meant and what is let come.
    func apply(
        _ change: ReceptionChange, _ global: GlobalOptions, _ waiting: WaitOptions, progress: String,
        text: (String, ReceptionReport) -> String
    ) async throws {
        let access = try await VaultAccess(global)
        let wait = access.wait(waiting)
        guard let relationship else {
            let command = Command.receiveStrangers(change: change, wait: wait)
            let report = try await access.strangers(command, progress: progress)
            try global.output.write(Document(report)) { text("strangers", report.reception) }
            return global.output.note(report.notice)
        }
        let command = Command.receive(relationship: relationship, change: change, wait: wait)
        let report = try await access.relationship(command, progress: progress)
        try global.output.write(Document(report)) { text(Printable.text(report.title), report.reception) }
        global.output.note(report.notice)
    }
}

extension StrangersReport {
    /// What `show --strangers` writes.
    var text: String {
        let count = "\(invitations) invitation\(invitations == 1 ? "" : "s") can be answered"
        return "you let come  \(reception.text ?? "everything that the relay takes")\ninvitations   \(count)"
    }
}
