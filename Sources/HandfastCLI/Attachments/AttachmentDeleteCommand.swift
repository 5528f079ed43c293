internal import ArgumentParser
internal import HandfastNode

struct AttachmentDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete the content of an attachment that is here; its record stays.",
        discussion: """
            EXAMPLES
              handfast attachment delete 'Corner Shop' 7
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var attachment: AttachmentArgument

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let report = try await TransferProgress.one(
            access.reply(
                to: .deleteAttachment(relationship: target.relationship, sequence: attachment.number)))
        try global.output.write(try Document(report)) { "Deleted: \(Printable.text(report.name))." }
    }
}
