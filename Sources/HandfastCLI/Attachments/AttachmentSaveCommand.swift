internal import ArgumentParser
internal import HandfastNode

struct AttachmentSaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save",
        abstract: "Write an attachment that is here to a file.",
        discussion: """
            The file is written under the name that you give, never under one that the
            other side chose, and only if there is none of that name yet. It appears
            once all of it is verified against the signed record.

            EXAMPLES
              handfast attachment save 'Corner Shop' 7 invoice.pdf
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var attachment: AttachmentArgument

    @Argument(help: "The file to write.", completion: .file())
    var file: String

    @Flag(name: .long, help: "One that you sent, while the other side does not have it yet.")
    var own = false

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let command = Command.saveAttachment(
            relationship: target.relationship, sender: own ? .own : .peer, sequence: attachment.number,
            path: Paths.absolute(file))
        let report = try await TransferProgress.one(
            Progress.during("Saving") { try await access.reply(to: command) })
        try global.output.write(try Document(report).adding(["file": .text(Paths.absolute(file))])) {
            "Saved \(Printable.text(report.name)) (\(ByteCount.text(report.size))) as \(file)."
        }
    }
}
