internal import Handfast
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastRelay
internal import HandfastStore

/// Everything that a node does over the network: one session for each service, one courier for each pair of service
/// and peer relay.
actor Exchange {
    private struct Route: Hashable {
        let service: VerificationKey
        let relay: RelayAddress
    }

    private let keeper: Keeper
    private let steward: Steward
    private let settings: NodeConfiguration.Delivery
    private let ownServices: OwnServices?
    /// Whether relays of peers at this address are connected to.
    nonisolated let allows: @Sendable (NetworkAddress) -> Bool
    private var jobs: AsyncStream<@Sendable () async -> Void>
    private var addJob: AsyncStream<@Sendable () async -> Void>.Continuation
    private var sessions: [VerificationKey: ServiceSession] = [:]
    private var couriers: [Route: Courier] = [:]
    private var routes: [RelationshipID: Route] = [:]
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var isRunning = false

    init(
        keeper: Keeper, settings: NodeConfiguration.Delivery, ownServices: OwnServices?,
        allows: @escaping @Sendable (NetworkAddress) -> Bool
    ) {
        self.keeper = keeper
        steward = Steward(store: keeper.store, keeper: keeper)
        self.settings = settings
        self.ownServices = ownServices
        self.allows = allows
        (jobs, addJob) = AsyncStream.makeStream()
    }

    // MARK: Running

    /// Begins anew, without sessions and couriers; then ``run()`` does their work.
    func begin() {
        (jobs, addJob) = AsyncStream.makeStream()
        sessions = [:]
        couriers = [:]
        routes = [:]
        isRunning = true
    }

    /// Does the work of sessions and couriers until the task is cancelled.
    func run() async {
        let jobs = jobs
        defer { isRunning = false }
        await withDiscardingTaskGroup { group in
            for await job in jobs { group.addTask { await job() } }
        }
    }

    /// Receives for all services and sends all that waits.
    func startAll() async throws(NodeError) {
        for (stored, kept) in try await steward.services() where !kept.isClosed { try start(stored, kept) }
        var after: Int64 = 0
        while true {
            let page: [RelationshipReference]
            do {
                page = try await keeper.store.relationshipsWithOutbox(after: after, limit: 1_000)
            } catch {
                throw .store(error)
            }
            for reference in page { try await startOutbox(of: reference.id) }
            guard page.count == 1_000, let last = page.last else { break }
            after = last.position
        }
        for id in try await keeper.scheduleRejoins() { try await startOutbox(of: id) }
    }

    /// Receives for the services of these relationships and sends what waits in them.
    func start(_ ids: [RelationshipID]) async throws(NodeError) {
        for id in ids {
            guard let kept = try await keeper.kept(id) else { continue }
            try await startSession(of: kept.service)
            if !kept.returning.isEmpty { try await keeper.returnMore(of: id) }
            try await startOutbox(of: id)
        }
    }

    /// Receives for one service, unless it is being done.
    @discardableResult
    func startSession(of service: VerificationKey) async throws(NodeError) -> ServiceSession? {
        if let session = sessions[service] { return session }
        guard let (stored, kept) = try await steward.service(service) else { return nil }
        try start(stored, kept)
        return sessions[service]
    }

    private func start(_ stored: StoredService, _ kept: KeptService) throws(NodeError) {
        guard sessions[stored.key] == nil else { return }
        let session = try ServiceSession(
            stored, kept, keeper: keeper, steward: steward, settings: settings,
            didChange: notification)
        ownServices?.insert(stored.key)
        sessions[stored.key] = session
        addJob.yield { await session.run() }
    }

    /// Looks after the outbox of a relationship.
    private func startOutbox(of id: RelationshipID) async throws(NodeError) {
        guard routes[id] == nil, let kept = try await keeper.kept(id), kept.stop == nil else { return }
        do {
            if let knocking = kept.knocking {
                guard let item = try await keeper.store.outbox(of: id, limit: 1).first else { return }
                let courier = courier(for: Route(service: kept.service, relay: knocking.relay), of: id)
                // The peer may put as soon as it reads the hello: our queue must be open by then.
                let session = try await startSession(of: kept.service)
                addJob.yield { [weak self] in
                    while !Task.isCancelled, await session?.isReady == false { await self?.change() }
                    await courier.knock(id, queue: item.queue, knock: knocking.knock, hello: item.envelope)
                }
            } else if let address = kept.relationship.peerAddresses.first {
                let head = try await keeper.store.outboxHeads(of: id).first { $0.queue == address.queue }
                guard let head else { return }
                let courier = courier(for: Route(service: kept.service, relay: address.relay), of: id)
                await courier.add(
                    id, to: Courier.Destination(queue: address.queue, capability: address.capability),
                    OutboxLane(
                        confirmed: head.confirmed, confirmedDigest: head.confirmedChain, end: head.next,
                        awaitsAnswer: kept.policy.isWaiting), kept.reception)
            }
        } catch {
            throw NodeError(error)
        }
    }

    private func courier(for route: Route, of id: RelationshipID) -> Courier {
        routes[id] = route
        if let courier = couriers[route] { return courier }
        let courier = Courier(
            to: route.relay, keeper: keeper, settings: settings, allows: allows, didChange: notification)
        couriers[route] = courier
        addJob.yield { await courier.run() }
        return courier
    }

    // MARK: After commits

    /// New envelopes are in the outbox.
    ///
    /// - Parameter adopted: relationships whose queue was taken over from the relay: their lanes begin anew.
    func committed(_ items: [OutboxItem], adopted: Set<RelationshipID>) async {
        guard isRunning else { return }
        for id in adopted { await forget(id) }
        var byRelationship: [RelationshipID: [OutboxItem]] = [:]
        for item in items { byRelationship[item.relationship, default: []].append(item) }
        for (id, items) in byRelationship {
            if let route = routes[id], let courier = couriers[route], await courier.knows(id) {
                await courier.append(items, of: id)
            } else {
                await forget(id)
                try? await startOutbox(of: id)
            }
        }
        changed()
    }

    /// Peers that take nothing for now have spoken: they may take something again.
    func heard(_ ids: Set<RelationshipID>) async {
        for id in ids {
            guard let route = routes[id] else { continue }
            await couriers[route]?.askAgain(id)
        }
    }

    /// Knocks and puts no more for a relationship, until there is something new.
    func forget(_ id: RelationshipID) async {
        guard let route = routes.removeValue(forKey: id) else { return }
        await couriers[route]?.forget(id)
    }

    /// Invitations or queues of a service changed.
    func tend(_ service: VerificationKey) async throws(NodeError) {
        try await startSession(of: service)?.tend()
    }

    // MARK: Waiting

    /// Why the own relay, or the peer's, cannot be reached for a relationship; `nil` when there is no such trouble.
    func trouble(of id: RelationshipID) async -> String? {
        if let kept = try? await keeper.kept(id) {
            if let stop = kept.stop { return stop.text }
            if let trouble = await sessions[kept.service]?.trouble { return trouble }
        }
        guard let route = routes[id], let courier = couriers[route] else { return nil }
        if let hold = await courier.hold(of: id) { return hold.text }
        return await courier.trouble
    }

    /// Whether everything of the relationship that could be sent and received now has been.
    func isSettled(_ id: RelationshipID) async -> Bool {
        guard let kept = try? await keeper.kept(id) else { return true }
        if kept.stop != nil { return true }
        if !kept.returning.isEmpty { return false }
        if let session = sessions[kept.service] {
            guard await session.isCaughtUp else { return false }
        }
        if kept.knocking != nil {
            guard let route = routes[id], let courier = couriers[route] else { return false }
            return await courier.wasHeard(id)
        }
        let waiting = try? await keeper.store.outbox(of: id, limit: 1)
        return waiting?.isEmpty ?? true
    }

    /// Whether the relay has the relationship's hello.
    func wasHeard(_ id: RelationshipID) async -> Bool {
        guard let route = routes[id], let courier = couriers[route] else { return false }
        return await courier.wasHeard(id)
    }

    /// Why the own relay cannot be reached; `nil` when some service is attached there.
    func ownTrouble() async -> String? {
        var trouble: String?
        for session in sessions.values {
            guard let one = await session.trouble else { return nil }
            trouble = one
        }
        return trouble
    }

    /// The session of a service, if one runs.
    func session(of service: VerificationKey) -> ServiceSession? { sessions[service] }

    /// Waits until something may have changed.
    func change() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { waiters.append(continuation) }
            }
        } onCancel: {
            Task { await self.changed() }
        }
    }

    private var notification: @Sendable () -> Void {
        { [weak self] in
            guard let self else { return }
            Task { await self.changed() }
        }
    }

    /// Wakes who waits for a change.
    func changed() {
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
    }
}
