internal import HandfastChannel
internal import HandfastNode
internal import HandfastRelay
internal import Synchronization

/// The clocks of a simulation: one that only goes on, when nothing else can happen, and one on the wall, which may be
/// set. What is due is done in order of time.
final class SimulatedTime: Sendable {
    private struct Due {
        let at: Duration
        let number: UInt64
        let action: @Sendable () -> Void
    }

    private struct State {
        var elapsed = Duration.zero
        var wallOffset: Int64 = 0
        var next: UInt64 = 0
        /// By time and number, the latest first.
        var due: [Due] = []
        var sleepers: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    }

    private let state = Mutex(State())
    private let start: Timestamp
    private let base = ContinuousClock.now

    init(start: Timestamp) {
        self.start = start
    }

    /// Since the beginning of the run.
    var elapsed: Duration { state.withLock { $0.elapsed } }

    /// What the clock on the wall shows.
    var wall: Timestamp {
        state.withLock { state in
            Timestamp(seconds: UInt64(Int64(start.seconds) + state.elapsed.components.seconds + state.wallOffset))
        }
    }

    /// Sets the clock on the wall forward or back.
    func setWall(by seconds: Int64) {
        state.withLock { $0.wallOffset += seconds }
    }

    /// Does something after a while.
    func after(_ delay: Duration, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in _ = Self.insert(&state, delay, action) }
    }

    private static func insert(_ state: inout State, _ delay: Duration, _ action: @escaping @Sendable () -> Void)
        -> UInt64
    {
        let number = state.next
        state.next += 1
        let due = Due(at: state.elapsed + max(delay, .zero), number: number, action: action)
        let place = state.due.lastIndex { $0.at > due.at } ?? -1
        state.due.insert(due, at: place + 1)
        return number
    }

    /// Does what is due next, if that is before a moment; whether there was anything.
    func advance(to limit: Duration) -> Bool {
        let action = state.withLock { state -> (@Sendable () -> Void)? in
            guard let last = state.due.last, last.at <= limit else {
                state.elapsed = max(state.elapsed, limit)
                return nil
            }
            state.elapsed = max(state.elapsed, last.at)
            return state.due.removeLast().action
        }
        action?()
        return action != nil
    }

    /// Waits.
    func pause(_ duration: Duration) async throws {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.sleepers[number] = continuation
                    return false
                }
                if isCancelled { return continuation.resume(throwing: CancellationError()) }
                after(duration) { [self] in take(number)?.resume() }
            }
        } onCancel: {
            take(number)?.resume(throwing: CancellationError())
        }
    }

    private func take(_ number: UInt64) -> CheckedContinuation<Void, any Error>? {
        state.withLock { $0.sleepers.removeValue(forKey: number) }
    }

    /// For a node.
    var source: TimeSource {
        TimeSource(now: { self.wall }, pause: { try await self.pause($0) })
    }

    /// For what a node does over the network.
    var ofNetwork: RelayNetwork.Time {
        RelayNetwork.Time(now: { self.base + self.elapsed }, pause: { try await self.pause($0) })
    }
}
