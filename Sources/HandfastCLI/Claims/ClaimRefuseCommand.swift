internal import ArgumentParser
internal import HandfastNode

struct ClaimRefuseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refuse",
        abstract: "Refuse a request for claims.",
        discussion: """
            EXAMPLES
              handfast claim refuse 'Corner Shop' 4
              handfast claim refuse 'Corner Shop' 4 --reason 'You need no birth date for that'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var request: ClaimRequestArgument

    @Option(name: .long, help: "Why; the other side reads it.")
    var reason: String?

    func run() async throws {
        let access = try await VaultAccess(global)
        let reports = try await access.claims(
            .refuse(relationship: target.relationship, number: request.number, reason: reason),
            wait: access.wait(waiting), progress: "Refusing")
        guard let report = reports.first else { throw Failure.unexpectedReply }
        try global.output.write(Document(report)) { report.outcome }
        global.output.note(report.notice)
    }
}
