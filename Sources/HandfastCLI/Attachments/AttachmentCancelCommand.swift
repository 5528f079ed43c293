internal import ArgumentParser
internal import HandfastNode

struct AttachmentCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Decline an attachment, or take back one of yours that is not across.",
        discussion: """
            What came of it is removed; the record stays, as it is signed.

            EXAMPLES
              handfast attachment cancel 'Corner Shop' 9
              handfast attachment cancel 'Corner Shop' 4 --own
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var attachment: AttachmentArgument

    @Flag(name: .long, help: "One that you sent.")
    var own = false

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let report = try await TransferProgress.one(
            access.reply(
                to: .cancelAttachment(
                    relationship: target.relationship, sender: own ? .own : .peer, sequence: attachment.number)))
        try global.output.write(try Document(report)) { "Cancelled: \(Printable.text(report.name))." }
    }
}
