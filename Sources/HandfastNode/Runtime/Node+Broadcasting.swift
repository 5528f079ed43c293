public import Handfast
internal import HandfastStore

extension Node {
    /// Says one thing in many relationships, signed once by the public identity for each group of 256.
    ///
    /// Each group is one commit. When the process dies, a relationship has its record whole or not at all; with the same
    /// idempotency key a repeat reaches those that lack it, and only those. Messages leave while the node runs.
    ///
    /// - Parameters:
    ///   - message: No ephemeral one: that is signed by nobody.
    ///   - ids: Relationships that this vault's public identity vouches for; in any other nothing is said, and the report
    ///     gives the reason.
    ///   - idempotencyKey: A key of the caller's choice, remembered for seven days.
    /// - Throws: ``NodeError/notConfigured(_:)`` in a person's vault, whose identities no common signature may link;
    ///   ``NodeError/badData(_:)``, ``NodeError/relationship(_:)`` for a message that is none, ``NodeError/store(_:)``
    /// - Source: Spec/05 §5.9
    public func broadcast(
        _ message: OutgoingMessage, to ids: [RelationshipID], idempotencyKey: String? = nil
    ) async throws(NodeError) -> BroadcastReport {
        guard let identity = try await publicIdentity() else {
            throw .notConfigured(
                "this vault holds no public identity, and only one of those may broadcast: one signature for many "
                    + "relationships would show all of them that your identities are the same person's. Send to each with "
                    + "`handfast send`; `handfast init --public DOMAIN` makes a vendor's vault")
        }
        guard !message.isEphemeral else {
            throw .badData("an ephemeral message is signed by nobody and is not broadcast")
        }
        var seen: Set<RelationshipID> = []
        let targets = ids.filter { seen.insert($0).inserted }
        var report = BroadcastReport()
        for start in stride(from: 0, to: targets.count, by: Keeper.broadcastCount) {
            let group = Array(targets[start..<min(start + Keeper.broadcastCount, targets.count)])
            report.add(
                try await keeper.broadcast(message, to: group, by: identity.id, idempotencyKey: idempotencyKey))
        }
        return report
    }

    /// How many relationships have an envelope that no relay has confirmed yet.
    func undelivered() async throws(NodeError) -> Int {
        try await Steward.pages({ after, limit throws(StoreError) in
            try await self.store.relationshipsWithOutbox(after: after, limit: limit)
        }) { $0.position }.count
    }
}
