internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    // MARK: Another address of the peer

    /// Has a relationship's envelopes leave by another of the peer's addresses, those that wait with the same bytes and in
    /// the same order.
    ///
    /// What waits stays in the outbox for the address that is left, too: by it the queue there is compared when it can be
    /// reached again, since nobody knows what of it had arrived. A peer that gets an envelope by both opens it once.
    ///
    /// - Parameters:
    ///   - expected: the address that was in use when this was decided; if another is, nothing changes.
    ///   - index: the one to use from now on.
    ///   - standing: what its relay just told of it.
    /// - Returns: whether it was changed.
    func redirect(
        _ id: RelationshipID, from expected: Int, to index: Int, _ standing: QueueStanding
    ) async throws(NodeError) -> Bool {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let addresses = relationship.kept.relationship.peerAddresses
            guard relationship.kept.sendingTo == expected, index != expected, addresses.indices.contains(index),
                relationship.kept.stop == nil, relationship.kept.relationship.state != .ended
            else { return false }
            let target = addresses[index]
            let known = try await keeper.outbox(of: relationship, to: target.queue)
            let waiting = try await keeper.waiting(in: relationship)
            // Too much to be taken over at once: a new epoch sends again what of it are records.
            let cause = known.divergence(from: standing) ?? (waiting == nil ? .queueWentBack : nil)
            draft.touch(relationship)
            draft.add(id) {
                $0.adopt(
                    QueueAdoption(relationship: id, queue: target.queue, next: standing.next, chain: standing.digest))
            }
            relationship.kept.sendingTo = index
            relationship.kept.reception.hold(nil)
            keeper.send(from: target.queue, next: standing.next, chain: standing.digest, in: relationship)
            keeper.uncommitted.redirected.insert(id)
            draft.event(
                index > expected ? .deliveryFailedOver : .deliveryReturned, of: id,
                .init(reason: "messages leave by \(target.relay.host):\(target.relay.port)"))
            if let cause {
                if cause == .ownStoreWentBack { draft.skipPositions() }
                try await keeper.rejoin(relationship, because: cause, draft)
            } else {
                for envelope in waiting ?? [] { keeper.post(envelope, in: relationship, draft) }
            }
            return true
        }
    }

    /// The peer receives elsewhere from now on: what waits for it leaves there, and so it learns that we know.
    func follow(_ addresses: [Address], in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let waiting =
            relationship.sendingQueue == addresses.first?.queue ? [] : try await waiting(in: relationship)
        try await take(addresses, sending: waiting ?? [], in: relationship, draft)
        if waiting == nil {
            // Too much to be taken over at once: a new epoch sends again what of it are records.
            try await rejoin(relationship, because: .queueWentBack, draft)
        } else {
            try speak(in: relationship, draft)
        }
    }

    /// A rejoin of the peer, or its answer to an own one, shows where it receives. What waits for it is of an epoch that
    /// is over, and dropped.
    ///
    /// - Returns: whether that is elsewhere than was known.
    @discardableResult
    func turn(to addresses: [Address], in relationship: LoadedRelationship, _ draft: Draft) async throws -> Bool {
        guard relationship.kept.relationship.peerReceives(at: addresses) else { return false }
        try await take(addresses, sending: [], in: relationship, draft)
        return true
    }

    /// Sends to these addresses of the peer from now on.
    ///
    /// - Parameter waiting: what is put into the first of their queues.
    private func take(
        _ addresses: [Address], sending waiting: [[UInt8]], in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let id = relationship.id
        let earlier = relationship.sendingQueue
        draft.touch(relationship)
        relationship.kept.sendingTo = 0
        relationship.kept.reception.hold(nil)
        // A queue that was closed because it is left says nothing of the new one.
        if relationship.kept.stop == .closed { relationship.kept.stop = nil }
        if let first = addresses.first, first.queue != earlier {
            let known = try await outbox(of: relationship, to: first.queue)
            let stays = Set(addresses.map(\.queue))
            for head in try await store.outboxHeads(of: id) where !stays.contains(head.queue) && head.queue != earlier {
                drop(head.queue, head.next, head.chain, of: relationship, draft)
            }
            if let earlier, !stays.contains(earlier) {
                drop(earlier, relationship.nextNumber, relationship.chain, of: relationship, draft)
            }
            send(from: first.queue, next: known.next, chain: known.chain, in: relationship)
            for envelope in waiting { post(envelope, in: relationship, draft) }
        }
        uncommitted.redirected.insert(id)
        draft.event(
            .peerMoved, of: id,
            .init(
                reason:
                    "it receives at \(addresses.map { "\($0.relay.host):\($0.relay.port)" }.joined(separator: ", "))"))
    }

    /// Which queue is sent to, and how far it has come.
    func send(from queue: QueueID, next: UInt64, chain: Digest, in relationship: LoadedRelationship) {
        relationship.sendingQueue = queue
        relationship.nextNumber = next
        relationship.chain = chain
    }

    private func drop(
        _ queue: QueueID, _ next: UInt64, _ chain: Digest, of relationship: LoadedRelationship, _ draft: Draft
    ) {
        let id = relationship.id
        draft.add(id) { $0.adopt(QueueAdoption(relationship: id, queue: queue, next: next, chain: chain)) }
        relationship.uncommittedOutbox.removeAll { $0.queue == queue }
    }

    // MARK: Reading the outbox

    /// What the vault knows of one of the peer's queues.
    private struct KnownQueue {
        var confirmed: UInt64 = 0
        var next: UInt64 = 0
        var chain = QueueChain.start
        /// The digest at each number from `confirmed` on.
        var digests: [UInt64: Digest] = [0: QueueChain.start]

        /// What the relay's word contradicts; nil where it agrees.
        func divergence(from standing: QueueStanding) -> RejoinCause? {
            if standing.next < confirmed { return .queueWentBack }
            if standing.next > next { return .ownStoreWentBack }
            return digests[standing.next] == standing.digest ? nil : .queueDiffers
        }
    }

    /// Reads what waits for a queue, in order, until `body` has enough.
    private func readOutbox(
        of relationship: LoadedRelationship, to queue: QueueID, _ body: (OutboxItem) -> Bool
    ) async throws {
        var from: UInt64 = 0
        while true {
            let page = try await store.outbox(of: relationship.id, queue: queue, from: from, limit: 1_000)
            for item in page where !body(item) { return }
            guard page.count == 1_000, let last = page.last else { break }
            from = last.number + 1
        }
        for item in relationship.uncommittedOutbox where item.queue == queue && !body(item) { return }
    }

    private func outbox(of relationship: LoadedRelationship, to queue: QueueID) async throws -> KnownQueue {
        var known = KnownQueue()
        if let head = try await store.outboxHeads(of: relationship.id).first(where: { $0.queue == queue }) {
            (known.confirmed, known.next, known.chain) = (head.confirmed, head.next, head.chain)
            known.digests = [head.confirmed: head.confirmedChain]
        }
        try await readOutbox(of: relationship, to: queue) { item in
            known.digests[item.number + 1] = item.chain
            known.next = max(known.next, item.number + 1)
            if known.next == item.number + 1 { known.chain = item.chain }
            return true
        }
        return known
    }

    /// The envelopes that wait for the queue in use; nil where they are too much.
    private func waiting(in relationship: LoadedRelationship) async throws -> [[UInt8]]? {
        guard let queue = relationship.sendingQueue else { return [] }
        var (envelopes, bytes): ([[UInt8]], Int) = ([], 0)
        try await readOutbox(of: relationship, to: queue) { item in
            envelopes.append(item.envelope)
            bytes += item.envelope.count
            return bytes <= redirectedBytes
        }
        return bytes <= redirectedBytes ? envelopes : nil
    }
}
