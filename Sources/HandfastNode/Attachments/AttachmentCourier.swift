internal import Handfast
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
    /// When the peer is reminded of an attachment of ours that it has not asked for, or not to the end.
    private var reminders: [TransferKey: Reminder] = [:]

    private struct Reminder {
        var due: ContinuousClock.Instant
        var patience: Duration
    }

    /// The most attachments that are received at a time.
    private static let takenAtOnce = 32
    /// The most chunks in one commit: a MiB.
    private static let batch: UInt64 = 16
    /// The most envelopes of a relationship that may wait for its relay before chunks wait, too.
    private static let mostWaiting: UInt64 = 48
    private static let firstReminder = Duration.seconds(60)
    private static let longestPause = Duration.seconds(86_400)

    init(keeper: Keeper, desk: AttachmentDesk, didChange: @escaping @Sendable () -> Void) {
        self.keeper = keeper
        self.desk = desk
        self.didChange = didChange
    }

    // MARK: Running

    /// Works until the task is cancelled.
    func run() async {
        (waiting, taking, giving, reminders) = ([], [:], [], [:])
        while !Task.isCancelled {
            do {
                try await load()
                break
            } catch {
                try? await keeper.time.pause(.seconds(1))
            }
        }
        await withDiscardingTaskGroup { group in
            group.addTask { [board = desk.board] in
                while (try? await Task.sleep(for: .milliseconds(500))) != nil { board.signal.raise() }
            }
            while !Task.isCancelled {
                for job in desk.board.take() { await carryOut(job, &group) }
                await lookAfterStalled()
                startTaking(&group)
                if await !giveToNext() { await desk.board.signal.wait() }
            }
            group.cancelAll()
        }
        for key in taking.values { await desk.incoming.forget(key) }
    }

    /// Finds what is open, and removes files that no open transfer needs.
    private func load() async throws {
        var needed: Set<String> = []
        var after: Int64 = 0
        while true {
            let page = try await keeper.store.openTransfers(after: after, limit: 1_000)
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
            group.addTask { await self.finish(key) }
        case .give(let key):
            if !giving.contains(key) { giving.append(key) }
            remind(of: key)
        case .forget(let key, let path):
            await desk.incoming.forget(key)
            desk.folder.release(key)
            waiting.removeAll { $0 == key }
            giving.removeAll { $0 == key }
            reminders[key] = nil
            if taking[key.relationship] == key { taking[key.relationship] = nil }
            if let path { AttachmentFile.remove(path) }
            didChange()
        case .ended(let id):
            for key in Set(waiting + giving + taking.values + reminders.keys) where key.relationship == id {
                await giveUp(key, "the relationship ended")
            }
        case .epoch(let id):
            if let key = taking[id] { await carryOut(.takeAgain(key), &group) }
            for key in reminders.keys where key.relationship == id { reminders[key]?.due = .now }
        }
    }

    // MARK: Receiving

    private func startTaking(_ group: inout DiscardingTaskGroup) {
        var left: [TransferKey] = []
        for key in waiting {
            if taking.count < Self.takenAtOnce, taking[key.relationship] == nil {
                taking[key.relationship] = key
                group.addTask { await self.open(key) }
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
            else {
                if taking[key.relationship] == key { taking[key.relationship] = nil }
                return
            }
            let step = try await desk.incoming.open(key, attachment, round: kept.round, until: kept.until)
            await follow(step, key)
        } catch .file(let path, let reason) {
            await follow(.pause("\(path): \(reason)"), key)
        } catch {
            // The vault cannot be read now; tried again in a while.
            taking[key.relationship] = nil
            try? await keeper.time.pause(.seconds(1))
            desk.board.post(.take(key))
        }
    }

    private func follow(_ step: IncomingAttachments.Step, _ key: TransferKey) async {
        if case .rest = step { return }
        try? await keeper.perform { keeper, draft in
            let relationship = try await keeper.load(key.relationship)
            try await keeper.follow(step, key, in: relationship, draft)
        }
    }

    private func lookAfterStalled() async {
        for (key, step) in await desk.incoming.stalled() { await follow(step, key) }
        // Who does not move leaves its place to those that wait.
        if !waiting.isEmpty {
            for key in await desk.incoming.idle(for: .seconds(60))
            where taking.count >= Self.takenAtOnce || waiting.contains(where: { $0.relationship == key.relationship }) {
                await desk.incoming.forget(key)
                taking[key.relationship] = nil
                waiting.append(key)
            }
        }
        for (key, reminder) in reminders where reminder.due <= .now {
            reminders[key] = Reminder(
                due: .now + reminder.patience, patience: min(reminder.patience * 2, Self.longestPause))
            try? await keeper.perform { keeper, draft in
                guard try await keeper.transfer(key)?.stage == .giving else { return }
                keeper.say(.offer(record: key.sequence), in: try await keeper.load(key.relationship), draft)
            }
        }
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
        } catch .file(let path, let reason) {
            await follow(.pause("\(path): \(reason)"), key)
        } catch {
            // Once more from what is on the disk.
            if taking[key.relationship] == key { taking[key.relationship] = nil }
            try? await keeper.time.pause(.seconds(1))
            desk.board.post(.take(key))
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

    /// Sends some chunks of the next attachment in turn, and says whether there is more to do at once.
    private func giveToNext() async -> Bool {
        for _ in giving.indices {
            guard !giving.isEmpty else { return false }
            let key = giving.removeFirst()
            do {
                switch try await give(key) {
                case .rest: continue
                case .more:
                    giving.append(key)
                    return true
                case .later: giving.append(key)
                }
            } catch .file(let path, let reason) {
                await giveUp(key, "\(path): \(reason)")
            } catch {
                giving.append(key)
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
        try? await keeper.perform { keeper, draft in
            let relationship = try await keeper.load(key.relationship)
            if try await keeper.transfer(key)?.stage == .giving {
                try await keeper.end(key, from: .giving, as: .failed, reason: reason, in: relationship, draft)
                keeper.say(.gone(record: key.sequence), in: relationship, draft)
            } else {
                try await keeper.end(key, from: .taking, as: .gone, reason: reason, in: relationship, draft)
            }
        }
    }
}
