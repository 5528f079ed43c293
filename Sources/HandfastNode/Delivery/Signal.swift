internal import HandfastRelay
internal import Synchronization

/// Wakes one waiting task; a wake that nobody waits for is kept for the next wait, several count as one.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Wakes the waiting task, or the next that waits.
    func raise() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isRaised = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Waits for a wake, for a moment, or for the task's cancellation.
    func wait(until due: ContinuousClock.Instant, by time: RelayNetwork.Time) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                if (try? await time.pause(due - time.now())) != nil { self.raise() }
            }
            await wait()
            group.cancelAll()
        }
    }

    /// Waits for a wake, or for the task's cancellation.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state -> Bool in
                    if state.isRaised || Task.isCancelled {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            raise()
        }
    }
}
