internal import UnixSignals

/// What ends a command that has no end of its own: Ctrl-C, or a polite kill.
enum Interruption {
    /// Does `work` until it ends or a signal asks for the end, which is no failure.
    ///
    /// - Parameter politely: asks the work to end by itself; without it the work is cancelled.
    static func ending(
        _ work: @escaping @Sendable () async throws -> Void, thenPolitely politely: (@Sendable () async -> Void)? = nil
    ) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await work()
                return true
            }
            group.addTask {
                for await _ in signals { break }
                await politely?()
                return false
            }
            if try await group.next() == false, politely != nil { _ = try await group.next() }
            group.cancelAll()
        }
    }
}
