internal import HandfastChannel
internal import HandfastCrypto
internal import Synchronization

@testable internal import HandfastStore

/// Two nodes and a relay on one executor, one clock and one network, and the one who decides what runs next.
final class NodeWorld {
    let executor = SeededExecutor()
    let time: SimulatedTime
    let trace: Trace
    let network: SimulatedNetwork
    let recorder = SealingRecorder()
    let audit = Audit()
    let relay: SimulatedRelay
    let place: SimulatedNode.Place
    let nodes: [SimulatedNode]
    var random: Randomness
    private(set) var jobs = 0

    /// What is on three disks at the beginning.
    struct Disks: Sendable {
        var relay = MemoryRelayStore()
        var vaults = [MemoryVaultStore(), MemoryVaultStore()]
        var start = Timestamp(seconds: 1_800_000_000)
    }

    /// More jobs than any run needs that comes to rest.
    private static let jobLimit = 3_000_000

    init(seed: UInt64, disks: Disks, isTelling: Bool = false) throws {
        random = Randomness(seed: seed)
        time = SimulatedTime(start: disks.start)
        trace = Trace(isTelling: isTelling)
        network = SimulatedNetwork(time: time, trace: trace, audit: audit, seed: random.next())
        relay = SimulatedRelay(
            store: disks.relay.copy(), executor: executor, time: time, network: network, audit: audit)
        var keys = Randomness(seed: 7_447)
        let processes = Mutex(0)
        place = SimulatedNode.Place(
            executor: executor, time: time, network: network, relay: relay,
            address: try RelayAddress(
                host: "relay.example", port: 7_447, key: AgreementPrivateKey.generate(using: &keys).publicKey),
            recorder: recorder, audit: audit,
            nextProcess: {
                processes.withLock { count in
                    count += 1
                    return count
                }
            })
        nodes = [
            SimulatedNode(name: "Vendor", store: disks.vaults[0].copy(), in: place),
            SimulatedNode(name: "Customer", store: disks.vaults[1].copy(), in: place),
        ]
    }

    /// Runs one job that is ready, or else what is due next before a moment; whether there was anything.
    func step(to limit: Duration) throws -> Bool {
        let count = executor.readyCount
        guard count > 0 else { return time.advance(to: limit) }
        jobs += 1
        try BrokenPromise.unless(jobs < Self.jobLimit, "it never comes to rest")
        let index = random.below(count)
        trace.noteJob(index, of: count)
        executor.runOne(chosen: index)
        return true
    }

    /// Runs until the clock has gone on.
    func run(for duration: Duration) throws {
        let limit = time.elapsed + duration
        while try step(to: limit) {}
        try BrokenPromise.unless(!executor.hasEscaped, "a job ran outside of the simulation")
        if let fault = audit.fault ?? recorder.fault { throw fault }
    }

    /// Runs so many steps, within a time.
    func run(steps: Int, within duration: Duration) throws {
        let limit = time.elapsed + duration
        for _ in 0..<steps where try !step(to: limit) { return }
    }

    /// Runs until something is true.
    func run(for duration: Duration, until isTrue: () -> Bool) throws -> Bool {
        let limit = time.elapsed + duration
        while time.elapsed < limit {
            if isTrue() { return true }
            try run(for: .milliseconds(100))
        }
        return isTrue()
    }

    /// Ends everything.
    func end() throws {
        for node in nodes { node.kill() }
        relay.kill()
        // Whoever waits is told that it is over, so that nothing is left behind.
        try run(for: .seconds(600))
    }
}
