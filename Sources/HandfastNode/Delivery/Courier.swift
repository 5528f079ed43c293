internal import Handfast
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastRelay
internal import HandfastStore

/// Brings the envelopes of one service's relationships to one peer relay, over one connection at a time.
///
/// A relationship's envelopes are put in order, at most one put under way for each; what is sealed meanwhile goes with
/// the next. Services do not share connections, so that a relay does not see which relationships belong together.
///
/// - Source: Spec/07, put
actor Courier {
    /// Where a relationship's envelopes go.
    struct Destination: Hashable, Sendable {
        /// The peer's queue.
        let queue: QueueID
        /// Leave to put there.
        let capability: SendCapability
    }

    private struct Line {
        let destination: Destination
        /// Tells the answers to its puts from those to a line that it took the place of.
        let serial: Int
        /// Whether the peer has other addresses.
        let hasOthers: Bool
        var lane: OutboxLane
        var pausedUntil: ContinuousClock.Instant?
        /// Pauses while the relay does not know the queue.
        var refusals: Backoff
        var wasRefused = false
        /// Pauses while the peer has paused the queue, or takes nothing as large.
        var pauses: Backoff
        /// Why the queue takes nothing for now.
        var hold: PeerHold?
        /// How many envelopes expired there unread.
        var expired: UInt64

        /// Whether there is something to do by itself at some time.
        var hasWork: Bool { (!lane.isEmpty || lane.asksAnyway) && lane.stop == nil }
    }

    private struct Knocking {
        let queue: QueueID
        let knock: Knock
        let hello: [UInt8]
        var backoff: Backoff
        /// Pauses while the relay does not let the ticket through.
        var refusals: Backoff
        var due: ContinuousClock.Instant
        var wasHeard = false
        var wasRefused = false
        var isUnderWay = false
    }

    /// When a relay is asked again whether it still has a rejoin of ours.
    private struct Recheck {
        var due: ContinuousClock.Instant
        var backoff: Backoff
    }

    /// One put of several lanes and how to read its answer.
    private struct Request: Sendable {
        var ids: [RelationshipID] = []
        var serials: [Int] = []
        var isProbe: [Bool] = []
        var items: [PutItem] = []
        var bytes = 0
    }

    nonisolated let relay: RelayAddress
    private let keeper: Keeper
    private let settings: NodeConfiguration.Delivery
    private let allows: @Sendable (NetworkAddress) -> Bool
    private let didChange: @Sendable () -> Void
    /// Told of relationships whose envelopes cannot leave here.
    private let giveUp: @Sendable ([RelationshipID]) -> Void
    private var time: RelayNetwork.Time { keeper.network.time }
    private let signal = Signal()
    private let confirmed = Signal()
    private var lines: [RelationshipID: Line] = [:]
    private var knocks: [RelationshipID: Knocking] = [:]
    private var active: Set<RelationshipID> = []
    /// Relationships in which a rejoin of ours is at the relay and waits for its answer.
    private var rechecks: [RelationshipID: Recheck] = [:]
    private var underWay = 0
    private var confirmations: [RelationshipID: OutboxConfirmation] = [:]
    private var backoff: Backoff
    private var serial = 0
    /// Since when the relay cannot be reached.
    private var unreachableSince: ContinuousClock.Instant?
    /// Why the last attempt to reach the relay failed; `nil` once it is reached.
    private(set) var trouble: String?
    /// How many attempts have ended, well or not.
    private(set) var attempts = 0

    /// The most bytes of envelopes in one put; a frame has at most 1 MiB.
    private static let putBytes = 900 << 10
    /// The longest pause before a relay is asked again for a rejoin.
    private static let longestRecheck = Duration.seconds(3_600)
    /// A queue that is paused or throttled is asked again after this time at the latest: its owner may have changed its
    /// mind.
    private static let longestHold = Duration.seconds(900)
    /// A full queue is asked again after this time at the latest, and half of it at the earliest.
    private static let fullPause = Duration.seconds(30)
    /// A connection without work is closed after this time.
    private static let idle = Duration.seconds(20)

    init(
        to relay: RelayAddress, keeper: Keeper, settings: NodeConfiguration.Delivery,
        allows: @escaping @Sendable (NetworkAddress) -> Bool,
        didChange: @escaping @Sendable () -> Void, giveUp: @escaping @Sendable ([RelationshipID]) -> Void
    ) {
        self.giveUp = giveUp
        self.relay = relay
        self.allows = allows
        self.didChange = didChange
        self.keeper = keeper
        self.settings = settings
        backoff = Backoff(first: settings.firstPause, longest: settings.longestPause)
    }

    // MARK: Work

    /// Whether the relationship is looked after here.
    func knows(_ id: RelationshipID) -> Bool { lines[id] != nil }

    /// Looks after the outbox of a relationship from now on.
    ///
    /// - Parameters:
    ///   - reception: what is known of the peer's queue.
    ///   - hasOthers: whether the peer has other addresses.
    func add(
        _ id: RelationshipID, to destination: Destination, _ lane: OutboxLane, _ reception: Reception,
        hasOthers: Bool
    ) {
        guard lines[id] == nil else { return }
        var lane = lane
        if isConnected { lane.connected() }
        serial += 1
        lines[id] = Line(
            destination: destination, serial: serial, hasOthers: hasOthers, lane: lane,
            refusals: Backoff(first: settings.firstPause, longest: settings.longestPause),
            pauses: Backoff(first: settings.firstPause, longest: Self.longestHold), hold: reception.hold,
            expired: reception.unread)
        active.insert(id)
        signal.raise()
    }

    /// Why the peer's queue takes nothing for now; `nil` when it does.
    func hold(of id: RelationshipID) -> PeerHold? { lines[id]?.hold }

    /// Asks a queue that takes nothing for now again at once: its owner has spoken, and may have changed its mind.
    func askAgain(_ id: RelationshipID) {
        guard let line = lines[id], line.hold != nil, line.pausedUntil != nil else { return }
        lines[id]?.pausedUntil = nil
        active.insert(id)
        signal.raise()
    }

    /// Envelopes were committed to the outbox of a relationship that is looked after here.
    func append(_ items: [OutboxItem], of id: RelationshipID) {
        guard let queue = lines[id]?.destination.queue else { return }
        lines[id]?.lane.appended(items.filter { $0.queue == queue }.map { OutboxLane.Item($0) })
        active.insert(id)
        signal.raise()
    }

    /// Knocks with a hello until ``forget(_:)``.
    func knock(_ id: RelationshipID, queue: QueueID, knock: Knock, hello: [UInt8]) {
        guard knocks[id] == nil else { return }
        knocks[id] = Knocking(
            queue: queue, knock: knock, hello: hello,
            backoff: Backoff(first: settings.knockPause, longest: .seconds(3_600)),
            refusals: Backoff(first: settings.firstPause, longest: settings.longestPause), due: time.now())
        signal.raise()
    }

    /// The welcome came, the relationship ended, or its queue is begun anew.
    func forget(_ id: RelationshipID) {
        knocks[id] = nil
        lines[id] = nil
        confirmations[id] = nil
        rechecks[id] = nil
    }

    /// Whether the relay has stored the relationship's hello.
    func wasHeard(_ id: RelationshipID) -> Bool { knocks[id]?.wasHeard ?? false }

    // MARK: Connection

    private var isConnected = false
    /// Why the present connection is given up.
    private var failure: NodeError?

    /// Works until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.storeConfirmations() }
            group.addTask { await self.connectWhenNeeded() }
        }
    }

    private func connectWhenNeeded() async {
        while !Task.isCancelled {
            recheck()
            guard hasWork else {
                if let due = nextDue { await signal.wait(until: due, by: time) } else { await signal.wait() }
                continue
            }
            do {
                let client = try await keeper.network.connect(to: relay, allows: allows)
                trouble = nil
                unreachableSince = nil
                backoff.succeeded()
                do {
                    try await deliver(by: client)
                    await client.shutDown()
                } catch {
                    await client.shutDown()
                    throw error
                }
            } catch {
                attempts += 1
                if !Task.isCancelled { trouble = describe(error) }
                disconnected(hasFailed: true)
                didChange()
                let since = unreachableSince ?? time.now()
                unreachableSince = since
                if since.duration(to: time.now()) >= settings.failOverPause {
                    giveUp(lines.filter { $0.value.hasOthers && $0.value.hasWork }.map(\.key))
                }
                var random = keeper.network.jitter
                try? await time.pause(backoff.next(using: &random))
            }
        }
    }

    /// What went wrong, and with which relay.
    private func describe(_ error: any Error) -> String {
        let text = NodeError(error).description
        return text.contains(relay.host) ? text : "\(relay.host):\(relay.port): \(text)"
    }

    private var hasWork: Bool {
        if knocks.values.contains(where: { $0.due <= time.now() }) { return true }
        return lines.values.contains { $0.hasWork && $0.pausedUntil.map { $0 <= time.now() } ?? true }
    }

    /// When there is work by the passing of time alone; `nil` if never.
    private var nextDue: ContinuousClock.Instant? {
        (knocks.values.map(\.due) + rechecks.values.map(\.due)
            + lines.values.filter(\.hasWork).compactMap(\.pausedUntil)).min()
    }

    /// When a connection that stands has work, or none any more, by the passing of time alone; `nil` while an answer is
    /// waited for and nothing pauses.
    private func nextDueHere(idleAt idle: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let now = time.now()
        let dues =
            knocks.values.filter { !$0.isUnderWay }.map(\.due) + rechecks.values.map(\.due)
            + active.compactMap { lines[$0]?.pausedUntil }.filter { $0 > now } + (underWay == 0 ? [idle] : [])
        return dues.min()
    }

    private func disconnected(hasFailed: Bool) {
        isConnected = false
        underWay = 0
        for id in lines.keys { lines[id]?.lane.disconnected(hasFailed: hasFailed) }
        for id in knocks.keys { knocks[id]?.isUnderWay = false }
    }

    private func deliver(by client: RelayClient) async throws {
        isConnected = true
        for id in Array(lines.keys) {
            lines[id]?.lane.connected()
            active.insert(id)
        }
        failure = nil
        await withDiscardingTaskGroup { group in
            var lastWork = time.now()
            while !Task.isCancelled, failure == nil {
                recheck()
                while underWay < settings.window, let request = await nextRequest() {
                    underWay += 1
                    lastWork = time.now()
                    group.addTask { await self.noting { try await self.put(request, by: client) } }
                }
                for (id, knocking) in knocks where knocking.due <= time.now() && !knocking.isUnderWay {
                    knocks[id]?.isUnderWay = true
                    lastWork = time.now()
                    group.addTask { await self.noting { try await self.knock(id, knocking, by: client) } }
                }
                if underWay == 0, lastWork.duration(to: time.now()) >= Self.idle { break }
                if let due = nextDueHere(idleAt: lastWork + Self.idle) {
                    await signal.wait(until: due, by: time)
                } else {
                    await signal.wait()
                }
            }
            group.cancelAll()
        }
        if let failure { throw failure }
        disconnected(hasFailed: false)
    }

    /// Ends the connection when a part of the work on it fails.
    private func noting(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            failure = failure ?? NodeError(error)
            signal.raise()
        }
    }

    // MARK: Puts

    private func nextRequest() async -> Request? {
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

    private func put(_ request: Request, by client: RelayClient) async throws {
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
    private func recheck() {
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
            case .throttled: min(.seconds(max(1, wait)), Self.longestHold)
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
    private func storeConfirmations() async {
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

    // MARK: Knocks

    private func knock(_ id: RelationshipID, _ knocking: Knocking, by client: RelayClient) async throws {
        var isRefused = false
        do {
            try await client.knock(knocking.knock, at: knocking.queue, hello: knocking.hello)
            knocks[id]?.wasHeard = true
        } catch RelayError.refused(.busy), RelayError.refused(.limit) {
            // Too many strangers at once, no room, or a pause: the ticket counts later.
            isRefused = true
        } catch RelayError.refused(.refused) where !knocking.wasHeard,
            RelayError.refused(.closed) where !knocking.wasHeard
        {
            isRefused = true
            try await refused(id)
        } catch RelayError.refused(.refused), RelayError.refused(.closed) {
            // The relay stopped admitting a ticket that it took before: the inviter has answered, or will not.
        }
        guard var again = knocks[id] else { return }
        var random = keeper.network.jitter
        again.due = time.now() + (isRefused ? again.refusals.next(using: &random) : again.backoff.next(using: &random))
        again.isUnderWay = false
        if !isRefused, again.wasRefused {
            again.wasRefused = false
            trouble = nil
        }
        knocks[id] = again
        attempts += 1
        signal.raise()
        didChange()
    }

    /// The relay does not let the ticket through: not yet, where the inviter's node has not told it, or not any more.
    private func refused(_ id: RelationshipID) async throws {
        trouble = DeliveryStop.notAdmitted
        let isFirst = knocks[id]?.wasRefused == false
        knocks[id]?.wasRefused = true
        if try await keeper.giveUpKnock(id, isFirst: isFirst) { knocks[id] = nil }
    }
}

extension OutboxLane.Item {
    /// The item of a store's row.
    init(_ item: OutboxItem) {
        self.init(number: item.number, envelope: item.envelope, digest: item.chain)
    }
}
