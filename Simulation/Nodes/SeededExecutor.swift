internal import Glibc
internal import Synchronization

/// Runs the tasks and actors of a simulation one job at a time, in an order that a seed decides.
///
/// Everything of a run happens on the one thread that calls ``runOne(chosen:)``; a job that comes from elsewhere has
/// escaped the simulation, and is remembered as a fault.
final class SeededExecutor: TaskExecutor {
    private struct State {
        var ready: [UnownedJob] = []
        var hasEscaped = false
    }

    private let state = Mutex(State())
    private let thread = pthread_self()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isForeign = pthread_equal(pthread_self(), thread) == 0
        state.withLock { state in
            state.ready.append(job)
            if isForeign { state.hasEscaped = true }
        }
    }

    /// How many jobs can run now.
    var readyCount: Int { state.withLock { $0.ready.count } }

    /// Whether a job came from another thread: then the order was not the seed's.
    var hasEscaped: Bool { state.withLock { $0.hasEscaped } }

    /// Runs one of the ready jobs to its next suspension.
    func runOne(chosen index: Int) {
        let job = state.withLock { state in
            state.ready.swapAt(index, state.ready.count - 1)
            return state.ready.popLast()
        }
        unsafe job?.runSynchronously(on: asUnownedTaskExecutor())
    }
}
