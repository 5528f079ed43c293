internal import ArgumentParser
internal import HandfastNode

struct AttachmentAcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Take an attachment that is larger than this node takes unasked.",
        discussion: """
            Files up to limits.attachmentBytes are taken without a word, as long as all of
            them together stay below limits.attachmentTotalBytes. Nothing of a larger one
            is sent before you accept it.

            Waits until the file is here, as long as something comes within --wait
            seconds; a running node goes on without you.

            EXAMPLES
              handfast attachment accept 'Corner Shop' 9
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var attachment: AttachmentArgument

    func run() async throws {
        let access = try await VaultAccess(global)
        var report = try await TransferProgress.one(
            access.reply(
                to: .acceptAttachment(relationship: target.relationship, sequence: attachment.number)))
        let wait = access.wait(waiting)
        if wait > 0 {
            report = try await TransferProgress.follow(report, in: target.relationship, wait: wait, access)
        }
        try global.output.write(try Document(report)) { "Accepted: \(Printable.text(report.summary))." }
        global.output.note(report.notice)
    }
}
