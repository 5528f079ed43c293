internal import Synchronization

/// What comes of an operation of the ``Keeper`` once its commit has come to its end. Given once, awaited by one task.
final class OperationResult<Success: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Result<Success, NodeError>, Never>)
        case given(Result<Success, NodeError>)
    }

    private let state = Mutex(State.open)

    /// Says what came of it.
    func give(_ result: Result<Success, NodeError>) {
        let waiter = state.withLock { state -> CheckedContinuation<Result<Success, NodeError>, Never>? in
            defer { state = .given(result) }
            guard case .awaited(let waiter) = state else { return nil }
            return waiter
        }
        waiter?.resume(returning: result)
    }

    /// Whether it is known that it failed.
    var hasFailed: Bool {
        state.withLock { state in
            if case .given(.failure) = state { true } else { false }
        }
    }

    /// What the operation returned. Whether the task is cancelled makes no difference: the operation goes on.
    ///
    /// - Throws: why nothing of it stands
    var value: Success {
        get async throws(NodeError) {
            let result = await withCheckedContinuation { continuation in
                let given = state.withLock { state -> Result<Success, NodeError>? in
                    if case .given(let result) = state { return result }
                    state = .awaited(continuation)
                    return nil
                }
                if let given { continuation.resume(returning: given) }
            }
            return try result.get()
        }
    }
}
