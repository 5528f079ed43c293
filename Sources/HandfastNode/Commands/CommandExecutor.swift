internal import Handfast
internal import HandfastEncoding
public import HandfastStore

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
            let id = try await name.asyncMap { try await node.find($0) }
            _ = try await node.giveUpOldRelays(of: id)
            return .moved(try await node.progress(of: MoveReport(), id))
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
            try await node.changeStrangers(change)
            return .strangers(try await toldOfStrangers(node.strangers(), wait) { try await node.hasToldOfStrangers() })
        case .blockStrangers(let wait):
            let (report, queues) = try await node.blockStrangers()
            return .strangers(try await toldOfStrangers(report, wait) { try await node.haveClosed(queues) })
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

    // MARK: Attempts

    private func settled(_ id: RelationshipID, _ wait: UInt32) async throws -> CommandReply {
        _ = try await attempt(wait, for: id)
        var report = try await node.relationship(id)
        if report.waiting > 0 { report.notice = try await waitingNotice(id, report.waiting) }
        return .relationship(report)
    }

    private func toldOfStrangers(
        _ report: StrangersReport, _ wait: UInt32, until isTold: @escaping @Sendable () async throws -> Bool
    ) async throws -> StrangersReport {
        var report = report
        let isDone = try await attempt(wait, until: isTold)
        report.reception = try await node.strangers().reception
        if !isDone {
            report.notice =
                "the own relay does not know it yet" + reason(await node.troubleOfOwnRelay())
                + "; a running node (`handfast node run`) keeps telling it"
        }
        return report
    }

    /// - Parameter tell: told whenever something of the move has been done, at most ten times a second.
    private func move(
        _ name: String?, _ relays: [String], _ wait: UInt32, _ tell: @escaping @Sendable (MoveReport) -> Void
    ) async throws -> MoveReport {
        let id = try await name.asyncMap { try await node.find($0) }
        let addresses = try relays.map { try RelayAddress(text: $0) }
        let begun =
            if addresses.isEmpty, let id { try await node.renewQueues(of: id) } else {
                try await node.move(id, to: addresses)
            }
        if wait > 0 {
            _ = try await attempt(wait, starting: { try await node.exchange.startAll() }) {
                try await followMove(begun, id, tell)
            }
        }
        var report = try await node.progress(of: begun, id)
        var parts: [String] = []
        if report.untold > 0 {
            parts.append("\(report.untold) other side\(report.untold == 1 ? " is" : "s are") still to be told")
        }
        if report.unfinished > 0 {
            parts.append(
                "\(report.unfinished) \(report.unfinished == 1 ? "was" : "were") told and not heard of at the new place "
                    + "yet, so that both are listened to")
        }
        if !parts.isEmpty {
            report.notice =
                parts.joined(separator: ", ") + reason(await node.troubleOfOwnRelay())
                + "; a running node (`handfast node run`) goes on with it by itself"
        }
        return report
    }

    /// Waits until a move has ended.
    ///
    /// - Returns: true then, and nil where it will not end now.
    private func followMove(
        _ begun: MoveReport, _ id: RelationshipID?, _ tell: @Sendable (MoveReport) -> Void
    ) async throws -> Bool? {
        var last: MoveReport?
        while true {
            let start = ContinuousClock.now
            let report = try await node.progress(of: begun, id)
            guard report.isUnderWay else { return true }
            if report != last { tell(report) }
            last = report
            if !node.isRunningForGood, await node.troubleOfOwnRelay() != nil { return nil }
            // Each look is at all that move, however many they are.
            try await Task.sleep(for: max(.milliseconds(100), start.duration(to: .now) * 4))
        }
    }

    private func told(_ id: RelationshipID, _ wait: UInt32) async throws -> CommandReply {
        let isTold = try await attempt(wait, starting: { try await node.exchange.start([id]) }) {
            if try await node.hasToldRelay(id) { return true }
            if !node.isRunningForGood, await node.troubleOfOwnRelay() != nil { return nil }
            return false
        }
        var report = try await node.relationship(id)
        if !isTold {
            report.notice =
                "the own relay does not know it yet" + reason(await node.troubleOfOwnRelay())
                + "; a running node (`handfast node run`) keeps telling it"
        }
        return .relationship(report)
    }

    private func rejoined(_ id: RelationshipID, _ wait: UInt32) async throws -> CommandReply {
        _ = try await attempt(wait, for: id) { try await !node.relationship(id).isRejoining }
        var report = try await node.relationship(id)
        if report.isRejoining {
            report.notice =
                "the other side has not answered yet\(reason(await node.exchange.trouble(of: id))); a running node "
                + "(`handfast node run`) takes the answer when it comes"
        }
        return .relationship(report)
    }

    func waitingNotice(_ id: RelationshipID, _ waiting: Int) async throws -> String {
        let report = try await node.relationship(id)
        if report.state == "greeted", await node.exchange.wasHeard(id) {
            return "the inviter's relay has your answer; the inviter has not been online since"
        }
        return "\(waiting) envelope\(waiting == 1 ? "" : "s") not delivered yet"
            + reason(await node.exchange.trouble(of: id)) + "; a running node (`handfast node run`) keeps trying"
    }

    private func reason(_ trouble: String?) -> String {
        trouble.map { ": \($0)" } ?? ""
    }

    func attempt(
        _ wait: UInt32, for id: RelationshipID, and isDone: @escaping @Sendable () async throws -> Bool = { true }
    ) async throws -> Bool {
        try await attempt(wait, starting: { try await node.exchange.start([id]) }) {
            if await node.exchange.isSettled(id), try await isDone() { return true }
            // In a process of one command, one failed attempt is enough to know.
            if !node.isRunningForGood, await node.exchange.trouble(of: id) != nil { return nil }
            return false
        }
    }

    private func attempt(_ wait: UInt32, for ids: [RelationshipID]) async throws -> Bool {
        // All that waits leaves with it: the other groups of a large broadcast, too.
        try await attempt(wait, starting: { try await node.exchange.startAll() }) {
            var isDone: Bool? = true
            for id in ids where !(await node.exchange.isSettled(id)) {
                isDone = false
                if !node.isRunningForGood, await node.exchange.trouble(of: id) != nil { return nil }
            }
            return isDone
        }
    }

    private func attempt(_ wait: UInt32, until isDone: @escaping @Sendable () async throws -> Bool) async throws -> Bool
    {
        try await attempt(wait, starting: { try await node.exchange.startAll() }) {
            if try await isDone() { return true }
            if !node.isRunningForGood, await node.troubleOfOwnRelay() != nil { return nil }
            return false
        }
    }

    /// Delivers until `isDone` says true, or nil for never, or the time is over.
    private func attempt(
        _ wait: UInt32, starting start: @escaping @Sendable () async throws -> Void,
        until isDone: @escaping @Sendable () async throws -> Bool?
    ) async throws -> Bool {
        guard wait > 0 else { return try await isDone() ?? false }
        let poll: @Sendable () async throws -> Bool = {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        switch try await isDone() {
                        case true?: return true
                        case nil: return false
                        case false?: await node.exchange.change()
                        }
                    }
                    return false
                }
                group.addTask {
                    try? await Task.sleep(for: .seconds(wait))
                    return false
                }
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
        }
        if node.isRunning { return try await poll() }
        return try await node.deliver {
            try await start()
            return try await poll()
        }
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

extension CommandFailure {
    /// What a script and a person learn of an error.
    public init(_ error: any Error) {
        if let failure = error as? CommandFailure {
            self = failure
            return
        }
        let error = NodeError(error)
        self.init(error.kind, error.description)
    }
}

extension BackupFault {
    /// The kind of failure that this is for a script.
    public var kind: CommandFailure.Kind {
        switch self {
        case .file: .cannotCreate
        case .needsPassphrase: .usage
        case .wrongPassphrase: .notPermitted
        case .busy: .tryAgain
        case .notABackup, .newerVersion, .anotherVault, .damaged, .unfinished: .badData
        }
    }
}

extension NodeError {
    /// The kind of failure that this is for a script.
    var kind: CommandFailure.Kind {
        switch self {
        case .badData, .malformedFile, .channel, .domain, .issuer, .wallet, .credential: .badData
        case .unknownRelationship, .ambiguousRelationship: .usage
        case .unavailable, .relay, .domainUnasked, .issuerUnasked: .unavailable
        case .interrupted: .tryAgain
        case .store(.locked), .store(.full): .tryAgain
        case .store(.wrongPassphrase), .store(.keyFilePermissions), .store(.keyFile): .notPermitted
        case .store(.alreadyExists), .file: .cannotCreate
        case .store(.backup(_, let fault)): fault.kind
        case .notConfigured, .stopped, .damaged, .relationship, .store: .failed
        }
    }
}
