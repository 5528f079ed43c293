internal import Handfast
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastLink
internal import Synchronization

@testable internal import HandfastNode
@testable internal import HandfastRelay
@testable internal import HandfastStore

/// A node's process and disk.
final class SimulatedNode: Sendable {
    private struct State {
        var store: MemoryVaultStore
        var process: SimulatedProcess?
        var node: Node?
        var disk: SimulatedDisk?
        /// What was read last, which mostly is still so: decoding it takes its time.
        var kept: (row: [UInt8], relationship: KeptRelationship)?
        var texts: [(event: [UInt8], text: String?)] = []
    }

    let name: String
    private let place: Place
    private let state: Mutex<State>

    /// Where it runs.
    struct Place: Sendable {
        let executor: SeededExecutor
        let time: SimulatedTime
        let network: SimulatedNetwork
        let relay: SimulatedRelay
        let address: RelayAddress
        let recorder: SealingRecorder
        let audit: Audit
        let nextProcess: @Sendable () -> Int
    }

    init(name: String, store: MemoryVaultStore, in place: Place) {
        self.name = name
        self.place = place
        state = Mutex(State(store: store))
    }

    var node: Node? { state.withLock { $0.node } }
    var disk: SimulatedDisk? { state.withLock { $0.disk } }
    var process: SimulatedProcess? { state.withLock { $0.process } }
    /// What is on its disk now.
    var store: MemoryVaultStore { state.withLock { $0.store } }

    /// A copy of what is on its disk.
    func copyOfDisk() -> MemoryVaultStore { store.copy() }

    /// Starts on what is on its disk, or on another copy of it.
    func start(on other: MemoryVaultStore? = nil, faults: StoreFaults = StoreFaults(), seed: UInt64) {
        let place = place
        let process = SimulatedProcess(number: place.nextProcess(), on: place.executor)
        let disk = SimulatedDisk(time: place.time, process: process, seed: seed)
        let working = Shared<MemoryVaultStore?>(nil)
        let probe = disk.probe { (changes: [VaultChange]) in
            if let store = working.value { place.audit.sees(changes, in: store) }
            try place.recorder.sees(changes)
        }
        let store = (other ?? copyOfDisk()).copy(faults: faults, probe: probe)
        working.set(store)
        place.audit.watches(store)
        var configuration = NodeConfiguration(relay: place.address, name: name, allowsPrivateAddresses: true)
        configuration.delivery.longestPause = .seconds(30)
        let jitter = Mutex(Randomness(seed: seed ^ 0x6a09_e667))
        let network = RelayNetwork(
            time: place.time.ofNetwork, jitter: RelayNetwork.Jitter { jitter.withLock { $0.next() } },
            connect: { _, _ throws(RelayError) in
                let link = try await place.network.connect(process, to: place.relay)
                return RelayClient(on: link, time: place.time.ofNetwork)
            })
        let last = (try? store.read { $0.lastEvent }) ?? 0
        let node = Node(
            configuration, store, nil, nil, place.time.source, Randomness(seed: seed), lastEvent: last,
            network: network)
        state.withLock { state in
            state.store = store
            state.process = process
            state.node = node
            state.disk = disk
        }
        process.atEnd {
            place.network.gone(process)
            working.set(nil)
        }
        process.run { [self] in
            do { try await node.serve() } catch { if process.isAlive { kill() } }
        }
    }

    /// Ends; what is on the disk stays.
    func kill() {
        let (process, store) = state.withLock { state in
            defer { (state.process, state.node, state.disk) = (nil, nil, nil) }
            return (state.process, state.store)
        }
        guard let process else { return }
        process.kill()
        let left = store.reopened()
        state.withLock { $0.store = left }
    }

    // MARK: What is on the disk

    /// Reads the store; one that failed and answers nothing any more is read as a new process would.
    private func read<Value: Sendable>(_ body: (MemoryVaultTables) -> Value) -> Value? {
        (try? store.read(body)) ?? (try? store.copy().read(body))
    }

    /// The one relationship.
    func kept() -> KeptRelationship? {
        guard let row = read({ $0.relationships.list(after: 0, limit: 1).first?.row.value.state }) ?? nil else {
            return nil
        }
        return state.withLock { state in
            if let kept = state.kept, kept.row == row { return kept.relationship }
            guard let relationship = try? KeptRelationship(decoding: row) else { return nil }
            state.kept = (row, relationship)
            return relationship
        }
    }

    /// The texts that were received, in order.
    func texts() -> [String] {
        let events = read { $0.events } ?? []
        let ledger = read { $0.relationships.list(after: 0, limit: 1).first?.row.value.entries } ?? nil
        return state.withLock { state in
            let known = zip(events, state.texts).prefix { $0.payload == $1.event }.map { $1 }
            state.texts =
                known
                + events.dropFirst(known.count).map { stored in
                    let event = try? KeptEvent(decoding: stored.payload)
                    guard let event, event.kind == .recordReceived else { return (stored.payload, nil) }
                    return (stored.payload, Self.text(of: event, in: ledger ?? [:]))
                }
            return state.texts.compactMap(\.text)
        }
    }

    /// The text of the record that an event is of.
    private static func text(of event: KeptEvent, in ledger: [SenderRole: [UInt64: StoredEntry]]) -> String? {
        guard let record = event.record, let sequence = event.detail.sequence,
            let stored = ledger[record.direction]?[sequence], stored.hash == record.hash,
            let entry = try? Entry(decoding: stored.bytes.bytes)
        else { return nil }
        return NodeEvent.Detail(entry).text
    }

    /// The hashes of the records of one direction, in order.
    func records(_ direction: SenderRole) -> [Digest] {
        let entries = read { $0.relationships.list(after: 0, limit: 1).first?.row.value.entries[direction] }
        return (entries ?? [:])?.values.sorted { $0.sequence < $1.sequence }.map(\.hash) ?? []
    }

    /// How many envelopes wait to be put.
    func waiting() -> Int {
        let outbox = read { $0.relationships.list(after: 0, limit: 1).first?.row.value.outbox }
        return (outbox ?? [:])?.values.reduce(0) { $0 + $1.count } ?? 0
    }
}
