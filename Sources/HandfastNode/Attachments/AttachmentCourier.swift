internal import Handfast
internal import HandfastRelay
internal import HandfastStore

/// Brings attachments across: opens what is to be received, makes durable what is complete, and sends what was asked
/// for, a few chunks at a time and no faster than the relay takes them.
///
/// It holds nothing that a crash may not take: what is due stands in the vault's rows.
///
/// - Source: Spec/09 §9.4
actor AttachmentCourier {
    private let keeper: Keeper
    private let desk: AttachmentDesk
    private let didChange: @Sendable () -> Void
    /// To be received, not open yet.
    private var waiting: [TransferKey] = []
    /// Being received: one of each relationship at a time, so that two files do not halve each other's pace.
    private var taking: [RelationshipID: TransferKey] = [:]
    /// With chunks to send, in turn.
    private var giving: [TransferKey] = []
    /// With chunks to send once the relay has taken what waits.
    private var blocked: [RelationshipID: [TransferKey]] = [:]
    /// When the peer is reminded of an attachment of ours that it has not asked for, or not to the end.
    private var reminders: [TransferKey: Reminder] = [:]

    /// What failed for now and is tried again, until it goes well.
    private var troubles: [TransferKey: Trouble] = [:]
    /// Why nothing can be done for any attachment; nil when all is well.
    private var trouble: String?

    private struct Reminder {
        var due: ContinuousClock.Instant
        var patience: Duration
    }

    private struct Trouble {
        let attempt: Attempt
        let reason: String
        var backoff: Backoff
        /// When it is tried again; nil while it is.
        var due: ContinuousClock.Instant?
    }

    private enum Attempt {
        case take, give, offer
        case giveUp(String)
    }

    /// The most attachments that are received at a time.
    private static let takenAtOnce = 32
    /// The most chunks in one commit: a MiB.
    private static let batch: UInt64 = 16
    /// The most envelopes of a relationship that may wait for its relay before chunks wait, too.
    private static let mostWaiting: UInt64 = 48
    private static let firstReminder = Duration.seconds(60)
    private static let longestPause = Duration.seconds(86_400)
    /// Who does not move for so long leaves its place to those that wait.
    private static let idle = Duration.seconds(60)

    init(keeper: Keeper, desk: AttachmentDesk, didChange: @escaping @Sendable () -> Void) {
        self.keeper = keeper
        self.desk = desk
        self.didChange = didChange
    }

    // MARK: Running

    /// Works until the task is cancelled.
    func run() async {
        (waiting, taking, giving, blocked, reminders, troubles) = ([], [:], [], [:], [:], [:])
        await loadWhenPossible()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for job in desk.board.take() { await carryOut(job, &group) }
                await tryAgain(&group)
                await lookAfterStalled()
                startTaking(&group)
                if await giveToNext() { continue }
                if let due = await nextDue() {
                    await desk.board.signal.wait(until: due, by: keeper.network.time)
                } else {
                    await desk.board.signal.wait()
                }
            }
            group.cancelAll()
        }
        for key in taking.values { await desk.incoming.forget(key) }
    }

    /// When something is due by the passing of time alone; nil if nothing is.
    func nextDue() async -> ContinuousClock.Instant? {
        var dues = reminders.values.map(\.due) + troubles.values.compactMap(\.due)
        if let stall = await desk.incoming.nextStall { dues.append(stall) }
        dues += await places().values
        return dues.min()
    }

    private func loadWhenPossible() async {
        var backoff = Backoff(first: .seconds(1), longest: .seconds(60))
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do throws(NodeError) {
                try await load()
                trouble = nil
                return
            } catch {
                trouble = error.description
                try? await keeper.time.pause(backoff.next(using: &random))
            }
        }
    }

    /// Finds what is open, and removes files that no open transfer needs.
    private func load() async throws(NodeError) {
        (waiting, giving, reminders) = ([], [], [:])
        var needed: Set<String> = []
        var after: Int64 = 0
        while true {
            let page: [StoredTransfer]
            do {
                page = try await keeper.store.openTransfers(after: after, limit: 1_000)
            } catch {
                throw .store(error)
            }
            for stored in page {
                after = stored.position
                guard let attachment = try await keeper.attachment(stored.key),
                    let relationship = try await keeper.kept(stored.key.relationship)?.relationship
                else { continue }
                if relationship.state == .ended { desk.board.post(.ended(relationship.id)) }
                switch try Row.decode(KeptTransfer.self, stored.bytes).stage {
                case .taking:
                    needed.insert(desk.folder.partial(stored.key, attachment))
                    waiting.append(stored.key)
                case .giving:
                    needed.insert(desk.folder.outgoing(attachment))
                    giving.append(stored.key)
                    remind(of: stored.key)
                default: break
                }
            }
            guard page.count == 1_000 else { break }
        }
        desk.folder.sweep(keeping: needed)
    }

    private func carryOut(_ job: AttachmentBoard.Job, _ group: inout DiscardingTaskGroup) async {
        switch job {
        case .take(let key):
            if !waiting.contains(key), taking[key.relationship] != key { waiting.append(key) }
        case .takeAgain(let key):
            if await desk.incoming.isOpen(key) {
                let step = await desk.incoming.again(key)
                await follow(step, key)
            } else if !waiting.contains(key) {
                waiting.append(key)
            }
        case .finish(let key):
            work(&group) { await self.finish(key) }
        case .give(let key):
            give(again: key)
            remind(of: key)
        case .forget(let key, let path):
            await desk.incoming.forget(key)
            desk.folder.release(key)
            waiting.removeAll { $0 == key }
            giving.removeAll { $0 == key }
            blocked[key.relationship]?.removeAll { $0 == key }
            reminders[key] = nil
            troubles[key] = nil
            leavePlace(key)
            if let path { AttachmentFile.remove(path) }
            didChange()
        case .ended(let id):
            let keys = waiting + giving + (blocked[id] ?? []) + taking.values + reminders.keys
            for key in Set(keys) where key.relationship == id { await giveUp(key, "the relationship ended") }
        case .epoch(let id):
            if let key = taking[id] { await carryOut(.takeAgain(key), &group) }
            for key in reminders.keys where key.relationship == id { reminders[key]?.due = .now }
        case .confirmed(let ids):
            for id in ids { giving += blocked.removeValue(forKey: id) ?? [] }
        }
    }

    // MARK: What fails for now

    /// Why an attachment does not move although it should; nil when all is well.
    func trouble(of key: TransferKey) -> String? { troubles[key]?.reason ?? trouble }

    /// Tries again after a pause.
    private func failed(_ key: TransferKey, _ attempt: Attempt, _ error: NodeError) {
        var backoff = troubles[key]?.backoff ?? Backoff(first: .seconds(1), longest: .seconds(300))
        var random = SystemRandomNumberGenerator()
        let due = ContinuousClock.now + backoff.next(using: &random)
        troubles[key] = Trouble(attempt: attempt, reason: error.description, backoff: backoff, due: due)
    }

    private func tryAgain(_ group: inout DiscardingTaskGroup) async {
        for (key, trouble) in troubles {
            guard let due = trouble.due, due <= .now else { continue }
            troubles[key]?.due = nil
            switch trouble.attempt {
            case .take: await carryOut(.takeAgain(key), &group)
            case .give: give(again: key)
            case .offer: await offer(key)
            case .giveUp(let reason): await giveUp(key, reason)
            }
        }
    }

    /// Does a part of the work beside the loop, which then looks for what came of it.
    private func work(_ group: inout DiscardingTaskGroup, _ body: @escaping @Sendable () async -> Void) {
        group.addTask { [signal = desk.board.signal] in
            await body()
            signal.raise()
        }
    }

    private func leavePlace(_ key: TransferKey) {
        if taking[key.relationship] == key { taking[key.relationship] = nil }
    }

    // MARK: Receiving

    private func startTaking(_ group: inout DiscardingTaskGroup) {
        var left: [TransferKey] = []
        for key in waiting {
            if taking.count < Self.takenAtOnce, taking[key.relationship] == nil {
                taking[key.relationship] = key
                work(&group) { await self.open(key) }
            } else {
                left.append(key)
            }
        }
        waiting = left
    }

    private func open(_ key: TransferKey) async {
        do {
            guard let kept = try await keeper.transfer(key), kept.stage == .taking,
                let attachment = try await keeper.attachment(key)
            else { return leavePlace(key) }
            let step = try await desk.incoming.open(key, attachment, round: kept.round, until: kept.until)
            await follow(step, key)
        } catch .file(let path, let reason) {
            await follow(.pause("\(path): \(reason)"), key)
        } catch {
            leavePlace(key)
            failed(key, .take, error)
        }
    }

    private func follow(_ step: IncomingAttachments.Step, _ key: TransferKey) async {
        do {
            if step != .rest {
                try await keeper.perform { keeper, draft in
                    let relationship = try await keeper.load(key.relationship)
                    try await keeper.follow(step, key, in: relationship, draft)
                }
            }
            troubles[key] = nil
        } catch {
            if await !desk.incoming.isOpen(key) { leavePlace(key) }
            failed(key, .take, error)
        }
    }

    private func lookAfterStalled() async {
        for (key, step) in await desk.incoming.stalled() { await follow(step, key) }
        for (key, end) in await places() where end <= .now {
            await desk.incoming.forget(key)
            leavePlace(key)
            waiting.append(key)
        }
        for (key, reminder) in reminders where reminder.due <= .now {
            reminders[key] = Reminder(
                due: .now + reminder.patience, patience: min(reminder.patience * 2, Self.longestPause))
            await offer(key)
        }
    }

    /// The places that others wait for, and when each is left if nothing more comes.
    private func places() async -> [TransferKey: ContinuousClock.Instant] {
        guard !waiting.isEmpty else { return [:] }
        let isFull = taking.count >= Self.takenAtOnce
        let wanted = Set(waiting.map(\.relationship))
        return await desk.incoming.lastChunks.filter { isFull || wanted.contains($0.key.relationship) }
            .mapValues { $0 + Self.idle }
    }

    /// Makes a complete file durable, and then says that it is here.
    private func finish(_ key: TransferKey) async {
        do {
            guard try await keeper.transfer(key)?.stage == .taking, let attachment = try await keeper.attachment(key)
            else { return }
            let target = desk.folder.received(key, attachment)
            var fault: String?
            if let closed = await desk.incoming.close(key) {
                fault = closed.fault
                if fault == nil { try await Self.publish(closed.file, as: target) }
            } else if !AttachmentFile.exists(target) {
                return
            }
            try await keeper.perform { [fault] keeper, draft in
                let relationship = try await keeper.load(key.relationship)
                if let fault { return try await keeper.follow(.fail(fault), key, in: relationship, draft) }
                try await keeper.end(key, from: .taking, as: .received, in: relationship, draft)
                keeper.say(.have(record: key.sequence), in: relationship, draft)
            }
            troubles[key] = nil
        } catch .file(let path, let reason) {
            await follow(.pause("\(path): \(reason)"), key)
        } catch {
            // Once more from what is on the disk.
            leavePlace(key)
            failed(key, .take, error)
        }
    }

    /// Flushing a large file takes its time; nobody waits for it here.
    private nonisolated static func publish(_ file: AttachmentFile, as target: String) async throws(NodeError) {
        try file.sync()
        try AttachmentFile.rename(file.path, to: target)
    }

    // MARK: Sending

    private func remind(of key: TransferKey) {
        reminders[key] = Reminder(due: .now + Self.firstReminder, patience: Self.firstReminder * 2)
    }

    private func offer(_ key: TransferKey) async {
        do {
            try await keeper.perform { keeper, draft in
                guard try await keeper.transfer(key)?.stage == .giving else { return }
                keeper.say(.offer(record: key.sequence), in: try await keeper.load(key.relationship), draft)
            }
            troubles[key] = nil
        } catch {
            failed(key, .offer, error)
        }
    }

    private func give(again key: TransferKey) {
        guard !giving.contains(key), blocked[key.relationship]?.contains(key) != true else { return }
        giving.append(key)
    }

    /// Sends some chunks of the next attachment in turn, and says whether there is more to do at once.
    private func giveToNext() async -> Bool {
        for _ in giving.indices {
            guard !giving.isEmpty else { return false }
            let key = giving.removeFirst()
            do {
                let given = try await give(key)
                troubles[key] = nil
                switch given {
                case .rest: continue
                case .more:
                    giving.append(key)
                    return true
                case .later: blocked[key.relationship, default: []].append(key)
                }
            } catch .file(let path, let reason) {
                await giveUp(key, "\(path): \(reason)")
            } catch {
                failed(key, .give, error)
            }
        }
        return false
    }

    private enum Given {
        /// Everything that was asked for is sent.
        case rest
        /// More can be sent now.
        case more
        /// More can be sent once the relay has taken what waits.
        case later
    }

    private func give(_ key: TransferKey) async throws(NodeError) -> Given {
        guard let kept = try await keeper.transfer(key), kept.stage == .giving,
            let attachment = try await keeper.attachment(key)
        else { return .rest }
        let end = min(kept.until, attachment.chunkCount)
        guard kept.sent < end else { return .rest }
        guard try await waiting(in: key.relationship) < Self.mostWaiting else { return .later }
        let file = try AttachmentFile(desk.folder.outgoing(attachment), for: .reading)
        var contents: [[UInt8]] = []
        let stop = min(end, kept.sent + Self.batch)
        for number in kept.sent..<stop {
            let size = attachment.sealedSize(ofChunk: number)
            let sealed = try file.read(size, at: attachment.offset(ofChunk: number))
            guard sealed.count == size else { throw .file(path: file.path, reason: "it was cut short") }
            let chunk = TransferMessage.chunk(
                record: key.sequence, round: kept.round, number: number, sealed: sealed)
            do {
                contents.append(try chunk.message().encoded())
            } catch {
                throw .relationship(error)
            }
        }
        let wasSealed = try await keeper.perform { [contents] keeper, draft in
            let relationship = try await keeper.load(key.relationship)
            guard var now = try await keeper.transfer(key), now.stage == .giving, now.round == kept.round,
                now.sent == kept.sent
            else { return true }
            guard keeper.canSay(in: relationship) else { return false }
            for content in contents { try keeper.seal(.ephemeral, content, in: relationship, draft) }
            now.sent = stop
            try keeper.keep(now, of: key, in: relationship, draft)
            return true
        }
        didChange()
        return wasSealed ? .more : .rest
    }

    private func waiting(in id: RelationshipID) async throws(NodeError) -> UInt64 {
        do {
            return try await keeper.store.outboxHeads(of: id).reduce(0) { $0 + $1.next - $1.confirmed }
        } catch {
            throw .store(error)
        }
    }

    /// Ends a transfer that cannot go on, whichever way it went.
    private func giveUp(_ key: TransferKey, _ reason: String) async {
        do {
            try await keeper.perform { keeper, draft in
                let relationship = try await keeper.load(key.relationship)
                if try await keeper.transfer(key)?.stage == .giving {
                    try await keeper.end(key, from: .giving, as: .failed, reason: reason, in: relationship, draft)
                    keeper.say(.gone(record: key.sequence), in: relationship, draft)
                } else {
                    try await keeper.end(key, from: .taking, as: .gone, reason: reason, in: relationship, draft)
                }
            }
            troubles[key] = nil
        } catch {
            failed(key, .giveUp(reason), error)
        }
    }
}
