internal import ArgumentParser
internal import HandfastNode

struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read",
        abstract: "Read what both sides have said.",
        discussion: """
            Fetches what waits at the relay first. Each side numbers its records from 1;
            the order between the two sides is by their clocks.

            EXAMPLES
              handfast read 'Corner Shop'
              handfast read 'Corner Shop' --from peer --after 12
              handfast read a3kf --json | jq -r '.entries[] | select(.type == "message/text") | .text'
            """)

    /// Whose records.
    enum Side: String, ExpressibleByArgument, CaseIterable {
        case own
        case peer
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    @Option(name: .long, help: "Only records with numbers above this.")
    var after: UInt64 = 0

    @Option(name: .long, help: "Only your own records or only those of the other side: own or peer.")
    var from: Side?

    @Option(name: .long, help: "At most so many records of a side.")
    var limit: Int?

    /// Records a side that one answer of the node brings; an answer is one frame of at most 1 MiB.
    private static let page = 200

    func validate() throws {
        guard limit ?? 1 > 0 else { throw ValidationError("--limit is at least 1") }
    }

    func run() async throws {
        let access = try await VaultAccess(global)
        let relationship = try await access.relationship(.show(relationship: target.relationship))
        var wait = access.wait(waiting)
        var entries: [EntryReport] = []
        let senders: [EntryReport.Sender] = from.map { [$0 == .own ? .own : .peer] } ?? [.peer, .own]
        for sender in senders {
            entries += try await read(access, relationship.id, sender, wait: wait)
            wait = 0
        }
        if senders.count > 1 {
            entries.sort { ($0.time, $0.sequence, $0.sender.rawValue) < ($1.time, $1.sequence, $1.sender.rawValue) }
        }
        try global.output.write(
            ["relationship": .text(relationship.id), "entries": .list(entries.map { try $0.document() })]
        ) { entries.map(\.line).joined(separator: "\n") }
    }

    private func read(
        _ access: VaultAccess, _ id: String, _ sender: EntryReport.Sender, wait: UInt32
    ) async throws -> [EntryReport] {
        var entries: [EntryReport] = []
        let limit = self.limit ?? .max
        while entries.count < limit {
            let count = min(Self.page, limit - entries.count)
            let command = Command.read(
                relationship: id, sender: sender, after: entries.last?.sequence ?? after, limit: count,
                wait: entries.isEmpty ? wait : 0)
            guard case .entries(let page) = try await access.reply(to: command) else { throw Failure.unexpectedReply }
            entries += page
            if page.count < count { break }
        }
        return entries
    }
}
