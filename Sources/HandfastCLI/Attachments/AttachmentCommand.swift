internal import ArgumentParser

struct AttachmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attachment",
        abstract: "Files that came with messages: list, take, save, decline.",
        discussion: """
            `handfast send RELATIONSHIP --attach FILE` sends one.

            EXAMPLES
              handfast attachment list 'Corner Shop'
              handfast attachment save 'Corner Shop' 7 invoice.pdf
              handfast attachment accept 'Corner Shop' 9
            """,
        subcommands: [
            AttachmentListCommand.self, AttachmentSaveCommand.self, AttachmentAcceptCommand.self,
            AttachmentCancelCommand.self, AttachmentDeleteCommand.self,
        ])
}

/// The attachment that a command is about.
struct AttachmentArgument: ParsableArguments {
    @Argument(help: "The number of its record, as `handfast attachment list` shows it.")
    var number: UInt64
}
