internal import Handfast
internal import HandfastCrypto
internal import HandfastRelay
internal import HandfastStore

/// Looks after services, invitations and bundles: what of them the vault holds, and what the relay should have.
struct Steward: Sendable {
    /// What the own relay should have for a service.
    struct Plan: Sendable {
        /// Queues to open, which changes nothing where they are open.
        var openings: [QueueOpening] = []
        /// What those queues let come, where that is not everything or the relay has not confirmed it.
        var policies: [PolicySetting] = []
        /// The queue in which invitees knock.
        var knockQueue: QueueID?
        /// The knocks that it admits.
        var knocks: [Knock] = []
        /// The bundles beside it.
        var bundles: [PublishedBundle] = []
        /// Queues of relationships that ended.
        var closings: [QueueID] = []
        /// Queues that are being left for others at another relay: they are emptied once they are closed.
        var leavings: [QueueID] = []
        /// Queues to begin anew, because a peer cannot be reached otherwise.
        var renewals: [QueueOpening] = []
        /// Those of them that a relationship is to know as open: others are looked at each time.
        var awaited: [QueueID] = []
        /// Whether the service has no use once those are closed.
        var endsService = false
    }

    /// Bundles are published for so many days ahead.
    static let daysAhead: UInt64 = 8
    /// The validity of one bundle: two days, so that each overlaps with the next.
    static let bundleSeconds: UInt64 = 2 * 86_400
    /// A bundle's key opens hellos for so long after its expiry.
    static let bundleGraceSeconds: UInt64 = 7 * 86_400
    /// An invitation can be accepted for so long.
    static let invitationSeconds: UInt64 = 30 * 86_400
    /// The families that this version understands.
    static let families = ["message", "relationship"]

    let store: any VaultStore
    let keeper: Keeper

    // MARK: Services

    /// A new service at a relay and its row.
    func newService(at relay: RelayAddress, knockQueue: QueueID?, signer: IdentityID?, isShared: Bool)
        async throws(NodeError)
        -> (key: VerificationKey, kept: KeptService)
    {
        let seed = await keeper.randomBytes(SigningKey.seedCount)
        let kept = KeptService(
            relay: relay.description, seed: seed, knockQueue: knockQueue?.array, signer: signer?.digest.array,
            isShared: isShared)
        return (try kept.publicKey, kept)
    }

    /// All services in pages of the store.
    func services() async throws(NodeError) -> [(stored: StoredService, kept: KeptService)] {
        try await Self.pages({ after, limit throws(StoreError) in try await store.services(after: after, limit: limit) }
        ) {
            $0.position
        }.map { stored throws(NodeError) in (stored, try Row.decode(KeptService.self, stored.bytes)) }
    }

    /// One service, or `nil`.
    func service(_ key: VerificationKey) async throws(NodeError) -> (stored: StoredService, kept: KeptService)? {
        do {
            return try await store.service(key).map { stored in
                (stored, try Row.decode(KeptService.self, stored.bytes))
            }
        } catch {
            throw NodeError(error)
        }
    }

    // MARK: Plans

    /// What the relay should have for a service; makes new bundles where those at hand do not reach far enough.
    func plan(for service: VerificationKey) async throws(NodeError) -> Plan {
        guard let kept = try await self.service(service)?.kept else { return Plan() }
        var plan = Plan()
        // A vendor's queues are opened once, before their first use: looking at each again would take a million rows.
        let queues = try await Self.pages({ after, limit throws(StoreError) in
            try await store.queues(tendedBy: service, after: after, limit: limit)
        }) { $0.position }
        var open = 0
        for queue in queues {
            let row = try Row.decode(KeptQueue.self, queue.bytes)
            let relationship: KeptRelationship? =
                if let id = queue.relationship { try await keeper.kept(id) } else { nil }
            if row.isClosing {
                let leaves = relationship?.places.leaving.contains { $0.place.queue == queue.id } ?? false
                if leaves { plan.leavings.append(queue.id) } else { plan.closings.append(queue.id) }
            } else if let capability = row.capability, let digest = try? Digest(capability.bytes) {
                open += 1
                if row.beginsAnew == true {
                    plan.renewals.append(QueueOpening(id: queue.id, kind: .sendAnew(capability: digest)))
                    continue
                }
                plan.openings.append(QueueOpening(id: queue.id, kind: .send(capability: digest)))
                guard let relationship else { continue }
                let isTarget = relationship.places.targets.contains { $0.address.queue == queue.id }
                if isTarget || (kept.isShared && !relationship.reception.untold.contains(queue.id)) {
                    plan.awaited.append(queue.id)
                }
                if relationship.reception != Reception() {
                    plan.policies.append(PolicySetting(id: queue.id, policy: relationship.reception.policy))
                }
            }
        }
        if let bytes = kept.knockQueue, let signer = kept.signer {
            let queue = QueueID(try NodeError.reading("service") { try FixedBytes(copying: bytes) })
            let knocks = try await admitted(by: service)
            plan.knocks = knocks.map(\.knock)
            plan.knockQueue = queue
            plan.openings.append(QueueOpening(id: queue, kind: .knock))
            if let policy = try await strangers() { plan.policies.append(PolicySetting(id: queue, policy: policy)) }
            if !knocks.isEmpty {
                plan.bundles = try await bundles(of: service, signer: signer)
            }
            open += kept.isShared ? 1 : knocks.count { !$0.isSpent }
        }
        plan.endsService = !kept.isShared && open == 0 && plan.leavings.isEmpty
        return plan
    }

    /// The send queues of a service, as they were opened, and what they let come, for some of the relationships.
    func openings(
        of service: VerificationKey, in page: [RelationshipSummary]
    ) async throws(NodeError) -> (openings: [QueueOpening], policies: [PolicySetting]) {
        var openings: [QueueOpening] = []
        var policies: [PolicySetting] = []
        for relationship in page {
            let kept = try KeptRelationship(decoding: relationship.state)
            // What a rejoin replaced may have been closed since.
            let replaced = kept.places.leaving.filter { !$0.wasMoved }.map(\.place)
            for place in kept.receivingPlaces where place.service == service && !replaced.contains(place) {
                guard let queue = try await keeper.queueOutsideBatch(place.queue) else { continue }
                let row = try Row.decode(KeptQueue.self, queue.bytes)
                guard !row.isClosing, let capability = row.capability, let digest = try? Digest(capability.bytes)
                else { continue }
                openings.append(QueueOpening(id: queue.id, kind: .send(capability: digest)))
                if kept.reception.policy != .standard {
                    policies.append(PolicySetting(id: queue.id, policy: kept.reception.policy))
                }
            }
        }
        return (openings, policies)
    }

    /// The queues are closed at the relay.
    func closed(_ queues: [QueueID], of service: VerificationKey) async throws(NodeError) {
        guard var kept = try await self.service(service)?.kept else { return }
        if !kept.isShared { kept.isClosed = true }
        let row = ServiceRow(key: service, bytes: try Row.encode(kept))
        try await keeper.perform { keeper, draft in
            for queue in queues { keeper.forget(queue) }
            draft.general.closedQueues += queues
            draft.general.services.append(row)
        }
    }

    /// Queues for the relationship that a hello may begin, of which the first is to be opened before it is answered; none
    /// for what is no new hello.
    func opening(
        for delivery: Delivery, of service: VerificationKey, at relay: RelayAddress
    ) async throws(NodeError) -> [OwnQueue] {
        guard case .message = delivery.content,
            let queue = try await keeper.queueOutsideBatch(delivery.queue), queue.relationship == nil
        else { return [] }
        do {
            if try await store.hello(ReceivedHello.hash(of: delivery.bytes)) != nil { return [] }
        } catch {
            throw .store(error)
        }
        let isShared = try await self.service(service)?.kept.isShared ?? false
        let first = await keeper.newQueue(at: relay, service: service, isTended: !isShared)
        return [first] + (try await alternatives(to: relay, isShared: isShared))
    }

    /// How many tickets of a service are unspent, and when its last bundle ends.
    func supply(of service: VerificationKey) async throws(NodeError) -> (unspent: Int, last: Timestamp) {
        let unspent = try await admitted(by: service).count { !$0.isSpent }
        var last = Timestamp(seconds: 0)
        for stored in try await allBundles() {
            let kept = try Row.decode(KeptBundle.self, stored.bytes)
            guard kept.service == service.array else { continue }
            last = max(last, stored.eraseAfter.subtracting(seconds: Self.bundleGraceSeconds))
        }
        return (unspent, last)
    }

    private func allBundles() async throws(NodeError) -> [StoredBundle] {
        try await Self.pages({ after, limit throws(StoreError) in
            try await store.bundles(after: after, limit: limit)
        }) { $0.position }
    }

    // MARK: Strangers

    /// What knock queues let come; nil where that was never set.
    func strangers() async throws(NodeError) -> QueuePolicy? {
        try await keeper.walletRow(KeptStrangers.self, KeptStrangers.key)?.policy
    }

    /// The services by which invitations are answered.
    func knockServices() async throws(NodeError) -> [(stored: StoredService, kept: KeptService)] {
        try await services().filter { $0.kept.knockQueue != nil && !$0.kept.isClosed }
    }

    /// How many invitations can still be answered; 10,000 at most.
    func openInvitations() async throws(NodeError) -> Int {
        try await admitted(by: nil).count { !$0.isSpent }
    }

    // MARK: Invitations

    /// Tickets that the relay should let through: unspent ones, and spent ones for a while, so that a second user of
    /// a ticket is seen and reported.
    ///
    /// - Parameter service: the one in whose knock queue they count; any if nil.
    private func admitted(by service: VerificationKey?) async throws(NodeError) -> [(knock: Knock, isSpent: Bool)] {
        let now = keeper.time.now()
        var admitted: [(knock: Knock, isSpent: Bool)] = []
        var before = Int64.max
        do {
            // The latest first: all are valid for the same time, so that those before the first that is long expired
            // are as well, however many they are. A day allows for a clock that was set.
            while admitted.count < 10_000 {
                let page = try await store.invitations(before: before, limit: 1_000)
                for stored in page {
                    before = stored.position
                    let kept = try Row.decode(KeptInvitation.self, stored.bytes)
                    guard now.seconds <= kept.expires + 86_400 else { return admitted }
                    guard service.map({ kept.service == $0.array }) ?? true, now.seconds <= kept.expires else {
                        continue
                    }
                    admitted.append((stored.knock, stored.spentBy != nil))
                }
                guard page.count == 1_000 else { return admitted }
            }
            return admitted
        } catch {
            throw NodeError(error)
        }
    }

    /// Bundles from now on, made and stored where they are missing.
    private func bundles(of service: VerificationKey, signer: [UInt8]) async throws(NodeError) -> [PublishedBundle] {
        let now = keeper.time.now()
        let all = try await allBundles()
        let eventCount = try await keeper.keyEventCount(of: signer)
        var published: [PublishedBundle] = []
        for stored in all {
            let kept = try Row.decode(KeptBundle.self, stored.bytes)
            guard kept.service == service.array, kept.signer == signer else { continue }
            let bundle = try NodeError.reading("bundle") { try Bundle(decoding: kept.bytes.bytes) }
            // One that an earlier key signed opens hellos still, and is shown to nobody.
            guard bundle.expires > now, bundle.signerLog.events.count == eventCount else { continue }
            published.append(PublishedBundle(bundle))
        }
        let made = try await keeper.makeBundles(
            for: service, signer: signer, after: published.map(\.notBefore).max())
        return Array((published + made).suffix(16))
    }

    /// Reads a list of the store to its end.
    static func pages<Row>(
        _ read: (Int64, Int) async throws(StoreError) -> [Row], position: (Row) -> Int64
    ) async throws(NodeError) -> [Row] {
        var all: [Row] = []
        var after: Int64 = 0
        do {
            while true {
                let page = try await read(after, 1_000)
                all += page
                guard page.count == 1_000, let last = page.last else { return all }
                after = position(last)
            }
        } catch {
            throw .store(error)
        }
    }
}

extension PublishedBundle {
    init(_ bundle: Bundle) {
        self.init(notBefore: bundle.notBefore, expires: bundle.expires, bytes: bundle.bytes)
    }
}
