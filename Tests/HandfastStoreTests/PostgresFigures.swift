import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastPostgres
import HandfastStore
import HandfastTestSupport
import Testing

/// What one relay and one database carry, for Spec/08 §8.5; measured only where it is asked for:
/// `HANDFAST_FIGURES=100000 swift test -c release -Xswiftc -enable-testing --filter PostgresFigures`.
@Suite(.serialized) struct PostgresFigures {
    /// How many queues, in services of a hundred.
    private static let queues = ProcessInfo.processInfo.environment["HANDFAST_FIGURES"].flatMap { Int($0) }
    private static let queuesPerService = 100

    @Test(.enabled(if: queues != nil)) func whatARelayCarries() async throws {
        let queues = Self.queues ?? 0
        let schema = PostgresPlace.newSchema()
        let store = try PostgresPlace.relay(schema, connections: 8)
        let capability = Make.digest(1)
        let services = try (0..<queues / Self.queuesPerService).map { try Make.service($0) }
        let names = try (0..<queues).map { try Make.queue($0) }
        var clock = ContinuousClock.now
        for (index, service) in services.enumerated() {
            let own = names[index * Self.queuesPerService..<(index + 1) * Self.queuesPerService]
            _ = try await store.commit([
                .attach(service: service),
                .open(
                    service: service,
                    queues: own.map { QueueOpening(id: $0, kind: .send(capability: capability)) }),
            ])
        }
        print("opened \(queues) queues: \(Self.rate(queues, since: clock)) queues/s")
        try Self.size(["queue", "place", "service"], of: schema, per: queues, "queue")

        // What each queue expects next; every queue is used by one connection only.
        var next = [UInt64](repeating: 0, count: queues)
        for (connections, batch, rounds) in [(1, 1, 1_500), (8, 1, 600), (1, 64, 200), (8, 64, 100)] {
            let share = queues / connections
            let (before, standing) = (store, next)
            clock = .now
            let parts = try await withThrowingTaskGroup(of: (Int, [UInt64]).self) { group in
                for connection in 0..<connections {
                    group.addTask {
                        var own = Array(standing[connection * share..<(connection + 1) * share])
                        var random = SystemRandomNumberGenerator()
                        for _ in 0..<rounds {
                            var writes: [RelayWrite] = []
                            for _ in 0..<batch {
                                let place = Int.random(in: 0..<share, using: &random)
                                writes.append(
                                    .put(
                                        queue: names[connection * share + place], capability: capability,
                                        first: own[place], envelopes: [[UInt8](repeating: 7, count: 1_024)],
                                        at: Make.time(1_800_000_000)))
                                own[place] += 1
                            }
                            _ = try await before.commit(writes)
                        }
                        return (connection, own)
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let rate = Self.rate(connections * batch * rounds, since: clock)
            print("put \(connections) connections, batches of \(batch): \(rate) messages/s")
            for (connection, own) in parts {
                next.replaceSubrange(connection * share..<(connection + 1) * share, with: own)
            }
        }
        let stored = Int(next.reduce(0, +))
        try Self.size(["message"], of: schema, per: stored, "message of 1,024 B")

        clock = .now
        var drained = 0
        for service in services {
            let deliveries = try await store.deliveries(to: service, after: 0, limit: 10_000, bytes: 16 << 20)
            guard let last = deliveries.last else { continue }
            drained += deliveries.count
            _ = try await store.commit([.acknowledge(service: service, position: last.position)])
        }
        print("delivered and acknowledged, a service at a time: \(Self.rate(drained, since: clock)) messages/s")
        #expect(drained == stored)
        await store.close()
    }

    @Test(.enabled(if: queues != nil)) func whatAVaultCarries() async throws {
        let folder = try TemporaryFolder().made()
        let store = try await PostgresPlace.newVault(PostgresPlace.newSchema(), keyFile: folder.file("key"))
        let relationships = (Self.queues ?? 0) / 10
        var clock = ContinuousClock.now
        for start in stride(from: 0, to: relationships, by: 500) {
            _ = try await store.commit((start..<start + 500).map { Make.newRelationship($0) })
        }
        print("made relationships in batches of 500: \(Self.rate(relationships, since: clock)) relationships/s")
        for (batch, rounds) in [(1, 1_000), (64, 150), (1_000, 10)] {
            var versions = [Int64](repeating: 1, count: relationships)
            for (index, summary) in try await Self.versions(of: store, relationships) { versions[index] = summary }
            clock = .now
            for round in 0..<rounds {
                let changes = (0..<batch).map { item in
                    let number = (round * 7_919 + item * 104_729) % relationships
                    var change = VaultChange()
                    change.relationship = RelationshipUpdate(
                        id: Make.relationship(number), expectedVersion: versions[number],
                        channel: .set([UInt8](repeating: 1, count: 600)))
                    change.events = [
                        EventDraft(relationship: Make.relationship(number), payload: [UInt8](repeating: 2, count: 600))
                    ]
                    versions[number] += 1
                    return change
                }
                _ = try await store.commit(changes)
            }
            print("steps in batches of \(batch): \(Self.rate(batch * rounds, since: clock)) steps/s")
        }
        await store.close()
    }

    private static func versions(of store: PostgresVaultStore, _ count: Int) async throws -> [(Int, Int64)] {
        var all: [(Int, Int64)] = []
        var position: Int64 = 0
        while all.count < count {
            let page = try await store.relationships(after: position, limit: 10_000)
            for summary in page { all.append((all.count, summary.version)) }
            position = page.last?.position ?? .max
        }
        return all
    }

    private static func rate(_ count: Int, since start: ContinuousClock.Instant) -> Int {
        Int(Double(count) / ((ContinuousClock.now - start) / .seconds(1)))
    }

    private static func size(_ tables: [String], of schema: String, per count: Int, _ what: String) throws {
        let sum = tables.map { "pg_total_relation_size('\(schema).\($0)')" }.joined(separator: " + ")
        let bytes = Int(try PostgresPlace.query("SELECT \(sum)")) ?? 0
        print("\(bytes / max(count, 1)) B on disk a \(what)")
    }
}
