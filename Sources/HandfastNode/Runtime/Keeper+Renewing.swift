internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

/// Queues that take the place of others without a record: a rejoin, or its answer, tells the peer.
///
/// - Source: Spec/05 §5.11
extension Keeper {
    // MARK: New queues

    /// Sees to it that a rejoin names queues that this vault listens to.
    ///
    /// A restored vault does not know whether its queues were left for others since, and of queues that were never moved no
    /// vault knows the capability any more. A vendor's million queues stay as they are until a day has brought no answer.
    func prepareAddresses(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        let policy = relationship.kept.policy
        relationship.kept.hasCalled = false
        switch policy.cause {
        case .restored:
            guard
                try await store.service(relationship.kept.service).map({ stored in
                    try !Row.decode(KeptService.self, stored.bytes).isShared
                }) ?? false
            else { return }
            try await renewQueues(of: relationship, withNewServices: false, draft)
        case nil where policy.isWaiting:
            if relationship.kept.places.told.isEmpty {
                try await renewQueues(of: relationship, withNewServices: false, draft)
            }
            try await call(relationship, draft)
        default:
            break
        }
    }

    /// Puts new queues, at the same relays, in place of all own ones. The peer is told by the rejoin, or the answer to one,
    /// that this transaction stores; until it uses them, the earlier ones are listened to.
    ///
    /// - Parameter withNewServices: whether what a thief of this vault holds must open and close nothing there.
    func renewQueues(
        of relationship: LoadedRelationship, withNewServices: Bool, _ draft: Draft
    ) async throws {
        let kept = relationship.kept
        let current = [OwnPlaces.Place(service: kept.service, queue: kept.queue)] + kept.places.others
        let wanted = kept.places.targets.map { OwnPlaces.Place(service: $0.service, queue: $0.address.queue) }
        guard kept.places.leaving.count + current.count + wanted.count <= OwnPlaces.mostLeaving else { return }
        var queues: [OwnQueue] = []
        for place in wanted.isEmpty ? current : wanted {
            guard let stored = try await store.service(place.service) else { continue }
            var service = try Row.decode(KeptService.self, stored.bytes)
            let relay = try RelayAddress(text: service.relay)
            guard withNewServices, !service.isShared else {
                let key = withNewServices ? try await serviceForAll(at: relay) : nil
                queues.append(newQueue(at: relay, service: key ?? stored.key, isTended: true))
                continue
            }
            service.seed = entropy.bytes(SigningKey.seedCount)
            (service.knockQueue, service.signer) = (nil, nil)
            let key = try service.publicKey
            var queue = newQueue(at: relay, service: key, isTended: true)
            queue.newService = ServiceRow(key: key, bytes: try Row.encode(service))
            queues.append(queue)
        }
        guard !queues.isEmpty else { return }
        draft.touch(relationship)
        // Whoever lacks the record of an earlier move must not take that for the last word.
        relationship.kept.places.mustTellAgain = !kept.places.told.isEmpty
        relationship.kept.places.targets = []
        openedTargets.subtract(wanted.map(\.queue))
        relationship.kept.receive(
            at: queues.map { .init(service: $0.service, address: $0.address) }, toldBy: 0)
        relationship.kept.places.leaving += wanted.map { .init(place: $0, sequence: 0) }
        try store(queues, of: relationship, draft)
        // The relay may have closed them after a move that this vault does not know of.
        for place in current + wanted { try await set(place, isTended: false, of: relationship, draft) }
        uncommitted.redirected.insert(relationship.id)
    }

    /// The service at a relay by which all relationships of a public identity receive.
    private func serviceForAll(at relay: RelayAddress) async throws -> VerificationKey? {
        let services = try await Steward(store: store, keeper: self).services()
        return services.first { $0.kept.isForAll && $0.kept.relay == relay.description }?.stored.key
    }

    /// Tells the peer of the new queues of a move by another rejoin, since the one that waits names the old ones.
    func tellByRejoin(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        let targets = relationship.kept.places.targets
        guard !targets.isEmpty else { return }
        draft.touch(relationship)
        relationship.kept.receive(at: targets, toldBy: max(1, relationship.kept.relationship.ownHead.sequence))
        relationship.kept.places.mustTellAgain = true
        try await untendOpened(targets, of: relationship, draft)
        uncommitted.toStart.insert(relationship.id)
        uncommitted.redirected.insert(relationship.id)
        try await rejoin(relationship, because: .person, draft)
    }

    // MARK: A peer that cannot be reached

    /// The peer's queue takes nothing while a rejoin waits for its answer: the peer may have moved to where this vault does
    /// not know. Beginning the own queues anew at their relays makes the peer, once it has something to send, ask for a new
    /// epoch by itself, and tell where it receives.
    func call(_ relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard relationship.kept.policy.isWaiting, !relationship.kept.hasCalled else { return }
        draft.touch(relationship)
        relationship.kept.hasCalled = true
        for place in relationship.kept.receivingPlaces {
            try await set(place, isTended: true, of: relationship, draft) { $0.beginsAnew = true }
        }
    }

    /// The own relay has begun these queues anew.
    func begunAnew(_ queues: [QueueID]) async throws(NodeError) {
        for queue in queues {
            try await perform { keeper, draft in
                guard let stored = try await keeper.queue(queue), let id = stored.relationship else { return }
                let relationship = try await keeper.load(id)
                let row = try Row.decode(KeptQueue.self, stored.bytes)
                guard row.beginsAnew == true,
                    let place = relationship.kept.receivingPlaces.first(where: { $0.queue == queue })
                else { return }
                draft.touch(relationship)
                let isLeft = relationship.kept.places.leaving.contains { $0.place == place }
                let service = try await keeper.store.service(place.service)
                let isShared = try service.map { try Row.decode(KeptService.self, $0.bytes).isShared } ?? false
                try await keeper.set(place, isTended: !isLeft && !isShared, of: relationship, draft) {
                    $0.beginsAnew = nil
                }
            }
        }
    }

    // MARK: Rows

    /// Writes the row of an own queue again, unless it is being closed.
    private func set(
        _ place: OwnPlaces.Place, isTended: Bool, of relationship: LoadedRelationship, _ draft: Draft,
        _ change: (inout KeptQueue) -> Void = { _ in }
    ) async throws {
        guard let stored = try await queue(place.queue) else { return }
        var row = try Row.decode(KeptQueue.self, stored.bytes)
        guard !row.isClosing else { return }
        change(&row)
        let bytes = try Row.encode(row)
        let id = relationship.id
        forget(place.queue)
        draft.add(id) {
            $0.queues.append(
                QueueRow(
                    id: place.queue, relationship: id, tendedBy: isTended ? place.service : nil, bytes: bytes))
        }
        uncommitted.toStart.insert(id)
    }

    /// Stores new queues, and their services where those are new.
    func store(_ queues: [OwnQueue], of relationship: LoadedRelationship, _ draft: Draft) throws {
        let id = relationship.id
        // What is held back is held back there as well.
        if relationship.kept.reception.policy != .standard { relationship.kept.reception.untold += queues.map(\.id) }
        for queue in queues {
            let row = try queue.row(of: id)
            forget(queue.id)
            draft.add(id) {
                if let service = queue.newService { $0.services.append(service) }
                $0.queues.append(row)
            }
        }
        uncommitted.toStart.insert(id)
    }
}
