internal import Handfast
internal import HandfastChannel
internal import HandfastStore
internal import Synchronization

/// Reads the feed of events and wakes its readers after each commit.
///
/// Events are read from the store, never handed over in memory: what a reader sees is durable, and a slow reader costs
/// nothing.
final class EventFeed: Sendable {
    private struct State {
        var last: Int64
        var readers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextReader: UInt64 = 0
    }

    private let store: any VaultStore
    private let state: Mutex<State>

    init(store: any VaultStore, last: Int64) {
        self.store = store
        state = Mutex(State(last: last))
    }

    /// The position of the latest event.
    var last: Int64 { state.withLock { $0.last } }

    /// Events up to this position are stored.
    func advance(to position: Int64) {
        let readers = state.withLock { state in
            state.last = max(state.last, position)
            return Array(state.readers.values)
        }
        for reader in readers { reader.yield() }
    }

    /// Events above a position, at most `limit`.
    func events(after position: Int64, limit: Int) async throws(NodeError) -> [NodeEvent] {
        do {
            let page = try await store.events(after: position, limit: min(max(1, limit), 10_000))
            let kept = try page.map { stored in try KeptEvent(decoding: stored.payload) }
            var events = zip(page, kept).map { stored, kept in
                NodeEvent(
                    position: stored.position, time: kept.time, kind: kept.kind,
                    relationship: stored.relationship?.description, detail: kept.detail)
            }
            for (ledger, indices) in recordEvents(of: page, kept) {
                try await read(ledger, for: indices, of: kept, into: &events)
            }
            return events
        } catch {
            throw NodeError(error)
        }
    }

    /// One direction of a relationship's ledger.
    private struct Ledger: Hashable {
        let relationship: RelationshipID
        let direction: SenderRole
    }

    /// The events of a page whose detail stands in the ledger, by where it stands.
    private func recordEvents(of page: [StoredEvent], _ kept: [KeptEvent]) -> [Ledger: [Int]] {
        var indices: [Ledger: [Int]] = [:]
        for index in page.indices {
            guard let id = page[index].relationship, let record = kept[index].record else { continue }
            indices[Ledger(relationship: id, direction: record.direction), default: []].append(index)
        }
        return indices
    }

    /// Completes events of one direction from its records, which mostly follow each other. A record that has been
    /// forgotten with its relationship leaves number and type.
    private func read(
        _ ledger: Ledger, for indices: [Int], of kept: [KeptEvent], into events: inout [NodeEvent]
    ) async throws {
        var records: [UInt64: StoredEntry] = [:]
        for (done, index) in indices.enumerated() {
            guard let record = kept[index].record, let sequence = kept[index].detail.sequence else { continue }
            if records[sequence] == nil {
                let stored = try await store.entries(
                    of: ledger.relationship, direction: ledger.direction, from: sequence, limit: indices.count - done)
                records = Dictionary(stored.map { ($0.sequence, $0) }) { first, _ in first }
            }
            guard let stored = records[sequence], stored.hash == record.hash else { continue }
            events[index].detail = .init(try Entry(decoding: stored.bytes.bytes))
        }
    }

    /// Wakes after each advance, and once at the beginning.
    func wakes() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let id = state.withLock { state in
                state.nextReader += 1
                state.readers[state.nextReader] = continuation
                return state.nextReader
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.readers.removeValue(forKey: id) }
            }
            continuation.yield()
        }
    }
}

/// The events above a position as they come, in order, without end: pages of the store, then what each commit adds.
public struct EventSequence: AsyncSequence, Sendable {
    /// One event after another.
    public typealias Element = NodeEvent

    let feed: EventFeed
    let after: Int64

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(feed: feed, position: after, wakes: feed.wakes().makeAsyncIterator())
    }

    /// Reads one event after another.
    public struct Iterator: AsyncIteratorProtocol {
        let feed: EventFeed
        var position: Int64
        var wakes: AsyncStream<Void>.Iterator
        private var page: ArraySlice<NodeEvent> = []

        init(feed: EventFeed, position: Int64, wakes: AsyncStream<Void>.Iterator) {
            self.feed = feed
            self.position = position
            self.wakes = wakes
        }

        /// The next event; `nil` once the task is cancelled.
        public mutating func next() async throws -> NodeEvent? {
            while page.isEmpty {
                guard !Task.isCancelled, await wakes.next() != nil else { return nil }
                page = try await feed.events(after: position, limit: 1_000)[...]
                // A full page may not be all there is; look again without waiting for another commit.
                if page.count == 1_000 { feed.advance(to: position) }
            }
            guard let event = page.popFirst() else { return nil }
            position = event.position
            return event
        }
    }
}
