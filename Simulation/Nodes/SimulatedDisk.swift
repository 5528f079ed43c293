internal import Synchronization

@testable internal import HandfastStore

/// The disk under one store: how long it takes, and how it fails.
final class SimulatedDisk: Sendable {
    private struct State {
        var random: Randomness
        var isFull = false
        var failsOnce = false
    }

    private let time: SimulatedTime
    private let process: SimulatedProcess
    private let state: Mutex<State>

    init(time: SimulatedTime, process: SimulatedProcess, seed: UInt64) {
        self.time = time
        self.process = process
        state = Mutex(State(random: Randomness(seed: seed)))
    }

    /// Whether there is room for anything.
    func setFull(_ isFull: Bool) {
        state.withLock { $0.isFull = isFull }
    }

    /// The next commit fails before anything of it is written.
    func failOnce() {
        state.withLock { $0.failsOnce = true }
    }

    /// For a store: a process that is killed meanwhile has written all of the batch or nothing.
    func probe<Change>(_ sees: @escaping @Sendable ([Change]) throws -> Void) -> CommitProbe<Change> {
        CommitProbe(
            before: { [self] changes throws(StoreError) in
                do { try sees(changes) } catch { throw .corrupted("\(error)") }
                let failure = state.withLock { state -> StoreError? in
                    defer { state.failsOnce = false }
                    if state.isFull { return .full }
                    return state.failsOnce ? .inputOutput("simulated") : nil
                }
                if let failure { throw failure }
                await take()
                guard process.isAlive else { throw .closed }
            }, after: take)
    }

    private func take() async {
        let microseconds = state.withLock { $0.random.below(4_000) }
        try? await time.pause(.microseconds(microseconds))
    }
}
