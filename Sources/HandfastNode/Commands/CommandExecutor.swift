internal import Handfast
internal import HandfastEncoding

/// Carries out commands on a node: the same for a running node, which gets them through its socket, and for a process
/// that opens the vault for one command.
///
/// Where the node is not running, a command that needs the network works itself: it makes one attempt to deliver, in
/// at most the time that the command allows, and says what still waits.
public struct CommandExecutor: Sendable {
    /// The node.
    public let node: Node
    /// Whether the node may deliver; otherwise only what reads can be asked for.
    private let delivers: Bool

    /// An executor on a node.
    public init(node: Node) {
        self.node = node
        delivers = true
    }

    /// An executor on a node whose vault another process has: it only reads.
    public init(reading node: Node) {
        self.node = node
        delivers = false
    }

    /// Carries out a command. Failures are answers, too.
    ///
    /// A ``Command/watch(after:relationship:)`` is answered by what is there; use ``replies(to:)`` to follow it.
    public func execute(_ command: Command) async -> CommandReply {
        do {
            return try await reply(to: command)
        } catch {
            return .failed(CommandFailure(error))
        }
    }

    /// Carries out a command that may have many answers: a watch never ends by itself, and a move tells how far it is.
    public func replies(to command: Command) -> AsyncStream<CommandReply> {
        AsyncStream { continuation in
            let task = Task {
                do {
                    switch command {
                    case .watch(let after, let name):
                        try await watch(after, name) { continuation.yield($0) }
                    case .move(let name, let relays, let wait):
                        let report = try await move(name, relays, wait) { continuation.yield(.moving($0)) }
                        continuation.yield(.moved(report))
                    default:
                        continuation.yield(try await reply(to: command))
                    }
                } catch {
                    continuation.yield(.failed(CommandFailure(error)))
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func watch(
        _ after: Int64?, _ name: String?, _ tell: @escaping @Sendable (CommandReply) -> Void
    ) async throws {
        let relationship = try await name.asyncMap { try await node.find($0).description }
        let follow: @Sendable () async throws -> Void = {
            for try await event in node.events(following: after ?? node.lastEvent)
            where relationship == nil || event.relationship == relationship {
                tell(.events([event]))
            }
        }
        if node.isRunning || !delivers { return try await follow() }
        try await node.deliver {
            try await node.exchange.startAll()
            try await follow()
        }
    }

    // MARK: Commands

    private func reply(to command: Command) async throws -> CommandReply {
        switch command {
        case .invite(let label, let relay, let wait):
            let made = try await node.invite(label: label, at: try relay.map { try node.ownRelay(named: $0) })
            let isPublished = try await attempt(wait) { try await node.isPublished(made.invitation) }
            var report = InvitationReport(
                uri: made.invitation.uri, label: label, signer: made.invitation.signer.description,
                expires: made.expires.seconds, isPublished: isPublished)
            if !isPublished {
                report.notice =
                    "nobody can accept it yet: the own relay does not have its bundles"
                    + reason(await node.troubleOfOwnRelay())
            } else if try await node.strangers().reception.isPaused {
                report.notice = "nobody can accept it before `handfast resume --strangers`"
            }
            return .invitation(report)
        case .accept(let uri, let label, let asksDomain, let wait):
            let id = try await node.accept(uri, label: label, asksDomain: asksDomain)
            return try await settled(id, wait)
        case .list:
            return .relationships(try await node.relationships())
        case .show(let name):
            return .relationship(try await node.relationship(try await node.find(name)))
        case .send(let name, let messages, let key, let wait):
            let id = try await node.find(name)
            var report = try await node.send(messages, to: id, idempotencyKey: key)
            _ = try await attempt(wait, for: id) { try await !node.relationship(id).isRejoining }
            // It may have turned out only now that the vault was an older copy.
            guard try await node.keeper.stands(report, of: id) else { throw NodeError.voided }
            report.waiting = try await node.waiting(in: id)
            let relationship = try await node.relationship(id)
            if relationship.isRejoining {
                report.notice = relationship.trouble
            } else if report.waiting > 0 {
                report.notice = try await waitingNotice(id, report.waiting)
            }
            return .sent(report)
        case .broadcast(let names, let message, let key, let wait):
            var ids: [RelationshipID] = []
            for name in names { ids.append(try await node.find(name)) }
            let targets = ids
            var report = try await node.broadcast(message, to: targets, idempotencyKey: key)
            _ = try await attempt(wait, for: targets)
            report.waiting = try await node.undelivered()
            if report.waiting > 0 {
                report.notice =
                    "in \(report.waiting) relationship\(report.waiting == 1 ? "" : "s") something is not delivered yet; a "
                    + "running node (`handfast node run`) keeps trying"
            }
            return .broadcast(report)
        case .attach(let name, let file, let key):
            let id = try await node.find(name)
            var report = try await node.attach(file, to: id, idempotencyKey: key)
            report.waiting = try await node.waiting(in: id)
            return .sent(report)
        case .attachments(let name):
            return .attachments(try await node.attachments(of: try await node.find(name)))
        case .acceptAttachment(let name, let sequence):
            let id = try await node.find(name)
            try await node.acceptAttachment(sequence, in: id)
            return .attachments([try await node.attachment(sequence, from: .peer, in: id)])
        case .cancelAttachment(let name, let sender, let sequence):
            let id = try await node.find(name)
            try await node.cancelAttachment(sequence, from: sender, in: id)
            return .attachments([try await node.attachment(sequence, from: sender, in: id)])
        case .deleteAttachment(let name, let sequence):
            let id = try await node.find(name)
            try await node.deleteAttachment(sequence, in: id)
            return .attachments([try await node.attachment(sequence, from: .peer, in: id)])
        case .saveAttachment(let name, let sender, let sequence, let path):
            let id = try await node.find(name)
            try await node.saveAttachment(sequence, from: sender, in: id, to: path)
            return .attachments([try await node.attachment(sequence, from: sender, in: id)])
        case .followAttachment(let name, let sender, let sequence, let wait):
            let id = try await node.find(name)
            return .attachments([try await follow(sequence, from: sender, in: id, wait: wait)])
        case .read(let name, let sender, let after, let limit, let wait):
            return .entries(try await read(name, sender, after, limit, wait))
        case .events(let after, let limit):
            return .events(try await node.events(after: after, limit: limit))
        case .watch(let after, let name):
            let id = try await name.asyncMap { try await node.find($0).description }
            let events = try await node.events(after: after ?? node.lastEvent)
            return .events(events.filter { id == nil || $0.relationship == id })
        case .rotate(let name, let wait):
            let id = try await node.find(name)
            try await node.rotate(id)
            return try await settled(id, wait)
        case .rotatePublic(let wait):
            return .publicIdentity(try await rotatePublic(wait))
        case .rejoin(let name, let wait):
            let id = try await node.find(name)
            try await node.rejoin(id)
            return try await rejoined(id, wait)
        case .move(let name, let relays, let wait):
            return .moved(try await move(name, relays, wait) { _ in })
        case .giveUpOldRelays(let name):
            return .moved(try await giveUpOldRelays(name))
        case .end(let name, let reason, let wait):
            let id = try await node.find(name)
            try await node.end(id, reason: reason)
            return try await settled(id, wait)
        case .receive(let name, let change, let wait):
            let id = try await node.find(name)
            try await node.change(change, of: id)
            return try await told(id, wait)
        case .strangers:
            return .strangers(try await node.strangers())
        case .receiveStrangers(let change, let wait):
            return .strangers(try await receiveStrangers(change, wait))
        case .blockStrangers(let wait):
            return .strangers(try await blockStrangers(wait))
        case .block(let name, let wait):
            let id = try await node.find(name)
            try await node.block(id)
            return try await told(id, wait)
        case .exportLedger(let name):
            return .ledger(try await node.exportLedger(try await node.find(name)).encoded())
        case .revocations(let name):
            let id = try await name.asyncMap { try await node.find($0) }
            return .revocations(try await node.revocations(of: id))
        case .claim(let command, let wait):
            return try await reply(to: command, wait: wait)
        case .credential(let command):
            return try await reply(to: command)
        case .anonymous(let command):
            return try await reply(to: command)
        case .issuer(let command):
            return try await reply(to: command)
        case .backup(let path, let passphrase):
            return .backup(try await node.backUp(to: path, passphrase: passphrase))
        case .recovery(let action):
            return .recovery(try await recovery(action))
        case .doctor:
            return .findings(try await node.doctor())
        case .status:
            return .status(try await node.status())
        case .keyLog:
            guard let log = try await node.publicIdentity() else {
                throw NodeError.badData(
                    "this vault holds no public identity; `handfast init --public DOMAIN` makes one in a new vault")
            }
            return .keyLog(log.encoded())
        }
    }

    private func read(
        _ name: String, _ sender: EntryReport.Sender?, _ after: UInt64, _ limit: Int, _ wait: UInt32
    ) async throws -> [EntryReport] {
        let id = try await node.find(name)
        _ = try await attempt(wait, for: id)
        let senders: [EntryReport.Sender] = sender.map { [$0] } ?? [.own, .peer]
        var entries: [EntryReport] = []
        for sender in senders {
            entries += try await node.entries(of: id, sender: sender, after: after, limit: limit)
        }
        // Two clocks: the order between the two sides is a help for the eye, no more.
        return senders.count == 1
            ? entries : entries.sorted { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
    }

    private func follow(
        _ sequence: UInt64, from sender: EntryReport.Sender, in id: RelationshipID, wait: UInt32
    ) async throws -> AttachmentReport {
        let watch: @Sendable () async throws -> AttachmentReport = {
            var last = try await node.attachment(sequence, from: sender, in: id)
            var moved = ContinuousClock.now
            while true {
                let report = try await node.attachment(sequence, from: sender, in: id)
                if report != last { (last, moved) = (report, .now) }
                // What ended is told to the peer before this process ends.
                if !report.isOpen, node.isRunningForGood { return report }
                if !report.isOpen, await node.exchange.isSettled(id) { return report }
                guard moved.duration(to: .now) < .seconds(wait) else { return report }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        if node.isRunning { return try await watch() }
        return try await node.deliver {
            try await node.exchange.start([id])
            return try await watch()
        }
    }

    private func recovery(_ action: RecoveryAction) async throws -> RecoveryReport {
        switch action {
        case .status: try await node.recovery()
        case .begin(let name, let promises): try await node.keep(promises, ofRoot: name, isNew: true)
        case .refill(let name, let promises): try await node.keep(promises, ofRoot: name, isNew: false)
        case .adopt(let limit): try await node.adoptIntoRecovery(limit: limit)
        case .rotate(let name, let keys): try await node.rotate(revealing: keys, ofRoot: name)
        }
    }

    private func rotatePublic(_ wait: UInt32) async throws -> PublicIdentityReport {
        let (log, told) = try await node.rotatePublicIdentity()
        let isDone = try await attempt(wait) {
            guard try await node.undelivered() == 0 else { return false }
            return try await node.hasPublishedBundles(of: log)
        }
        var report = PublicIdentityReport(
            identity: log.id.description, domain: log.domain, keyEvents: log.events.count, keyLog: log.encoded(),
            told: told, waiting: try await node.undelivered())
        if !isDone {
            report.notice =
                "not everything is delivered, or published at the own relay, yet"
                + reason(await node.troubleOfOwnRelay()) + "; a running node (`handfast node run`) keeps trying"
        }
        return report
    }
}

extension Optional {
    /// As `map`, for what takes its time.
    func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        switch self {
        case .some(let value): try await transform(value)
        case .none: nil
        }
    }
}
