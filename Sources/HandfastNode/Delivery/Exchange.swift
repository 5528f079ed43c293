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
    /// Relationships for which another address of the peer is being looked for.
    private var seeking: Set<RelationshipID> = []
    /// Relationships of which no address of the peer could be reached.
    private var unreachable: Set<RelationshipID> = []
    /// Relationships that use another than the peer's first address.
    private var away: Set<RelationshipID> = []
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
        seeking = []
        unreachable = []
        away = []
        isRunning = true
        addJob.yield { await self.returnWhenPossible() }
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
            for service in kept.receivingPlaces.map(\.service) + kept.places.targets.map(\.service) {
                try await startSession(of: service)
            }
            if !kept.returning.isEmpty { try await keeper.returnMore(of: id) }
            try await startOutbox(of: id)
        }
    }

    /// Receives for one service, unless it is being done.
    @discardableResult
    func startSession(of service: VerificationKey) async throws(NodeError) -> ServiceSession? {
        if let session = sessions[service] { return session }
        guard let (stored, kept) = try await steward.service(service), !kept.isClosed else { return nil }
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
            } else if let address = kept.peerAddress {
                if kept.sendingTo > 0 { away.insert(id) } else { away.remove(id) }
                let head = try await keeper.store.outboxHeads(of: id).first { $0.queue == address.queue }
                guard let head else { return }
                let courier = courier(for: Route(service: kept.service, relay: address.relay), of: id)
                await courier.add(
                    id, to: Courier.Destination(queue: address.queue, capability: address.capability),
                    OutboxLane(
                        confirmed: head.confirmed, confirmedDigest: head.confirmedChain, end: head.next,
                        awaitsAnswer: kept.policy.isWaiting), kept.reception,
                    hasOthers: kept.relationship.peerAddresses.count > 1)
            }
        } catch {
            throw NodeError(error)
        }
    }

    private func courier(for route: Route, of id: RelationshipID) -> Courier {
        routes[id] = route
        if let courier = couriers[route] { return courier }
        let courier = Courier(
            to: route.relay, keeper: keeper, settings: settings, allows: allows, didChange: notification,
            giveUp: { [weak self] ids in
                guard let self else { return }
                Task(executorPreference: SimulatedTasks.executor) { await self.seek(for: ids) }
            })
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
        for id in adopted.subtracting(byRelationship.keys) { try? await startOutbox(of: id) }
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

    /// Queues of services changed.
    func tend(_ services: [VerificationKey]) async throws(NodeError) {
        for service in Set(services) { try await tend(service) }
    }

    /// Queues of these relationships are to be opened or closed.
    func moving(
        _ ids: Set<RelationshipID>, _ tended: Set<VerificationKey>, retired: Set<VerificationKey>
    ) async {
        for service in retired {
            await sessions.removeValue(forKey: service)?.retire()
        }
        var services = tended
        for id in ids {
            guard let kept = try? await keeper.kept(id) else { continue }
            services.formUnion(kept.receivingPlaces.map(\.service) + kept.places.targets.map(\.service))
        }
        // What fails now is begun with the next start.
        try? await tend(Array(services))
        changed()
    }

    // MARK: Other addresses

    /// Looks for an address of the peer that can be reached, where the one in use cannot.
    private func seek(for ids: [RelationshipID]) {
        let new = ids.filter { seeking.insert($0).inserted }
        guard isRunning, !new.isEmpty else { return }
        addJob.yield { [weak self] in await self?.redirect(new, onlyBack: false) }
    }

    /// Returns to the preferred addresses of peers once they can be reached.
    private func returnWhenPossible() async {
        var backoff = Backoff(first: settings.failOverPause, longest: settings.returnPause)
        var random = keeper.network.jitter
        while !Task.isCancelled {
            do {
                try await keeper.time.pause(backoff.next(using: &random))
            } catch {
                return
            }
            if away.isEmpty { backoff.succeeded() } else { await redirect(Array(away), onlyBack: true) }
        }
    }

    private struct Candidate {
        let id: RelationshipID
        let from: Int
        let index: Int
        let address: Address
    }

    /// Has relationships use the first other address of their peer that answers.
    ///
    /// - Parameter onlyBack: whether only addresses before the one in use are asked.
    private func redirect(_ ids: [RelationshipID], onlyBack: Bool) async {
        var candidates: [Route: [Candidate]] = [:]
        for id in ids {
            guard let kept = try? await keeper.kept(id), kept.stop == nil else { continue }
            for (index, address) in kept.relationship.peerAddresses.enumerated()
            where index != kept.sendingTo && (index < kept.sendingTo || !onlyBack) {
                candidates[Route(service: kept.service, relay: address.relay), default: []].append(
                    Candidate(id: id, from: kept.sendingTo, index: index, address: address))
            }
        }
        // Earlier addresses first: what was redirected to one of them is not where it was for the later ones.
        let inOrder = candidates.sorted { ($0.value.map(\.index).min() ?? 0) < ($1.value.map(\.index).min() ?? 0) }
        var redirected: Set<RelationshipID> = []
        for (route, all) in inOrder {
            for candidate in await ask(all.filter { !redirected.contains($0.id) }, at: route.relay) {
                let (place, standing) = candidate
                let isDone = try? await keeper.redirect(place.id, from: place.from, to: place.index, standing)
                if isDone == true { redirected.insert(place.id) }
            }
        }
        for id in ids where !onlyBack {
            seeking.remove(id)
            if redirected.contains(id) { unreachable.remove(id) } else { unreachable.insert(id) }
        }
        changed()
    }

    /// Asks a relay for queues; gives those that take something.
    private func ask(_ candidates: [Candidate], at relay: RelayAddress) async -> [(Candidate, QueueStanding)] {
        guard !candidates.isEmpty, let client = try? await keeper.network.connect(to: relay, allows: allows) else {
            return []
        }
        var standing: [(Candidate, QueueStanding)] = []
        for start in stride(from: 0, to: candidates.count, by: settings.batch) {
            let part = candidates[start..<min(start + settings.batch, candidates.count)]
            let items = part.map {
                PutItem(queue: $0.address.queue, capability: $0.address.capability, first: 0, envelopes: [])
            }
            guard let results = try? await client.put(items) else { break }
            for (candidate, result) in zip(part, results) {
                switch result.status {
                case .ok, .behind, .gap, .throttled:
                    standing.append((candidate, QueueStanding(next: result.next, digest: result.digest)))
                case .full, .refused, .closed, .tooLarge, .paused: break
                }
            }
        }
        await client.shutDown()
        return standing
    }

    // MARK: Waiting

    /// Why the own relay, or the peer's, cannot be reached for a relationship; `nil` when there is no such trouble.
    func trouble(of id: RelationshipID) async -> String? {
        let kept = try? await keeper.kept(id)
        if let kept {
            if let stop = kept.stop { return stop.text }
            if let trouble = await receivingTrouble(of: kept) { return trouble }
        }
        guard let route = routes[id], let courier = couriers[route] else { return nil }
        if let hold = await courier.hold(of: id) { return hold.text }
        // Another address may do.
        if let kept, kept.relationship.peerAddresses.count > 1, !unreachable.contains(id) { return nil }
        return await courier.trouble
    }

    /// Why nothing can be received in a relationship; nil while one of its relays can be reached.
    private func receivingTrouble(of kept: KeptRelationship) async -> String? {
        var first: String?
        for place in kept.receivingPlaces {
            guard let trouble = await sessions[place.service]?.trouble else { return nil }
            first = first ?? trouble
        }
        return first
    }

    /// Whether everything of the relationship that could be sent and received now has been.
    func isSettled(_ id: RelationshipID) async -> Bool {
        guard let kept = try? await keeper.kept(id) else { return true }
        if kept.stop != nil { return true }
        if !kept.returning.isEmpty { return false }
        for place in kept.receivingPlaces {
            guard let session = sessions[place.service], await session.trouble == nil || kept.receivingPlaces.count == 1
            else { continue }
            guard await session.isCaughtUp else { return false }
        }
        if kept.knocking != nil {
            guard let route = routes[id], let courier = couriers[route] else { return false }
            return await courier.wasHeard(id)
        }
        guard let queue = kept.peerAddress?.queue, let heads = try? await keeper.store.outboxHeads(of: id) else {
            return true
        }
        return heads.allSatisfy { $0.queue != queue || $0.next == $0.confirmed }
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

    /// How far the sessions of some services, or of all, have come; nothing where nothing is delivered.
    func receiving(by services: [VerificationKey]? = nil) async -> [VerificationKey: ReceivingReport] {
        var reports: [VerificationKey: ReceivingReport] = [:]
        for key in services ?? Array(sessions.keys) { reports[key] = await sessions[key]?.standing }
        return reports
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
            Task(executorPreference: SimulatedTasks.executor) { await self.changed() }
        }
    }

    private var notification: @Sendable () -> Void {
        { [weak self] in
            guard let self else { return }
            Task(executorPreference: SimulatedTasks.executor) { await self.changed() }
        }
    }

    /// Wakes who waits for a change.
    func changed() {
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
    }
}
