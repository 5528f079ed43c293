internal import Handfast
internal import HandfastCrypto
internal import HandfastRelay
internal import HandfastStore

/// Receives for one service: attaches at the own relay, keeps its queues and bundles there as they should be, and
/// commits what comes before it acknowledges.
///
/// - Source: Spec/07, subscribe and ack
actor ServiceSession {
    nonisolated let key: VerificationKey
    nonisolated let relay: RelayAddress
    private let seed: [UInt8]
    private let keeper: Keeper
    private let steward: Steward
    private let settings: NodeConfiguration.Delivery
    private let didChange: @Sendable () -> Void
    private let upkeepDue = Signal()
    private let reopeningDue = Signal()
    /// How far the queues are opened again at a relay that lost them; nil where that is done.
    private var reopening: KeptService.Reopening?
    /// How often the relay was taken back while this session received.
    private var losses = 0
    /// Everything up to it is committed.
    private var cursor: UInt64
    /// Everything up to it was delivered to this session or acknowledged before it.
    private var delivered: UInt64 = 0
    /// The last position that the relay had given out when this session attached.
    private var lastAtAttach: UInt64?
    private var client: RelayClient?
    private var isStopped = false
    /// Queues that are closed and being left, and the last position that can be one of theirs.
    private var leaving: (queues: [QueueID], last: UInt64)?
    /// The last position that the relay is known to have given out.
    private var lastKnown: UInt64 = 0
    /// Since when there is no connection by which something is received; nil while there is one.
    private var disconnectedSince: Timestamp?
    /// What is being opened and committed, in order of position. The next batch is opened while the one before is
    /// committed.
    private var receiving: [Receiving] = []
    private let receivingBegan = Signal()
    private let receivingEnded = Signal()
    /// What the batch that was begun last comes to, since this session attached.
    private var latest: OperationResult<Keeper.Received>?
    /// Everything up to it was given to the keeper.
    private var begun: UInt64 = 0
    private var admitted: Set<Knock> = []
    /// Why the relay does not take all that it should have of this service; nil where it has it.
    private var shortage: RelayRefusal?
    private let shortageShown = Signal()

    /// Deliveries that are being opened and committed.
    private struct Receiving {
        let last: UInt64
        let result: OperationResult<Keeper.Received>
    }

    /// So many batches are opened and committed at once: one is opened while the other is committed.
    private static let mostReceiving = 2

    /// Why the last attempt to reach the relay failed; `nil` once it is reached.
    private(set) var trouble: String?
    /// How many attempts have failed.
    private(set) var failures = 0

    init(
        _ stored: StoredService, _ kept: KeptService, keeper: Keeper, steward: Steward,
        settings: NodeConfiguration.Delivery,
        didChange: @escaping @Sendable () -> Void
    ) throws(NodeError) {
        key = stored.key
        cursor = stored.cursor
        do {
            relay = try RelayAddress(text: kept.relay)
        } catch {
            throw .channel(error)
        }
        seed = kept.seed
        reopening = kept.reopening
        self.keeper = keeper
        self.steward = steward
        self.settings = settings
        self.didChange = didChange
        disconnectedSince = keeper.time.now()
    }

    /// Whether the relay knows the service and all its queues, bundles and knocks.
    var isReady: Bool { client != nil && shortage == nil }

    /// Whether everything that was at the relay when this session attached is received.
    var isCaughtUp: Bool { lastAtAttach.map { delivered >= $0 } ?? false }

    /// How many positions the relay was ahead of what is committed here when it told last.
    var behind: UInt64 {
        let received = max(cursor, delivered)
        return lastKnown > received ? lastKnown - received : 0
    }

    /// How far this session has come.
    var standing: ReceivingReport {
        ReceivingReport(
            relay: relay.place, isConnected: disconnectedSince == nil, disconnectedSince: disconnectedSince?.seconds,
            behind: behind, trouble: trouble)
    }

    /// Looks after queues and bundles again, because they changed.
    nonisolated func tend() {
        upkeepDue.raise()
    }

    /// Whether the relay lets this knock through and has the bundles.
    func hasAdmitted(_ knock: Knock) -> Bool { admitted.contains(knock) }

    // MARK: Running

    /// Keeps a connection until the task is cancelled or the service is closed.
    func run() async {
        var backoff = Backoff(first: settings.firstPause, longest: settings.longestPause)
        while !Task.isCancelled, !isStopped {
            do {
                let client = try await keeper.network.connect(to: relay)
                do {
                    try await serve(client) { backoff.succeeded() }
                    await client.shutDown()
                } catch {
                    self.client = nil
                    await client.shutDown()
                    throw error
                }
            } catch {
                failures += 1
                disconnectedSince = disconnectedSince ?? keeper.time.now()
                if !Task.isCancelled { trouble = NodeError(error).description }
                didChange()
                if isStopped { return }
                var random = keeper.network.jitter
                try? await keeper.time.pause(backoff.next(using: &random))
            }
        }
    }

    private func serve(_ client: RelayClient, attached: () -> Void) async throws {
        let standing = try await attach(client)
        if standing.acknowledged > cursor {
            // More was acknowledged than this vault remembers: it was taken back to an older state.
            try await keeper.ownStoreWentBack(
                behind: standing.acknowledged, of: key, isOfAnother: lastAtAttach != nil)
            cursor = standing.acknowledged
        } else if standing.last < cursor {
            // The relay was taken back: it gives positions out again that stood for other messages.
            try await keeper.relayWentBack(to: standing.acknowledged, of: key)
            reopening = .init(rejoins: true)
            cursor = standing.acknowledged
        } else if standing.acknowledged == 0 {
            // The relay may have lost its store for the second time, which nothing tells.
            reopening = .init(rejoins: reopening?.rejoins ?? false)
        }
        // A few are opened before anything is received. A vendor with a million does not wait for all of them.
        try await reopenSome(by: client)
        if let reopening { try await keeper.note(reopening, of: key) }
        try await tend(client)
        // What was committed and not acknowledged comes again. Where it is not the same, the relay was taken back, and
        // it has been given other messages since.
        let deliveries = try await client.subscribe(after: standing.acknowledged)
        delivered = standing.acknowledged
        begun = standing.acknowledged
        latest = nil
        self.client = client
        lastAtAttach = standing.last
        lastKnown = standing.last
        disconnectedSince = nil
        trouble = shortage?.description
        attached()
        didChange()
        do {
            try await runTasks(deliveries, client)
        } catch {
            await endReceiving()
            throw error
        }
        await endReceiving()
        self.client = nil
        disconnectedSince = keeper.time.now()
    }

    private func runTasks(_ deliveries: RelayDeliveries, _ client: RelayClient) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // While a batch is committed, the next gathers: the more there is, the fewer commits a message costs.
                for try await batch in deliveries { try await self.receive(batch, by: client) }
            }
            group.addTask { try await self.keepAcknowledging(by: client) }
            group.addTask { try await self.keepTending(client) }
            group.addTask { try await self.keepReopening() }
            group.addTask { try await self.keepAskingForRoom() }
            group.addTask { try await self.watch(client) }
            group.addTask { [time = keeper.time, upkeepDue] in
                // New bundles are due daily; looking every hour keeps eight days of them published.
                while true {
                    try await time.pause(.seconds(3_600))
                    upkeepDue.raise()
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func attach(_ client: RelayClient) async throws -> (acknowledged: UInt64, last: UInt64) {
        let seed = seed
        let signingKey = try SigningKey(seed: SecretBytes(copying: seed.bytes))
        return try await client.attach(signingKey)
    }

    // MARK: Receiving

    private func receive(_ batch: [Delivery], by client: RelayClient) async throws {
        guard let first = batch.first?.position, let last = batch.last?.position else { return }
        let knockQueues = try await keeper.knockQueues(among: Set(batch.lazy.map(\.queue)))
        // What may be known already, and who knocks, is looked at when all before it is committed.
        let isAlone = first <= cursor || !knockQueues.isEmpty
        try await untilReceiving(isAlone ? 0 : Self.mostReceiving - 1)
        var openings: [UInt64: [OwnQueue]] = [:]
        for delivery in batch where delivery.position > begun && knockQueues.contains(delivery.queue) {
            let queues = try await steward.opening(for: delivery, of: key, at: relay)
            if !queues.isEmpty { openings[delivery.position] = queues }
        }
        if !openings.isEmpty {
            // Open before the welcome is stored: who reads it may put at once. Where the relay opens no more, what came
            // from others does not wait for that: the queue is opened when it can be, and its sender asks until then.
            let queues = openings.values.compactMap(\.first).map {
                QueueOpening(id: $0.id, kind: .send(capability: $0.capability.digest))
            }
            if try await !opens(queues, by: client) {
                for position in openings.keys { openings[position]?[0].isTended = true }
            }
        }
        let result = await keeper.receive(
            batch, by: key, after: begun, committed: cursor, openings: openings, following: latest)
        latest = result
        begun = max(begun, last)
        receiving.append(Receiving(last: last, result: result))
        receivingBegan.raise()
        if isAlone { try await untilReceiving(0) }
    }

    /// Waits until no more than so many batches are being opened and committed.
    private func untilReceiving(_ count: Int) async throws {
        while receiving.count > count {
            await receivingEnded.wait()
            try Task.checkCancellation()
        }
    }

    private func keepAcknowledging(by client: RelayClient) async throws {
        while !Task.isCancelled {
            await receivingBegan.wait()
            while let next = receiving.first {
                try await finish(next)
                try await client.acknowledge(through: delivered)
                try await leaveWhatIsEmpty()
                didChange()
            }
        }
    }

    /// Waits until a batch is committed. It can be acknowledged then.
    private func finish(_ next: Receiving) async throws {
        let received = try await next.result.value
        if received.relayWentBack {
            losses += 1
            reopening = .init(rejoins: true)
            try await keeper.relayWentBack(to: next.last, of: key)
            reopeningDue.raise()
        }
        delivered = max(delivered, next.last)
        cursor = received.relayWentBack ? next.last : max(cursor, next.last)
        receiving.removeFirst()
        receivingEnded.raise()
        if received.needsUpkeep { upkeepDue.raise() }
    }

    /// Learns how far what was begun has come, once no more is begun: it is not acknowledged and comes again.
    private func endReceiving() async {
        do {
            while let next = receiving.first { try await finish(next) }
        } catch {
            // Nothing of it stands, nor of what follows it; why, whoever serves has been told or finds out anew.
            receiving = []
        }
    }

    // MARK: Leaving

    /// Closes queues that the peers use no more. They are forgotten once all is received that came before.
    private func empty(_ queues: [QueueID], by client: RelayClient) async throws {
        do {
            try await client.close(queues)
        } catch RelayError.refused(.refused) {
            // The relay has lost its store, and with it what the queues held.
            return try await keeper.left(queues, isLost: true)
        }
        let last = try await attach(client).last
        leaving = (queues, last)
        try await leaveWhatIsEmpty()
    }

    private func leaveWhatIsEmpty() async throws {
        guard let leaving, max(cursor, delivered) >= leaving.last else { return }
        self.leaving = nil
        try await keeper.left(leaving.queues)
        didChange()
    }

    // MARK: Opening

    /// Opens queues of which some may have been closed by a later state of this vault; those stay as they are.
    ///
    /// - Returns: those that the relay does not open now.
    private func openAll(_ queues: [QueueOpening], by client: RelayClient) async throws -> Set<QueueID> {
        if try await opensUnlessClosed(queues, by: client) { return [] }
        var missing: Set<QueueID> = []
        for queue in queues {
            let isOpen = try await opensUnlessClosed([queue], by: client)
            if !isOpen { missing.insert(queue.id) }
        }
        return missing
    }

    /// Whether there is nothing left to open; one that was closed stays closed.
    private func opensUnlessClosed(_ queues: [QueueOpening], by client: RelayClient) async throws -> Bool {
        do {
            return try await opens(queues, by: client)
        } catch RelayError.refused(.closed) {
            return queues.count == 1
        }
    }

    /// Receives no more: its queues were left or given up.
    func retire() {
        isStopped = true
        upkeepDue.raise()
    }

    // MARK: Watching

    /// Asks the relay again and again how far it has come. A subscription that delivers nothing of what is there is dead,
    /// however alive its connection looks: it is begun anew, after what was committed.
    private func watch(_ client: RelayClient) async throws {
        var last: (delivered: UInt64, behind: UInt64) = (delivered, 0)
        while true {
            try await keeper.time.pause(settings.watchPause)
            let standing = try await attach(client)
            lastKnown = standing.last
            if behind > 0, last.behind > 0, delivered == last.delivered, receiving.isEmpty {
                throw NodeError.unavailable(
                    "the own relay holds \(behind) messages and delivers none: the subscription is begun anew")
            }
            last = (delivered, behind)
            didChange()
        }
    }

    // MARK: Upkeep

    /// Opens queues again beside reception, by a connection of its own: a relay lets one connection open so many a minute,
    /// and new queues do not wait for old ones.
    private func keepReopening() async throws {
        while !Task.isCancelled {
            if reopening == nil { await reopeningDue.wait() }
            try Task.checkCancellation()
            guard reopening != nil else { continue }
            let client = try await keeper.network.connect(to: relay)
            do {
                try await reopenAll(by: client)
                await client.shutDown()
            } catch {
                await client.shutDown()
                throw error
            }
        }
    }

    private func reopenAll(by client: RelayClient) async throws {
        _ = try await attach(client)
        while reopening != nil {
            if try await !reopenSome(by: client) { try await keeper.time.pause(Self.openingPause) }
        }
    }

    /// A relay that has opened enough for now is asked again after this time.
    private static let openingPause = Duration.seconds(15)
    /// Queues of so many relationships are opened again at once.
    private static let reopenedAtOnce = 250

    /// Opens the queues of the next relationships, which a relay that lost its store does not know any more, and begins
    /// their channels anew where it was taken back.
    ///
    /// - Returns: whether the relay opened them; it opens so many a minute.
    @discardableResult
    private func reopenSome(by client: RelayClient) async throws -> Bool {
        guard let now = reopening else { return true }
        let lossesBefore = losses
        let page = try await keeper.relationships(after: now.after, limit: Self.reopenedAtOnce) ?? []
        let (openings, policies) = try await steward.openings(of: key, in: page)
        guard try await opens(openings, by: client) else { return false }
        if !policies.isEmpty { try await client.setPolicies(policies) }
        if now.rejoins, let last = page.last {
            try await keeper.rejoinAll(
                of: key, because: .queueWentBack, after: now.after, through: last.position)
        }
        // The relay may have been taken back again meanwhile.
        guard losses == lossesBefore else { return true }
        let isLast = page.count < Self.reopenedAtOnce
        reopening = isLast ? nil : .init(after: page.last?.position ?? now.after, rejoins: now.rejoins)
        try await keeper.note(reopening, of: key)
        return true
    }

    private func opens(_ openings: [QueueOpening], by client: RelayClient) async throws -> Bool {
        do {
            if !openings.isEmpty { try await client.open(openings) }
            return true
        } catch RelayError.refused(let refusal) where refusal.isForNow {
            show(refusal)
            return false
        }
    }

    /// The relay has no room, or no time, for something of this service: everything else goes on meanwhile.
    private func show(_ refusal: RelayRefusal) {
        shortage = refusal
        trouble = refusal.description
        shortageShown.raise()
        didChange()
    }

    private func keepAskingForRoom() async throws {
        while !Task.isCancelled {
            if shortage == nil { await shortageShown.wait() }
            try Task.checkCancellation()
            var random = keeper.network.jitter
            try await keeper.time.pause(Self.openingPause * Int.random(in: 500...1_000, using: &random) / 500)
            upkeepDue.raise()
        }
    }

    private func keepTending(_ client: RelayClient) async throws {
        while !Task.isCancelled {
            await upkeepDue.wait()
            try Task.checkCancellation()
            if isStopped { return }
            try await tend(client)
        }
    }

    /// Brings queues, admitted knocks and bundles at the relay to what the vault says.
    private func tend(_ client: RelayClient) async throws {
        let plan = try await steward.plan(for: key)
        shortage = nil
        var missing = try await openAll(plan.openings, by: client)
        missing.formUnion(try await openAll(plan.renewals, by: client))
        let renewed = plan.renewals.map(\.id).filter { !missing.contains($0) }
        if !renewed.isEmpty { try await keeper.begunAnew(renewed) }
        try await keeper.opened(plan.awaited.filter { !missing.contains($0) })
        let policies = plan.policies.filter { !missing.contains($0.id) }
        if !policies.isEmpty {
            try await client.setPolicies(policies)
            try await keeper.told(policies)
            didChange()
        }
        if let knockQueue = plan.knockQueue, !missing.contains(knockQueue) {
            try await answerKnocks(in: knockQueue, as: plan, by: client)
        }
        if !plan.leavings.isEmpty { try await empty(plan.leavings, by: client) }
        if !plan.closings.isEmpty {
            try await client.close(plan.closings)
            try await steward.closed(plan.closings, of: key)
            didChange()
            if plan.endsService { isStopped = true }
        }
        if shortage == nil, self.client != nil { trouble = nil }
    }

    private func answerKnocks(in queue: QueueID, as plan: Steward.Plan, by client: RelayClient) async throws {
        do {
            try await client.admit(plan.knocks, to: queue)
            if !plan.bundles.isEmpty { try await client.publish(plan.bundles, beside: queue) }
            admitted = Set(plan.knocks)
            didChange()
        } catch RelayError.refused(let refusal) where refusal.isForNow {
            show(refusal)
        }
    }
}

extension RelayRefusal {
    /// Whether the same may be done later, and everything else meanwhile.
    fileprivate var isForNow: Bool { [.busy, .limit, .serviceFull, .relayFull].contains(self) }
}
