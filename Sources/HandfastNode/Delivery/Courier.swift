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

    /// What a relationship has to put, and how its queue has taken it.
    struct Line {
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
    struct Recheck {
        var due: ContinuousClock.Instant
        var backoff: Backoff
    }

    nonisolated let relay: RelayAddress
    let keeper: Keeper
    let settings: NodeConfiguration.Delivery
    private let allows: @Sendable (NetworkAddress) -> Bool
    let didChange: @Sendable () -> Void
    /// Told of relationships whose envelopes cannot leave here.
    let giveUp: @Sendable ([RelationshipID]) -> Void
    var time: RelayNetwork.Time { keeper.network.time }
    let signal = Signal()
    let confirmed = Signal()
    var lines: [RelationshipID: Line] = [:]
    private var knocks: [RelationshipID: Knocking] = [:]
    /// Relationships to look at for the next put.
    var active: Set<RelationshipID> = []
    /// Relationships in which a rejoin of ours is at the relay and waits for its answer.
    var rechecks: [RelationshipID: Recheck] = [:]
    /// How many puts wait for their answer.
    var underWay = 0
    /// What the store is still to be told.
    var confirmations: [RelationshipID: OutboxConfirmation] = [:]
    private var backoff: Backoff
    private var serial = 0
    /// Since when the relay cannot be reached.
    private var unreachableSince: ContinuousClock.Instant?
    /// Why the last attempt to reach the relay failed; `nil` once it is reached.
    var trouble: String?
    /// How many attempts have ended, well or not.
    var attempts = 0

    /// A queue that is paused or throttled is asked again after this time at the latest: its owner may have changed its
    /// mind.
    static let longestHold = Duration.seconds(900)
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
    var failure: NodeError?

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
