import Foundation
import GRDB
import HandfastChannel
import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastStore

/// What messages change about queues lies in a log before it lies in its place.
@Suite struct QueueStatesTests {
    private static let capability = Make.digest(77)

    private static func put(_ queue: Int, first: UInt64, _ envelopes: [[UInt8]], at: UInt64 = 10) throws -> RelayWrite {
        .put(
            queue: try Make.queue(queue), capability: capability, first: first, envelopes: envelopes, at: Make.time(at))
    }

    private static func relay(
        at path: String, queues: Range<Int>, limits: RelayLimits = .standard
    ) async throws -> SQLiteRelayStore {
        let store = try SQLiteRelayStore(path: path, limits: limits)
        let openings = try queues.map { QueueOpening(id: try Make.queue($0), kind: .send(capability: capability)) }
        let service = try Make.service(1)
        let outcomes = try await store.commit([.attach(service: service), .open(service: service, queues: openings)])
        #expect(outcomes == [.attached(acknowledged: 0, last: 0), .done])
        return store
    }

    private static func result(_ outcome: RelayOutcome?) throws -> PutResult {
        guard case .put(let result, _) = outcome else { throw StoreError.corrupted("\(String(describing: outcome))") }
        return result
    }

    @Test func nothingOfAQueueIsLostAtAnyMomentOfWritingTheLogBack() async throws {
        var random = SeededEntropy(seed: 21)
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let (service, queues) = (try Make.service(1), 0..<1_000)
        // Two messages fit into a queue, so that it also shows how many wait.
        var limits = RelayLimits()
        limits.queueMessages = 2
        let store = try await Self.relay(at: path, queues: queues, limits: limits)
        var chains = [Digest](repeating: QueueChain.start, count: queues.count)
        for round in 0..<16 as Range<UInt64> {
            let envelope = [UInt8(round)]
            let outcomes = try await store.commit(try queues.map { try Self.put($0, first: round, [envelope]) })
            for queue in queues {
                chains[queue] = QueueChain.digest(chains[queue], extendedBy: envelope)
                let result = try Self.result(outcomes[queue])
                #expect((result.status, result.digest) == (.ok, chains[queue]), "round \(round)")
            }
            if round.isMultiple(of: 2) {
                // What a process that is killed here leaves.
                let left = try TemporaryFolder().made()
                for name in ["relay.sqlite", "relay.sqlite-wal"] {
                    try FileManager.default.copyItem(atPath: folder.file(name), toPath: left.file(name))
                }
                let next = try SQLiteRelayStore(path: left.file("relay.sqlite"), limits: limits)
                let some = (0..<20).map { _ in Int.random(in: queues, using: &random) }
                for queue in Set(some) {
                    let outcomes = try await next.commit([
                        try Self.put(queue, first: round + 1, [[1]]), try Self.put(queue, first: round + 2, [[1]]),
                    ])
                    let results = try outcomes.map(Self.result)
                    #expect(results.map(\.status) == [.ok, .full], "round \(round), queue \(queue)")
                    #expect(results[0].digest == QueueChain.digest(chains[queue], extendedBy: [1]))
                }
                await next.close()
            }
            _ = try await store.commit([.acknowledge(service: service, position: (round + 1) * 1_000)])
        }
        await store.close()
        // A MiB of the log may wait, and as much may come while it is written back.
        let (pages, bytes) = try await DatabaseQueue(path: path).read { database in
            (
                try Int.fetchOne(database, sql: "SELECT count(*) FROM queue_state"),
                try Int.fetchOne(database, sql: "SELECT coalesce(sum(length(states)), 0) FROM queue_change") ?? .max
            )
        }
        #expect(pages == 18)
        #expect(bytes < 2 << 20)
    }

    @Test func aBatchThatFailsLeavesNothingInMemory() async throws {
        let folder = try TemporaryFolder().made()
        let store = try await Self.relay(at: folder.file("relay.sqlite"), queues: 1..<4)
        // A time that cannot be stored fails the batch, after its first put was carried out.
        await #expect(throws: StoreError.self) {
            try await store.commit([try Self.put(1, first: 0, [[1]]), try Self.put(2, first: 0, [[2]], at: .max)])
        }
        let outcomes = try await store.commit([try Self.put(1, first: 0, [[3]]), try Self.put(2, first: 0, [[4]])])
        #expect(
            try outcomes.map(Self.result).map(\.digest)
                == [[3], [4]].map { QueueChain.digest(QueueChain.start, extendedBy: $0) })
        await store.close()
    }

    @Test func aQueueThatTakesTheRowOfAnotherBeginsEmpty() async throws {
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let service = try Make.service(1)
        var store = try await Self.relay(at: path, queues: 1..<4)
        _ = try await store.commit([
            try Self.put(3, first: 0, [[1], [2]]), .acknowledge(service: service, position: 2),
            .close(service: service, queues: [try Make.queue(3)], at: Make.time(11)),
        ])
        let expiry = try await store.expire(storedBefore: Make.time(100), at: Make.time(100), limit: 10)
        #expect(expiry.queues == 1)
        await store.close()
        store = try SQLiteRelayStore(path: path)
        let opening = QueueOpening(id: try Make.queue(9), kind: .send(capability: Self.capability))
        let outcomes = try await store.commit([
            .open(service: service, queues: [opening]), try Self.put(3, first: 2, [[3]]),
            try Self.put(9, first: 0, [[4]]),
        ])
        #expect(outcomes.first == .done)
        #expect(try outcomes.dropFirst().map(Self.result).map(\.status) == [.refused, .ok])
        #expect(try Self.result(outcomes.last).digest == QueueChain.digest(QueueChain.start, extendedBy: [4]))
        await store.close()
    }
}
