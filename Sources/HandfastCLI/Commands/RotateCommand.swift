internal import ArgumentParser
internal import HandfastNode

struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace your signing key in a relationship.",
        discussion: """
            The new key was promised when the old one was made, so that a thief of the
            old one cannot rotate. The other side learns of it by a record, and accepts
            nothing more that the old key signs.

            EXAMPLES
              handfast rotate 'Corner Shop'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        let command = Command.rotate(relationship: target.relationship, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Rotating")
        try global.output.write(Document(report)) {
            "Your key in \(Printable.text(report.title)) was replaced; record \(report.ownRecords) says so."
        }
        global.output.note(report.notice)
    }
}
