internal import ArgumentParser
internal import HandfastNode

struct BlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block",
        abstract: "Shut the other side out for good.",
        discussion: """
            The own relay closes its queue: it cannot place one byte more, whatever it
            does and whether or not it is there. Nothing is sent to it either, and what
            was still to be sent is dropped. It is not told, but its node sees that the
            queue is closed. The ledger stays yours to read and to export. This cannot
            be undone: another invitation begins another relationship. `handfast pause`
            can be undone, and `handfast end` says goodbye.

            With --strangers all open invitations become void, and the queues in which
            they would be answered are closed: who has one cannot place a byte more.
            Nobody in a relationship notices. `handfast invite` makes new ones.

            EXAMPLES
              handfast block 'Corner Shop'
              handfast block a3kf --json
              handfast block --strangers
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var sender: SenderArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        let wait = access.wait(waiting)
        guard let relationship = sender.relationship else {
            let report = try await access.strangers(.blockStrangers(wait: wait), progress: "Blocking")
            try global.output.write(Document(report)) { text(of: report) }
            return global.output.note(report.notice)
        }
        let report = try await access.relationship(
            .block(relationship: relationship, wait: wait), progress: "Blocking")
        try global.output.write(Document(report)) { "\(Printable.text(report.title)) is blocked." }
        global.output.note(report.notice)
    }

    private func text(of report: StrangersReport) -> String {
        let void = report.voidInvitations
        guard !void.isEmpty else { return "No invitation was open: nobody could have answered one." }
        return Printable.text(
            "Nobody can answer an invitation any more that you have made so far. Void: "
                + "\(void.joined(separator: ", ")).")
    }
}
