internal import Handfast
internal import HandfastStore

extension Keeper {
    /// Removes envelopes from outboxes that relays have confirmed.
    func confirm(_ confirmations: [OutboxConfirmation]) async throws(NodeError) {
        try await perform { keeper, draft in
            draft.general.outboxConfirmed += confirmations
            guard let board = keeper.attachments?.board else { return }
            draft.afterCommit.append { board.post(.confirmed(confirmations.map(\.relationship))) }
        }
    }

    /// Stops delivery in a relationship and tells why. What waits stays in the outbox.
    ///
    /// - Parameter queue: the queue that it is about; one that is not in use any more stops nothing.
    func stop(_ id: RelationshipID, _ stop: DeliveryStop, of queue: QueueID? = nil) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            guard relationship.kept.stop == nil, queue == nil || queue == relationship.address?.queue else { return }
            if try await keeper.hasNothingToLose(relationship, draft) { return }
            if stop == .closed, relationship.kept.policy.isWaiting {
                // It may have moved since this vault's state was written.
                draft.event(.deliveryRefused, of: id, .init(reason: DeliveryStop.elsewhere))
                return try await keeper.call(relationship, draft)
            }
            draft.touch(relationship)
            relationship.kept.stop = stop
            draft.event(.deliveryRefused, of: id, .init(reason: stop.text))
        }
    }

    /// A ticket that a relay does not let through is shown again for so long.
    private static let knockingSeconds: UInt64 = 86_400

    /// Tells that the inviter's relay does not let a knock through, and stops once it has not for a day.
    ///
    /// - Returns: whether it is given up.
    func giveUpKnock(_ id: RelationshipID, isFirst: Bool) async throws(NodeError) -> Bool {
        guard let kept = try await kept(id), kept.knocking != nil else { return true }
        if time.now() >= kept.relationship.created.adding(seconds: Self.knockingSeconds) {
            try await stop(id, .refused)
            return true
        }
        return isFirst ? try await giveUpOrTell(id, DeliveryStop.notAdmitted) : false
    }

    /// Tells that a relay does not take a relationship's envelopes for now.
    ///
    /// - Returns: whether the outbox was given up instead, because the relationship ends.
    func giveUpOrTell(_ id: RelationshipID, _ reason: String) async throws(NodeError) -> Bool {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            if try await keeper.hasNothingToLose(relationship, draft) { return true }
            draft.event(.deliveryRefused, of: id, .init(reason: reason))
            return false
        }
    }

    /// Who ended closes the queue; that our last words find it closed is as it should be.
    private func hasNothingToLose(_ relationship: LoadedRelationship, _ draft: Draft) async throws -> Bool {
        let state = relationship.kept.relationship.state
        guard state == .ending || state == .ended else { return false }
        try await dropOutbox(of: relationship.id, draft)
        return true
    }

    /// Takes over what a relay tells of the peer's queue, drops what waits for it, and begins a new epoch there.
    func adopt(_ divergence: Divergence, of queue: QueueID, in id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            // Another address may have taken its place meanwhile.
            guard relationship.address?.queue == queue else { return }
            draft.touch(relationship)
            relationship.uncommittedOutbox.removeAll { $0.queue == queue }
            draft.add(id) {
                $0.adopt(QueueAdoption(relationship: id, queue: queue, next: divergence.next, chain: divergence.digest))
            }
            if divergence.cause != .queueWentBack { draft.skipPositions() }
            if divergence.isOfAnother {
                draft.event(.copyAtWork, of: id, .init(reason: "it has sent to the other side meanwhile"))
            }
            relationship.nextNumber = divergence.next
            relationship.chain = divergence.digest
            try await keeper.rejoin(relationship, because: divergence.cause, draft)
        }
    }

    /// Drops all that waits to be sent.
    func dropOutbox(of id: RelationshipID, _ draft: Draft) async throws {
        for head in try await store.outboxHeads(of: id) where head.next > head.confirmed {
            draft.general.outboxConfirmed.append(
                OutboxConfirmation(relationship: id, queue: head.queue, through: head.next - 1))
        }
    }
}
