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

            EXAMPLES
              handfast block 'Corner Shop'
              handfast block a3kf --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        let command = Command.block(relationship: target.relationship, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Blocking")
        try global.output.write(Document(report)) { "\(Printable.text(report.title)) is blocked." }
        global.output.note(report.notice)
    }
}
