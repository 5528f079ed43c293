internal import Handfast

extension CommandExecutor {
    /// Begins to receive elsewhere, or by other queues where no relay is named, and waits until that is done.
    ///
    /// - Parameter tell: told whenever something of the move has been done, at most ten times a second.
    func move(
        _ name: String?, _ relays: [String], _ wait: UInt32, _ tell: @escaping @Sendable (MoveReport) -> Void
    ) async throws -> MoveReport {
        let id = try await name.asyncMap { try await node.find($0) }
        let addresses = try relays.map { try RelayAddress(text: $0) }
        let begun =
            if addresses.isEmpty, let id { try await node.renewQueues(of: id) } else {
                try await node.move(id, to: addresses)
            }
        if wait > 0 {
            _ = try await attempt(wait, starting: { try await node.exchange.startAll() }) {
                try await followMove(begun, id, tell)
            }
        }
        var report = try await node.progress(of: begun, id)
        var parts: [String] = []
        if report.untold > 0 {
            parts.append("\(report.untold) other side\(report.untold == 1 ? " is" : "s are") still to be told")
        }
        if report.unfinished > 0 {
            parts.append(
                "\(report.unfinished) \(report.unfinished == 1 ? "was" : "were") told and not heard of at the new place "
                    + "yet, so that both are listened to")
        }
        if !parts.isEmpty {
            report.notice =
                parts.joined(separator: ", ") + reason(await node.troubleOfOwnRelay())
                + "; a running node (`handfast node run`) goes on with it by itself"
        }
        return report
    }

    /// Waits until a move has ended.
    ///
    /// - Returns: true then, and nil where it will not end now.
    private func followMove(
        _ begun: MoveReport, _ id: RelationshipID?, _ tell: @Sendable (MoveReport) -> Void
    ) async throws -> Bool? {
        var last: MoveReport?
        while true {
            let start = ContinuousClock.now
            let report = try await node.progress(of: begun, id)
            guard report.isUnderWay else { return true }
            if report != last { tell(report) }
            last = report
            if !node.isRunningForGood, await node.troubleOfOwnRelay() != nil { return nil }
            // Each look is at all that move, however many they are.
            try await Task.sleep(for: max(.milliseconds(100), start.duration(to: .now) * 4))
        }
    }

    /// Listens no more at relays that are being left.
    func giveUpOldRelays(_ name: String?) async throws -> MoveReport {
        let id = try await name.asyncMap { try await node.find($0) }
        _ = try await node.giveUpOldRelays(of: id)
        return try await node.progress(of: MoveReport(), id)
    }
}
