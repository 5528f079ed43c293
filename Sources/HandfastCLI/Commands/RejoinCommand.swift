internal import ArgumentParser
internal import HandfastNode

struct RejoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejoin",
        abstract: "Begin the channel of a relationship anew, and make both ledgers equal.",
        discussion: """
            The node does it by itself where it notices that a vault or a relay was taken
            back to an older state, or that something is lost. Ask for it when the other
            side says that it does not get what you send. Both sides give back what the
            other one lacks; a record of yours that the other side never had and that
            contradicts the ledger is void, and `handfast watch` shows what it said.
            Nothing can be sent until the other side has answered.

            EXAMPLES
              handfast rejoin 'Corner Shop'
              handfast rejoin a3kf --wait 60 --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        let command = Command.rejoin(relationship: target.relationship, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Rejoining")
        try global.output.write(Document(report)) {
            report.isRejoining
                ? "\(Printable.text(report.title)) was asked to begin the channel anew."
                : "The channel with \(Printable.text(report.title)) was begun anew; this is epoch \(report.epoch)."
        }
        global.output.note(report.notice)
    }
}
