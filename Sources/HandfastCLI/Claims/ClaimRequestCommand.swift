internal import ArgumentParser
internal import HandfastEncoding
internal import HandfastNode

struct ClaimRequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Ask the other side to show claims of credentials.",
        discussion: """
            \(QueryOptions.help)

            `handfast issuer` says whose word is taken.

            EXAMPLES
              handfast claim request Ann --purpose dpv:AgeVerification \\
                --type https://id.example/person --claim age_over_18=true
              handfast claim request Ann --purpose dpv:DeliveryOfGoods --type address \\
                --claim address --self-asserted --description 'Where may we deliver?'
              handfast claim request Ann --purpose dpv:DeliveryOfGoods --queries order.json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    @Option(name: .long, help: "What it is for: a term, such as one of the Data Privacy Vocabulary.")
    var purpose: String

    @Option(name: .long, help: "The same in words for a person.")
    var description: String?

    @OptionGroup var query: QueryOptions

    func run() async throws {
        let queries = try query.read()
        let access = try await VaultAccess(global)
        let reports = try await access.claims(
            .request(
                relationship: target.relationship, purpose: purpose, description: description,
                queries: try CBOREncoder().encode(queries), maximumAge: query.fresh),
            wait: access.wait(waiting), progress: "Asking")
        guard let report = reports.first else { throw Failure.unexpectedReply }
        try global.output.write(Document(report)) { report.outcome }
        global.output.note(report.notice)
    }
}
