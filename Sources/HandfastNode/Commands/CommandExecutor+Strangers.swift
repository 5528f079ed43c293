extension CommandExecutor {
    /// Changes what strangers may send, and waits until the own relay knows it.
    func receiveStrangers(_ change: ReceptionChange, _ wait: UInt32) async throws -> StrangersReport {
        try await node.changeStrangers(change)
        return try await toldOfStrangers(node.strangers(), wait) { try await node.hasToldOfStrangers() }
    }

    /// Shuts out whoever has an invitation, and waits until the own relay knows it.
    func blockStrangers(_ wait: UInt32) async throws -> StrangersReport {
        let (report, queues) = try await node.blockStrangers()
        return try await toldOfStrangers(report, wait) { try await node.haveClosed(queues) }
    }

    private func toldOfStrangers(
        _ report: StrangersReport, _ wait: UInt32, until isTold: @escaping @Sendable () async throws -> Bool
    ) async throws -> StrangersReport {
        var report = report
        let isDone = try await attempt(wait, until: isTold)
        report.reception = try await node.strangers().reception
        if !isDone {
            report.notice =
                "the own relay does not know it yet" + reason(await node.troubleOfOwnRelay())
                + "; a running node (`handfast node run`) keeps telling it"
        }
        return report
    }
}
