internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct ClaimSaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save",
        abstract: "Write what the other side presented to a file, to be verified without this vault.",
        discussion: """
            Says what a verifier has to ask for: audience, nonce and times. They must come
            from you and not along with the file, for a file can say anything.

            EXAMPLES
              handfast claim save Ann 4 ann.presentation
              handfast claim save Ann 4 ann.presentation --json | jq .queries > queries.json
              handfast claim save Ann 4 ann.presentation --svg ann.svg
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var request: ClaimRequestArgument

    @Argument(help: "The file to write.", completion: .file())
    var file: String

    @OptionGroup var code: CodeOptions

    /// Records that one answer of the node brings.
    private static let page = 200

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let relationship = try await access.relationship(.show(relationship: target.relationship))
        let reports = try await access.claims(.requests(relationship: relationship.id, all: true))
        guard let report = reports.first(where: { $0.number == request.number && $0.sender == .own }),
            let answered = report.answered
        else {
            throw Failure(
                .badData, "you have no request \(request.number) here that was answered",
                hint: "`handfast claim requests \(target.relationship) --all` shows them")
        }
        let own = try await entries(access, relationship.id, .own, after: request.number - 1, limit: 1)
        guard let body = own.first?.body, let asked = try? CBORDecoder().decode(ClaimRequest.self, from: body) else {
            throw Failure(.badData, "the ledger holds the request no more")
        }
        guard let answer = try await answer(access, relationship.id) else {
            throw Failure(.badData, "nothing was presented to request \(request.number)", hint: "it is \(report.state)")
        }
        let saved = PresentationFile(answer.presentations).document.jsonText
        try OutputFile.write(Array((saved + "\n").utf8), to: file, mode: 0o600)
        let code = try self.code.code(of: saved, "a presentation")
        let nonce = Base64URL.encode(asked.nonce.array)
        global.output.write([
            "file": .text(Paths.absolute(file)), "audience": .text(relationship.ownIdentity), "nonce": .text(nonce),
            "asked": .number(report.asked), "answered": .number(answered),
            "queries": QueryFile.document(of: asked.credentials),
        ]) {
            code + """
                Saved in \(file). Who verifies it asks for the same type and claims, and says:
                  --audience \(relationship.ownIdentity)
                  --nonce \(nonce) --asked \(report.asked) --at \(answered)
                """
        }
    }

    /// What the other side has presented to the request, from its ledger.
    private func answer(_ access: VaultAccess, _ id: String) async throws -> ClaimPresentation? {
        var last: UInt64 = 0
        while true {
            let page = try await entries(access, id, .peer, after: last, limit: Self.page)
            for entry in page where entry.type == "claim/present" {
                guard let body = entry.body,
                    let answer = try? CBORDecoder().decode(ClaimPresentation.self, from: body)
                else { continue }
                if answer.request == request.number { return answer.isRefusal ? nil : answer }
            }
            guard page.count == Self.page, let next = page.last?.sequence else { return nil }
            last = next
        }
    }

    private func entries(
        _ access: VaultAccess, _ id: String, _ sender: EntryReport.Sender, after: UInt64, limit: Int
    ) async throws -> [EntryReport] {
        let command = Command.read(relationship: id, sender: sender, after: after, limit: limit, wait: 0)
        guard case .entries(let page) = try await access.reply(to: command) else { throw Failure.unexpectedReply }
        return page
    }
}
