internal import Handfast
internal import HandfastStore

extension Node {
    /// What comes of strangers, who answer invitations.
    public func strangers() async throws(NodeError) -> StrangersReport {
        var reception = Reception()
        if let policy = try await steward.strangers() {
            reception.policy = policy
            reception.untold = try await queuesUntoldOf(policy)
        }
        return StrangersReport(
            reception: ReceptionReport(reception), invitations: try await steward.openInvitations())
    }

    /// Changes what comes of strangers: pause, rate, sizes, for how long it waits. It holds for all invitations, those that
    /// are made later, too, and the relay at which they are answered enforces it.
    ///
    /// - Throws: ``NodeError/badData(_:)`` for a value out of its bounds, ``NodeError/store(_:)``
    public func changeStrangers(_ change: ReceptionChange) async throws(NodeError) {
        try await keeper.perform { keeper, draft in
            let earlier = try await keeper.walletRow(KeptStrangers.self, KeptStrangers.key) ?? KeptStrangers()
            let policy = try change.applied(to: try earlier.policy)
            let kept = KeptStrangers(change: ReceptionChange(policy))
            guard kept != earlier else { return }
            try keeper.keep(kept, at: KeptStrangers.key, draft)
            draft.event(
                .receptionChanged, of: nil,
                .init(reason: "of strangers: \(policy.text ?? "nothing is held back any more")"))
        }
        guard isRunning else { return }
        try await exchange.tend(try await steward.knockServices().map(\.stored.key))
    }

    /// Makes all open invitations void and closes the queues in which they are answered, for good: who has one of them
    /// cannot place a byte more. An invitation that is made later opens another queue.
    ///
    /// - Returns: what is void now, and the queues that are closed.
    func blockStrangers() async throws(NodeError) -> (report: StrangersReport, queues: [QueueID]) {
        var queues: [QueueID] = []
        for (_, kept) in try await steward.knockServices() {
            if let bytes = kept.knockQueue { queues.append(try QueueID(row: bytes)) }
        }
        let void = try await voidInvitations { !$0.isClosed }
        var report = try await strangers()
        report.voidInvitations = void
        return (report, queues)
    }

    /// Whether every relay at which invitations are answered has confirmed what comes of strangers.
    func hasToldOfStrangers() async throws(NodeError) -> Bool { try await strangers().reception.isTold }

    /// The knock queues whose relay has not confirmed what they let come.
    private func queuesUntoldOf(_ policy: QueuePolicy) async throws(NodeError) -> [QueueID] {
        let change = ReceptionChange(policy)
        var queues: [QueueID] = []
        for (_, kept) in try await steward.knockServices() where kept.toldOfStrangers != change {
            if let bytes = kept.knockQueue { queues.append(try QueueID(row: bytes)) }
        }
        return queues
    }

    /// Whether the own relays have closed these queues.
    func haveClosed(_ queues: [QueueID]) async throws(NodeError) -> Bool {
        for queue in queues where try await keeper.queueOutsideBatch(queue) != nil { return false }
        return true
    }
}
