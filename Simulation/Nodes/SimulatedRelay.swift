internal import HandfastChannel
internal import HandfastCrypto
internal import Logging
internal import Metrics
internal import Synchronization

@testable internal import HandfastLink
@testable internal import HandfastRelay
@testable internal import HandfastStore

/// A relay's process and disk: what serves a real one's connections, without its sockets.
final class SimulatedRelay: Sendable {
    private struct State {
        var store: MemoryRelayStore
        var process: SimulatedProcess?
        var shared: ConnectionService.Shared?
        var disk: SimulatedDisk?
        var processes = 0
    }

    private let executor: SeededExecutor
    private let time: SimulatedTime
    private let network: SimulatedNetwork
    private let audit: Audit
    private let state: Mutex<State>

    init(
        store: MemoryRelayStore, executor: SeededExecutor, time: SimulatedTime, network: SimulatedNetwork, audit: Audit
    ) {
        self.audit = audit
        self.executor = executor
        self.time = time
        self.network = network
        state = Mutex(State(store: store))
    }

    var process: SimulatedProcess? { state.withLock { $0.process } }
    var disk: SimulatedDisk? { state.withLock { $0.disk } }

    /// A copy of what is on its disk.
    func copyOfDisk() -> MemoryRelayStore { state.withLock { $0.store.copy() } }

    /// Starts on what is on its disk, or on another copy of it.
    func start(on other: MemoryRelayStore? = nil, faults: StoreFaults = StoreFaults(), seed: UInt64) {
        let number = state.withLock { state in
            state.processes += 1
            return 1_000 + state.processes
        }
        let process = SimulatedProcess(number: number, on: executor)
        let disk = SimulatedDisk(time: time, process: process, seed: seed)
        let before = other ?? copyOfDisk()
        let store = before.copy(faults: faults, probe: disk.probe { (_: [RelayWrite]) in })
        let metrics = RelayMetrics(factory: NOOPMetricsHandler.instance)
        let audited = AuditedRelayStore(store, audit: audit)
        let commit = GroupCommit(store: audited, metrics: metrics)
        let shared = ConnectionService.Shared(
            store: audited, commit: commit, metrics: metrics, subscriptions: Subscriptions(),
            limits: RelayConfiguration().session, openings: AddressLimiter(RelayConfiguration().openings),
            admits: { _ in true }, now: { [time] in time.wall },
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() })
        state.withLock { state in
            state.store = store
            state.process = process
            state.shared = shared
            state.disk = disk
        }
        process.atEnd { [network] in
            network.gone(process)
            commit.stop()
        }
        // As in a relay, where it goes on until it is told to stop.
        process.run(isCancelled: false) { [self] in
            do { try await commit.run() } catch { kill() }
        }
    }

    /// Ends; what is on the disk stays.
    func kill() {
        let (process, store) = state.withLock { state in
            defer { (state.process, state.shared, state.disk) = (nil, nil, nil) }
            return (state.process, state.store)
        }
        guard let process else { return }
        process.kill()
        let left = store.reopened()
        state.withLock { $0.store = left }
    }

    /// Serves a connection.
    func serve(_ connection: LinkConnection) {
        guard
            let (process, shared) = state.withLock({ state in
                state.process.flatMap { process in
                    state.shared.map { (process, $0) }
                }
            })
        else { return }
        process.run { await ConnectionService(connection, shared).run() }
    }
}
