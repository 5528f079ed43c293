internal import Synchronization

@testable internal import HandfastLink

/// The life of one process: what it runs, until it is killed. What it does afterwards reaches nobody.
final class SimulatedProcess: Sendable {
    private struct State {
        var isAlive = true
        var tasks: [Task<Void, Never>] = []
        var atEnd: [@Sendable () -> Void] = []
    }

    let number: Int
    private let executor: SeededExecutor
    private let state = Mutex(State())

    init(number: Int, on executor: SeededExecutor) {
        self.number = number
        self.executor = executor
    }

    var isAlive: Bool { state.withLock { $0.isAlive } }

    /// Runs something until it ends or the process is killed.
    ///
    /// - Parameter isCancelled: whether it hears of the end; else it must end by itself.
    func run(isCancelled: Bool = true, _ work: @escaping @Sendable () async -> Void) {
        let task = Task(executorPreference: executor) { [executor] in
            await SimulatedTasks.$executor.withValue(executor) { await work() }
        }
        if isCancelled { state.withLock { $0.tasks.append(task) } }
    }

    /// Done once it is killed.
    func atEnd(_ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.atEnd.append(action) }
    }

    /// Ends between two jobs, whatever is under way.
    func kill() {
        let (tasks, actions) = state.withLock { state in
            defer { state = State(isAlive: false) }
            return (state.tasks, state.atEnd)
        }
        for action in actions { action() }
        for task in tasks { task.cancel() }
    }
}
