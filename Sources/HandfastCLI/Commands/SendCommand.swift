internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message, or a file.",
        discussion: """
            The message is stored, signed and sealed when the command ends; a running
            node delivers it, else the command tries for --wait seconds and leaves the
            rest in the outbox.

            With --idempotency a repeat of the command sends nothing and gives the first
            answer: after a crash, say it again.

            With --attach the text goes with the file. The file is sealed before the
            command ends and travels as the other side asks for it: the command waits as
            long as something moves within --wait seconds, a running node goes on after
            it. Whatever is interrupted goes on where it was.

            EXAMPLES
              handfast send 'Corner Shop' 'Is the green one in stock?'
              handfast send 'Corner Shop' - < letter.txt
              handfast send a3kf --lines --idempotency import-2026-11 < messages.txt
              handfast send 'Corner Shop' --attach invoice.pdf 'As promised'
              handfast send a3kf --ephemeral 'on my way'      unsigned, kept by nobody
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument

    @Argument(help: "The message; several words become one message. - reads it from standard input.")
    var text: [String] = []

    @Flag(name: .long, help: "Read standard input, one message a line.")
    var lines = false

    @Option(
        name: .long,
        help:
            "A name of your choice for this send, remembered for seven days; with --lines the same name fits all lines."
    )
    var idempotency: String?

    @Flag(name: .long, help: "Send it authenticated but unsigned, kept by nobody.")
    var ephemeral = false

    @Option(name: .long, help: "A file to send.", completion: .file())
    var attach: String?

    /// The most messages in one commit of the node.
    private static let batch = 100
    /// The most bytes of text in one commit: a command is one frame of at most 1 MiB.
    private static let batchBytes = 512 << 10
    /// The longest message, in bytes: its body has at most 61,440.
    static let maximumByteCount = 61_000

    func validate() throws {
        if attach != nil, lines || ephemeral {
            throw ValidationError("--attach goes with a text, not with --lines or --ephemeral")
        }
        guard lines || !text.isEmpty || attach != nil else { throw ValidationError("give a message, - or --lines") }
        guard !lines || text.isEmpty || text == ["-"] else {
            throw ValidationError("--lines reads messages from standard input; give none as arguments")
        }
    }

    func run() async throws {
        let access = try await VaultAccess(global)
        if let attach { return try await send(file: attach, access) }
        var total: SendReport?
        var first = 1
        var wait: UInt32 = 0
        var batch = try nextBatch()
        guard !batch.isEmpty else { throw Failure(.badData, "standard input holds no message") }
        repeat {
            let next = lines ? try nextBatch() : []
            // Only the last batch waits: what came before goes with it.
            wait = next.isEmpty ? access.wait(waiting) : 0
            let report = try await send(batch, first: first, wait: wait, access)
            total = total.map { $0.adding(report) } ?? report
            first += batch.count
            batch = next
        } while !batch.isEmpty
        guard let total else { return }
        try global.output.write(Document(total)) {
            let what =
                ephemeral
                ? "Sent, to be kept by nobody."
                : total.sequences.count == 1
                    ? "Sent as your record \(total.sequences[0])."
                    : "Sent as your records \(total.sequences.first ?? 0) to \(total.sequences.last ?? 0)."
            return total.isRepeat ? "\(what) It had been sent before; nothing was sent again." : what
        }
        global.output.note(total.notice)
    }

    /// Sends a file with its text, and waits until the other side has it or nothing moves any more.
    private func send(file: String, _ access: VaultAccess) async throws {
        let path = Paths.absolute(file)
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let words = text.isEmpty ? nil : try nextBatch().first
        let outgoing = Node.OutgoingAttachment(path: path, mediaType: MediaType.of(name), text: words)
        let command = Command.attach(relationship: target.relationship, file: outgoing, idempotencyKey: idempotency)
        let reply = try await Progress.during("Sealing") { try await access.reply(to: command) }
        guard case .sent(var report) = reply, let sequence = report.sequences.first else {
            throw Failure.unexpectedReply
        }
        let all = try await access.reply(to: .attachments(relationship: report.relationship))
        guard case .attachments(let attachments) = all,
            var attachment = attachments.first(where: { $0.sender == .own && $0.sequence == sequence })
        else { throw Failure.unexpectedReply }
        let wait = access.wait(waiting)
        if wait > 0 {
            attachment = try await TransferProgress.follow(attachment, in: report.relationship, wait: wait, access)
            report.waiting = 0
        }
        let document = try Document(report).adding(["attachment": try Document(attachment)])
        global.output.write(document) {
            let sent = "Sent as your record \(sequence): \(Printable.text(attachment.summary))."
            return report.isRepeat ? "\(sent) It had been sent before; nothing was sent again." : sent
        }
        global.output.note(attachment.notice)
    }

    private func send(
        _ texts: [String], first: Int, wait: UInt32, _ access: VaultAccess
    ) async throws -> SendReport {
        let messages = try texts.map { text in
            OutgoingMessage(
                type: "message/text", encodedBody: try CBOREncoder().encode(TextMessage(text: text)),
                isEphemeral: ephemeral)
        }
        let key = idempotency.map { lines ? "\($0):\(first)" : $0 }
        let command = Command.send(
            relationship: target.relationship, messages: messages, idempotencyKey: key, wait: wait)
        let reply = try await Progress.during("Sending") { try await access.reply(to: command) }
        guard case .sent(let report) = reply else { throw Failure.unexpectedReply }
        guard !report.isRepeat || ephemeral || report.sequences.count == texts.count else {
            throw Failure(
                .badData, "the name \(idempotency ?? "") was used before, for other messages",
                hint: "choose another for these; from line \(first) on nothing was sent")
        }
        return report
    }

    /// The next messages: one from the arguments or from standard input, or as many lines as fit one commit.
    private func nextBatch() throws -> [String] {
        guard lines else {
            let message =
                text == ["-"]
                ? try StandardInput.text(maximum: Self.maximumByteCount) : text.joined(separator: " ")
            return [try Self.checked(message)]
        }
        var batch: [String] = []
        var bytes = 0
        while batch.count < Self.batch, bytes < Self.batchBytes, let line = readLine(strippingNewline: true) {
            batch.append(try Self.checked(line))
            bytes += line.utf8.count
        }
        return batch
    }

    /// Refuses a message that no record can hold.
    static func checked(_ message: String) throws -> String {
        guard message.utf8.count <= maximumByteCount else {
            throw Failure(
                .badData, "a message has \(message.utf8.count) bytes and may have \(maximumByteCount)",
                hint: "send it in parts")
        }
        return message
    }
}

extension SendReport {
    /// Both as one.
    func adding(_ other: SendReport) -> SendReport {
        var sum = other
        sum.sequences = sequences + other.sequences
        sum.hashes = hashes + other.hashes
        sum.isRepeat = isRepeat && other.isRepeat
        return sum
    }
}
