internal import ForwardingStores
internal import HandfastChannel
internal import HandfastCrypto
internal import Synchronization

@testable internal import HandfastRelay
@testable internal import HandfastStore

/// Looks at each step that a promise rests on when it is taken, where the histories of messages would show only later,
/// or not at all because something else heals it:
///
/// - a relay stores under each number of a queue once, and in order, and tells of a queue what is in it;
/// - nothing is acknowledged at a relay beyond what some vault of the recipient has on its disk;
/// - a vault takes only that for confirmed, or over from a relay, which the relay has said of exactly these bytes;
/// - on a connection nothing is put into a queue before it was asked what the queue has.
final class Audit: Sendable {
    /// A queue as a relay may tell of it.
    struct Standing: Hashable {
        let queue: QueueID
        let next: UInt64
        let chain: Digest
    }

    private struct State {
        /// Everything that the relay has said of queues.
        var told: Set<Standing> = []
        /// What vaults took over that the relay has not said: right for a queue that is given up, if nothing follows.
        var unsaid: Set<Standing> = []
        /// The queues that envelopes were put into: hellos are confirmed by their answer.
        var queues: Set<QueueID> = []
        /// Whether a side drops what it had to say, because it blocks the other.
        var mayDrop = false
        /// Every vault that was at work, each as it was left.
        var vaults: [MemoryVaultStore] = []
        /// The queues that were asked about, by connection.
        var asked: [Int: Set<QueueID>] = [:]
        var fault: BrokenPromise?
    }

    private let state = Mutex(State())

    /// The first broken promise.
    var fault: BrokenPromise? { state.withLock { $0.fault } }

    private func unless(_ condition: Bool, _ what: @autoclosure () -> String) {
        guard !condition else { return }
        let fault = BrokenPromise(description: what())
        state.withLock { $0.fault = $0.fault ?? fault }
    }

    // MARK: Vaults

    /// A vault is at work.
    func watches(_ vault: MemoryVaultStore) {
        state.withLock { $0.vaults.append(vault) }
    }

    /// A vault is about to commit.
    func sees(_ changes: [VaultChange], in vault: MemoryVaultStore) {
        for change in changes {
            for adoption in change.adoptions {
                let standing = Standing(queue: adoption.queue, next: adoption.next, chain: adoption.chain)
                state.withLock { state in
                    if !state.told.contains(standing) { state.unsaid.insert(standing) }
                }
            }
            for item in change.outbox {
                let unsaid = state.withLock { $0.unsaid.filter { $0.queue == item.queue && $0.next == item.number } }
                unless(
                    !unsaid.contains { QueueChain.digest($0.chain, extendedBy: item.envelope) == item.chain },
                    "envelope \(item.number) follows what the relay has not said of its queue")
            }
            for confirmation in change.outboxConfirmed {
                let item = try? vault.read { rows in
                    rows.relationships[confirmation.relationship]?.value.outbox[confirmation.queue]?[
                        confirmation.through]
                }
                guard let item = item ?? nil, state.withLock({ !$0.mayDrop && $0.queues.contains(item.queue) })
                else { continue }
                let standing = Standing(queue: item.queue, next: item.number + 1, chain: item.chain)
                unless(
                    state.withLock { $0.told.contains(standing) },
                    "envelope \(item.number) counts as confirmed, and the relay has other bytes under this number")
            }
        }
    }

    /// A side is about to block the other.
    func allowsDrops() {
        state.withLock { $0.mayDrop = true }
    }

    /// The furthest that any vault has committed of a service.
    private func committed(_ service: VerificationKey) -> UInt64 {
        let vaults = state.withLock { $0.vaults }
        return vaults.compactMap { vault in (try? vault.copy().read { $0.cursors[service] }) ?? nil }.max() ?? 0
    }

    // MARK: The relay

    /// What a relay's store made of writes.
    func judges(_ writes: [RelayWrite], _ outcomes: [RelayOutcome], before: MemoryRelayTables) {
        var queues: [QueueID: (next: UInt64, chain: Digest)] = [:]
        for (write, outcome) in zip(writes, outcomes) {
            switch (write, outcome) {
            case (.acknowledge(let service, let position), _):
                let furthest = committed(service)
                unless(
                    position <= furthest,
                    "position \(position) was acknowledged, and no vault has more than \(furthest) on its disk")
            case (.open(_, let openings, _, _), .done):
                for opening in openings {
                    guard case .sendAnew = opening.kind else { continue }
                    queues[opening.id] = (0, QueueChain.start)
                }
            case (.put(let id, _, let first, let envelopes, _), .put(let result, _)) where result.status != .refused:
                // One that was not there before was opened by an earlier write of the same batch.
                var queue = queues[id] ?? before.queue(id).map { ($0.next, $0.chain) } ?? (0, QueueChain.start)
                if result.status == .ok, !envelopes.isEmpty {
                    unless(first == queue.next, "number \(first) was stored where \(queue.next) was due")
                    for envelope in envelopes { queue.chain = QueueChain.digest(queue.chain, extendedBy: envelope) }
                    queue.next += UInt64(envelopes.count)
                    queues[id] = queue
                }
                unless(
                    result.next == queue.next && result.digest == queue.chain,
                    "the relay tells of a queue what is not in it")
                let standing = Standing(queue: id, next: result.next, chain: result.digest)
                state.withLock { state in
                    state.told.insert(standing)
                    state.queues.insert(id)
                }
            default:
                break
            }
        }
    }

    // MARK: The network

    /// A client sends frames.
    func sees(_ frames: [[UInt8]], on connection: Int) {
        for frame in frames {
            guard case .put(let items)? = try? RelayRequest.decode(frame.bytes).1 else { continue }
            for item in items {
                let wasAsked = state.withLock { state in
                    if item.envelopes.isEmpty { state.asked[connection, default: []].insert(item.queue) }
                    return state.asked[connection]?.contains(item.queue) ?? false
                }
                unless(wasAsked, "envelopes were put on a new connection before the queue was asked what it has")
            }
        }
    }
}

/// A relay's store under an audit.
final class AuditedRelayStore: ForwardingRelayStore {
    let behind: MemoryRelayStore
    private let audit: Audit

    init(_ store: MemoryRelayStore, audit: Audit) {
        behind = store
        self.audit = audit
    }

    func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        let before = try behind.read { $0 }
        let outcomes = try await behind.commit(writes)
        audit.judges(writes, outcomes, before: before)
        return outcomes
    }
}
