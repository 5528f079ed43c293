internal import HandfastLink
internal import HandfastStore
public import Metrics

/// What a relay counts of its work, for whoever operates it; nothing in it names a queue, a service or an address.
///
/// The figures go to a factory of swift-metrics, by default that of the process.
public struct RelayMetrics: Sendable {
    private let connections: Meter
    private let handshakes: [HandshakeOutcome: Counter]
    private let stored: Counter
    private let storedBytes: Counter
    private let puts: [Counter]
    private let knocks: [KnockOutcome: Counter]
    private let openings: [OpeningOutcome: Counter]
    private let delivered: Counter
    private let deliveredBytes: Counter
    private let expired: Counter
    private let commits: Timer
    private let writes: Counter
    private let waitingBytes: Meter
    private let keptBytes: Meter
    private let queues: Meter
    private let errors: Counter

    private enum KnockOutcome: String, CaseIterable {
        case stored, repeated, refused, limit, closed, busy
    }

    private enum OpeningOutcome: String, CaseIterable {
        case done, refused, limit, closed, serviceFull, relayFull, tooFast
    }

    /// Makes the figures, all of them 0.
    public init(factory: any MetricsFactory = MetricsSystem.factory) {
        func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: "handfast_relay_\(name)_total", dimensions: dimensions, factory: factory)
        }
        func meter(_ name: String) -> Meter { Meter(label: "handfast_relay_\(name)", factory: factory) }
        connections = meter("connections")
        handshakes = Dictionary(
            uniqueKeysWithValues: HandshakeOutcome.allCases.map {
                ($0, counter("handshakes", [("outcome", $0.rawValue)]))
            })
        stored = counter("stored_messages")
        storedBytes = counter("stored_bytes")
        puts = PutResult.Status.allCases.map { counter("puts", [("outcome", "\($0)")]) }
        knocks = Dictionary(
            uniqueKeysWithValues: KnockOutcome.allCases.map { ($0, counter("knocks", [("outcome", $0.rawValue)])) })
        openings = Dictionary(
            uniqueKeysWithValues: OpeningOutcome.allCases.map {
                ($0, counter("openings", [("outcome", $0.rawValue)]))
            })
        delivered = counter("delivered_messages")
        deliveredBytes = counter("delivered_bytes")
        expired = counter("expired_messages")
        commits = Timer(label: "handfast_relay_commit_seconds", factory: factory)
        writes = counter("committed_writes")
        waitingBytes = meter("waiting_bytes")
        keptBytes = meter("kept_bytes")
        queues = meter("queues")
        errors = counter("storage_errors")
    }

    func connected() { connections.increment() }

    func disconnected() { connections.decrement() }

    /// Counts a client's first message.
    func judged(_ outcome: HandshakeOutcome) { handshakes[outcome]?.increment() }

    func expired(_ count: Int) { expired.increment(by: count) }

    func keeps(_ kept: RelayKept) {
        keptBytes.set(kept.bytes)
        queues.set(kept.queues)
    }

    func waits(_ bytes: Int) { waitingBytes.set(bytes) }

    func storageFailed() { errors.increment() }

    func committed(writes count: Int, in duration: Duration) {
        writes.increment(by: count)
        commits.recordNanoseconds(Int64(clamping: duration.nanoseconds))
    }

    func delivered(_ deliveries: [Delivery]) {
        delivered.increment(by: deliveries.count)
        deliveredBytes.increment(by: deliveries.reduce(0) { $0 + $1.byteCount })
    }

    /// Counts what became of the writes of one request batch.
    func answered(_ writes: [RelayWrite], _ outcomes: ArraySlice<RelayOutcome>) {
        var (messages, bytes) = (0, 0)
        var items = [Int](repeating: 0, count: puts.count)
        for (write, outcome) in zip(writes, outcomes) {
            switch (write, outcome) {
            case (.put(_, _, _, let envelopes, _), .put(let result, let arrival)):
                items[Int(result.status.rawValue)] += 1
                guard arrival != nil else { break }
                messages += envelopes.count
                bytes += envelopes.reduce(0) { $0 + $1.count }
            case (.knock(_, _, _, let hello, _), _):
                let knock = Self.knock(outcome)
                knocks[knock]?.increment()
                guard knock == .stored else { break }
                messages += 1
                bytes += hello.count
            case (.open, _): openings[Self.opening(outcome)]?.increment()
            default: break
            }
        }
        for (counter, count) in zip(puts, items) where count > 0 { counter.increment(by: count) }
        if messages > 0 { stored.increment(by: messages) }
        if bytes > 0 { storedBytes.increment(by: bytes) }
    }

    private static func opening(_ outcome: RelayOutcome) -> OpeningOutcome {
        switch outcome {
        case .done: .done
        case .limit: .limit
        case .closed: .closed
        case .serviceFull: .serviceFull
        case .relayFull: .relayFull
        case .busy: .tooFast
        case .attached, .put, .knocked, .repeated, .refused: .refused
        }
    }

    private static func knock(_ outcome: RelayOutcome) -> KnockOutcome {
        switch outcome {
        case .knocked: .stored
        case .repeated: .repeated
        case .limit, .serviceFull, .relayFull: .limit
        case .closed: .closed
        case .busy: .busy
        case .attached, .done, .put, .refused: .refused
        }
    }
}

extension Duration {
    /// Whole nanoseconds.
    fileprivate var nanoseconds: Int128 { attoseconds / 1_000_000_000 }
}
