internal import Handfast
internal import HandfastRelay
internal import HandfastStore

/// Puts: what goes together, what the answers teach, and what follows from it.
extension Courier {
    /// One put of several lanes and how to read its answer.
    struct Request: Sendable {
        var ids: [RelationshipID] = []
        var serials: [Int] = []
        var isProbe: [Bool] = []
        var items: [PutItem] = []
        var bytes = 0
    }

    /// The most bytes of envelopes in one put; a frame has at most 1 MiB.
    private static let putBytes = 900 << 10
    /// The longest pause before a relay is asked again for a rejoin.
    private static let longestRecheck = Duration.seconds(3_600)
    /// A full queue is asked again after this time at the latest, and half of it at the earliest.
    private static let fullPause = Duration.seconds(30)

    /// What can leave now, of as many relationships as one put takes; nil when nothing can.
    func nextRequest() async -> Request? {
        var request = Request()
        for id in active {
            guard request.items.count < settings.batch, request.bytes < Self.putBytes else { break }
            guard var line = lines[id] else {
                active.remove(id)
                continue
            }
            if let until = line.pausedUntil, until > time.now() { continue }
            if line.lane.next == .load {
                do {
                    try await load(id, line)
                } catch {
                    failure = NodeError(error)
                    return nil
                }
                // Another lane that took its place meanwhile has raised the signal.
                guard let loaded = lines[id], loaded.serial == line.serial else { continue }
                line = loaded
            }
            var envelopes: [[UInt8]] = []
            switch line.lane.next {
            case .rest, .load:
                active.remove(id)
                continue
            case .probe:
                line.lane.probing()
                request.isProbe.append(true)
            case .put:
                let taken = line.lane.take(envelopes: settings.batch, bytes: Self.putBytes - request.bytes)
                guard let first = taken.first else { continue }
                envelopes = taken.map(\.envelope)
                request.bytes += envelopes.reduce(0) { $0 + $1.count }
                request.isProbe.append(false)
                request.items.append(
                    PutItem(
                        queue: line.destination.queue, capability: line.destination.capability, first: first.number,
                        envelopes: envelopes))
            }
            if envelopes.isEmpty {
                request.items.append(
                    PutItem(
                        queue: line.destination.queue, capability: line.destination.capability,
                        first: line.lane.confirmed, envelopes: []))
            }
            request.ids.append(id)
            request.serials.append(line.serial)
            lines[id] = line
            active.remove(id)
        }
        return request.items.isEmpty ? nil : request
    }

    /// Loads what waits in the store, also where the lane before this one, at another courier, has stored its last
    /// confirmation since this one began.
    private func load(_ id: RelationshipID, _ line: Line) async throws(NodeError) {
        var isBehind = true
        while isBehind {
            let items = try await unconfirmed(of: id, line)
            guard lines[id]?.serial == line.serial else { return }
            lines[id]?.lane.load(items)
            guard lines[id]?.lane.next == .load, let head = try await head(of: id, line),
                lines[id]?.serial == line.serial
            else { return }
            isBehind = lines[id]?.lane.overtaken(confirmed: head.confirmed, digest: head.confirmedChain) ?? false
        }
    }

    private func unconfirmed(of id: RelationshipID, _ line: Line) async throws(NodeError) -> [OutboxLane.Item] {
        do {
            let items = try await keeper.store.outbox(
                of: id, queue: line.destination.queue, from: line.lane.confirmed, limit: OutboxLane.bufferLimit)
            return items.map { OutboxLane.Item($0) }
        } catch {
            throw .store(error)
        }
    }

    private func head(of id: RelationshipID, _ line: Line) async throws(NodeError) -> OutboxHead? {
        do {
            return try await keeper.store.outboxHeads(of: id).first { $0.queue == line.destination.queue }
        } catch {
            throw .store(error)
        }
    }

    /// Puts it, and learns from the answers.
    func put(_ request: Request, by client: RelayClient) async throws {
        let results = try await client.put(request.items)
        underWay -= 1
        for (index, result) in results.enumerated() where index < request.ids.count {
            let id = request.ids[index]
            guard lines[id]?.serial == request.serials[index] else { continue }
            for lesson in learn(result, wasProbe: request.isProbe[index], of: id) {
                try await act(on: lesson, of: id, wait: result.wait)
            }
            try await note(result, wasProbe: request.isProbe[index], of: id)
            active.insert(id)
            noteRecheck(of: id)
        }
        attempts += 1
        signal.raise()
    }

    /// Begins to ask again, or ends it, as the relay's answer leaves the lane.
    private func noteRecheck(of id: RelationshipID) {
        guard lines[id]?.lane.awaitsAnswer == true else {
            rechecks[id] = nil
            return
        }
        guard rechecks[id] == nil else { return }
        var backoff = Backoff(first: settings.knockPause, longest: Self.longestRecheck)
        var random = keeper.network.jitter
        rechecks[id] = Recheck(due: time.now() + backoff.next(using: &random), backoff: backoff)
    }

    /// Asks where a rejoin has waited for a while: a relay that has lost it since says so only when it is asked.
    func recheck() {
        var random = keeper.network.jitter
        for (id, recheck) in rechecks where recheck.due <= time.now() {
            var next = recheck
            next.due = time.now() + next.backoff.next(using: &random)
            rechecks[id] = next
            lines[id]?.lane.askAgain()
            active.insert(id)
        }
    }

    private func learn(_ result: PutResult, wasProbe: Bool, of id: RelationshipID) -> [OutboxLane.Lesson] {
        guard var lane = lines[id]?.lane else { return [] }
        defer { lines[id]?.lane = lane }
        switch result.status {
        case .ok where !wasProbe: return [lane.stored(next: result.next, digest: result.digest)]
        // A probe asks with a number that may be behind; its answer says what the queue has.
        case .ok, .behind, .gap: return [lane.probed(next: result.next, digest: result.digest)]
        case .full: return [lane.held(.full)]
        case .throttled where !wasProbe: return [lane.held(.throttled, room: result.room)]
        case .throttled, .paused:
            // Who waits compares all the same: a store that was taken back shows now, not once the queue is open again.
            let lesson = lane.probed(next: result.next, digest: result.digest)
            if case .diverged = lesson { return [lesson] }
            return [lesson, lane.held(result.status == .paused ? .paused : .throttled, room: result.room)]
        case .refused: return [lane.refused()]
        case .closed: return [lane.stopped(.closed)]
        case .tooLarge: return [lane.held(.tooLarge)]
        }
    }

    private func act(on lesson: OutboxLane.Lesson, of id: RelationshipID, wait: Int) async throws {
        guard let queue = lines[id]?.destination.queue else { return }
        switch lesson {
        case .nothing:
            break
        case .held(let hold):
            self.hold(id, hold, wait: wait)
        case .refused:
            try await pause(id)
        case .confirmed(let below):
            lines[id]?.pauses.succeeded()
            if lines[id]?.wasRefused == true {
                lines[id]?.wasRefused = false
                lines[id]?.refusals.succeeded()
                trouble = nil
            }
            confirmations[id] = OutboxConfirmation(relationship: id, queue: queue, through: below - 1)
            confirmed.raise()
        case .diverged(let divergence):
            // The commit makes another lane take over.
            try await keeper.adopt(divergence, of: queue, in: id)
        case .stopped(let stop):
            lines[id] = nil
            try await keeper.stop(id, stop, of: queue)
        }
    }

    /// Waits before the relay is asked again; other relationships do not wait for this one.
    private func hold(_ id: RelationshipID, _ hold: PeerHold, wait: Int) {
        guard var line = lines[id] else { return }
        var random = keeper.network.jitter
        let pause: Duration =
            switch hold {
            case .full: Self.fullPause * Int.random(in: 500...1000, using: &random) / 1000
            // No earlier than the relay says, and not all at the same moment.
            case .throttled:
                min(.seconds(max(1, wait)), Self.longestHold) * Int.random(in: 1000...1250, using: &random) / 1000
            case .paused, .tooLarge: line.pauses.next(using: &random)
            }
        line.pausedUntil = time.now() + pause
        lines[id] = line
    }

    /// Keeps what the relay tells of the peer's queue. A rate counts until everything has left, and what did not fit until
    /// something was stored: a probe, which has no size, does not tell.
    private func note(_ result: PutResult, wasProbe: Bool, of id: RelationshipID) async throws {
        guard let line = lines[id] else { return }
        let hold: PeerHold? =
            switch (result.status, line.hold) {
            case (.full, _): .full
            case (.throttled, _): .throttled
            case (.paused, _): .paused
            case (.tooLarge, _): .tooLarge
            case (_, .throttled?): line.lane.isEmpty ? nil : .throttled
            case (_, .full?), (_, .tooLarge?): wasProbe && !line.lane.isEmpty ? line.hold : nil
            case (_, .paused?), (_, nil): nil
            }
        guard hold != line.hold || result.expired > line.expired else { return }
        lines[id]?.hold = hold
        lines[id]?.expired = max(line.expired, result.expired)
        try await keeper.note(hold, expired: result.expired, of: id)
        didChange()
    }

    /// Waits before the relay is asked again; whoever lost its store opens its queues again when it attaches.
    private func pause(_ id: RelationshipID) async throws {
        guard var line = lines[id] else { return }
        trouble =
            "the peer's relay does not know the peer's queue: it has lost its store, or the peer gave the queue up"
        var random = keeper.network.jitter
        line.pausedUntil = time.now() + line.refusals.next(using: &random)
        let isFirst = !line.wasRefused
        line.wasRefused = true
        lines[id] = line
        if line.hasOthers { giveUp([id]) }
        if isFirst, try await keeper.giveUpOrTell(id, trouble ?? "") { lines[id] = nil }
    }

    /// Stores what is confirmed, beside delivery and not in its way.
    func storeConfirmations() async {
        var retry = Backoff(first: settings.firstPause, longest: settings.longestPause)
        while !Task.isCancelled {
            await confirmed.wait()
            let batch = confirmations
            confirmations.removeAll()
            guard !batch.isEmpty else { continue }
            do {
                try await keeper.confirm(Array(batch.values))
                retry.succeeded()
            } catch {
                // What an adoption took back meanwhile is confirmed no more.
                let standing = batch.filter { id, old in (lines[id]?.lane.confirmed ?? 0) > old.through }
                confirmations.merge(standing) { newer, _ in newer }
                var random = keeper.network.jitter
                try? await time.pause(retry.next(using: &random))
                confirmed.raise()
            }
        }
    }
}

extension OutboxLane.Item {
    /// The item of a store's row.
    init(_ item: OutboxItem) {
        self.init(number: item.number, envelope: item.envelope, digest: item.chain)
    }
}
