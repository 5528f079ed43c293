internal import Handfast
internal import HandfastStore

extension Keeper {
    /// Removes envelopes from outboxes that relays have confirmed.
    func confirm(_ confirmations: [OutboxConfirmation]) async throws(NodeError) {
        try await perform { _, draft in
            draft.general.outboxConfirmed += confirmations
        }
    }

    /// Stops delivery in a relationship and tells why. What waits stays in the outbox.
    func stop(_ id: RelationshipID, _ stop: DeliveryStop) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            guard relationship.kept.stop == nil else { return }
            // Who ended closes the queue; that our last words find it closed is as it should be.
            let state = relationship.kept.relationship.state
            if (state == .ending || state == .ended) && !stop.isRollback {
                try await keeper.dropOutbox(of: id, draft)
                return
            }
            draft.touch(relationship)
            relationship.kept.stop = stop
            draft.event(
                stop.isRollback ? .relationshipRolledBack : .deliveryRefused, of: id, .init(reason: stop.text))
        }
    }

    private func dropOutbox(of id: RelationshipID, _ draft: Draft) async throws {
        for head in try await store.outboxHeads(of: id) where head.next > head.confirmed {
            draft.general.outboxConfirmed.append(
                OutboxConfirmation(relationship: id, queue: head.queue, through: head.next - 1))
        }
    }
}
