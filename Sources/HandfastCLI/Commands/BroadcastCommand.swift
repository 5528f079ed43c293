internal import ArgumentParser
internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

struct BroadcastCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broadcast",
        abstract: "Say one thing in many relationships, signed once by your public identity.",
        discussion: """
            Each customer gets the message as a record of their own relationship; none
            can see the others. Only a vault with a public identity (init --public) may
            do so: a person's identities must not be tied together by one signature.

            Groups of 256 relationships become durable at once. Should the command be
            interrupted, say it again with the same --idempotency: those who have the
            message do not get it again. Without a name it is a new message each time.

            EXAMPLES
              handfast broadcast --all 'We open on Sunday'
              handfast broadcast --to Ann --to b7qd 'Your order is ready'
              handfast broadcast --all --idempotency recall-7 - < recall.txt
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Option(name: .long, help: "A relationship that gets it; repeat it for more.")
    var to: [String] = []

    @Flag(name: .long, help: "All live relationships that began by your invitations.")
    var all = false

    @Option(name: .long, help: "A name of your choice for this broadcast, remembered for seven days.")
    var idempotency: String?

    @Argument(help: "The message; several words become one message. - reads it from standard input.")
    var text: [String] = []

    /// The relationships of one command to the node, which makes one commit of them.
    private static let group = 256

    func validate() throws {
        guard !text.isEmpty else { throw ValidationError("give a message, or -") }
        guard all != !to.isEmpty else { throw ValidationError("give either --all or --to RELATIONSHIP") }
    }

    func run() async throws {
        let message = try SendCommand.checked(
            text == ["-"]
                ? StandardInput.text(maximum: SendCommand.maximumByteCount) : text.joined(separator: " "))
        let outgoing = OutgoingMessage(
            type: "message/text", encodedBody: try CBOREncoder().encode(TextMessage(text: message)))
        let access = try await VaultAccess(global)
        try await checkPublic(access)
        let targets = try await targets(access)
        var entropy = SystemEntropy()
        // A name even where none was given: what an error interrupts can be said to the rest.
        let name = idempotency ?? Hex.encode(entropy.bytes(8))
        var report = BroadcastReport()
        for start in stride(from: 0, to: targets.count, by: Self.group) {
            let group = Array(targets[start..<min(start + Self.group, targets.count)])
            let isLast = start + Self.group >= targets.count
            let command = Command.broadcast(
                relationships: group, message: outgoing, idempotencyKey: name, wait: isLast ? access.wait(waiting) : 0)
            do {
                let what = targets.count > Self.group ? "Broadcasting (\(start) of \(targets.count))" : "Broadcasting"
                let reply = try await Progress.during(what) { try await access.reply(to: command) }
                guard case .broadcast(let part) = reply else { throw Failure.unexpectedReply }
                report.add(part)
            } catch let failure as CommandFailure where start > 0 {
                throw Failure(
                    failure.kind, Failure.clause(failure.message),
                    hint: "\(start) of \(targets.count) relationships were done; the same with --idempotency \(name) "
                        + "reaches the rest only")
            }
        }
        if report.sent.isEmpty, let refusal = report.refused.first {
            throw Failure(.failed, text: "Nobody got it: \(refusal.reason)")
        }
        try write(report)
    }

    private func checkPublic(_ access: VaultAccess) async throws {
        guard case .status(let status) = try await access.reply(to: .status) else { throw Failure.unexpectedReply }
        guard status.publicIdentity == nil else { return }
        throw Failure(
            .failed, "this vault holds no public identity, and only one of those may broadcast",
            hint: "one signature for many relationships would show that your identities are the same person's; send to "
                + "each with `handfast send`")
    }

    private func targets(_ access: VaultAccess) async throws -> [String] {
        guard all else { return to }
        guard case .relationships(let reports) = try await access.reply(to: .list) else {
            throw Failure.unexpectedReply
        }
        let live = reports.filter { $0.role == "inviter" && ($0.state == "live" || $0.state == "welcomed") }
        guard !live.isEmpty else {
            throw Failure(.failed, "no live relationship began by your invitation", hint: "see `handfast list`")
        }
        return live.map(\.id)
    }

    private func write(_ report: BroadcastReport) throws {
        try global.output.write(Document(report)) {
            let new = report.sent.count { !$0.isRepeat }
            let old = report.sent.count - new
            var lines = ["Said in \(new) relationship\(new == 1 ? "" : "s")."]
            if old > 0 { lines.append("\(old) had it before.") }
            for refusal in report.refused {
                lines.append("Not in \(refusal.relationship.prefix(8)): \(Printable.text(refusal.reason))")
            }
            return lines.joined(separator: "\n")
        }
        global.output.note(report.notice)
    }
}
