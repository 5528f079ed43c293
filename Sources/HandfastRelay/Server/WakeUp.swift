internal import Synchronization

/// Wakes one waiting task, now or when it next waits; waking twice is waking once.
final class WakeUp: Sendable {
    private struct State {
        var isCalled = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Lets ``wait()`` return.
    func call() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            if state.waiting == nil { state.isCalled = true }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Returns at the next call, at once if there was one since the last return, and when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCalled = state.withLock { state in
                    if state.isCalled || Task.isCancelled {
                        state.isCalled = false
                        return true
                    }
                    state.waiting = continuation
                    return false
                }
                if isCalled { continuation.resume() }
            }
        } onCancel: {
            call()
        }
    }

    /// Waits until the condition, which is looked at now and after each call, holds, or the task is cancelled: a
    /// cancelled task that went on asking would keep its thread from those who could make it true.
    func wait(until isMet: () -> Bool) async {
        while !Task.isCancelled, !isMet() { await wait() }
    }
}
