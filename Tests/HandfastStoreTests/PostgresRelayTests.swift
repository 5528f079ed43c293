import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastPostgres
import HandfastStore
import HandfastTestSupport
import Testing

/// What only a database that several processes share has to promise.
@Suite struct PostgresRelayTests {
    private static let capability = Make.digest(77)

    /// Tables with one service that has some send queues.
    private static func tables(queues: Int = 1) async throws -> (schema: String, first: PostgresRelayStore) {
        let schema = PostgresPlace.newSchema()
        let store = try PostgresPlace.relay(schema)
        let service = try Make.service(1)
        let openings = try (1...queues).map { number in
            QueueOpening(id: try Make.queue(number), kind: .send(capability: capability))
        }
        _ = try await store.commit([.attach(service: service), .open(service: service, queues: openings)])
        return (schema, store)
    }

    private static func put(_ first: UInt64, _ envelopes: [[UInt8]], queue: Int = 1) throws -> RelayWrite {
        .put(
            queue: try Make.queue(queue), capability: capability, first: first, envelopes: envelopes, at: Make.time(10))
    }

    @Test func aClientThatGoesOnAtAnotherRelayKeepsItsOrder() async throws {
        let (schema, first) = try await Self.tables()
        let second = try PostgresPlace.relay(schema)
        let service = try Make.service(1)
        for number in 0..<10 {
            let store = number % 2 == 0 ? first : second
            _ = try await store.commit([Self.put(UInt64(number), [[UInt8(number)]])])
        }
        #expect(try await second.commit([Self.put(3, [[3]])]).first == first.commit([Self.put(3, [[3]])]).first)
        for store in [first, second] {
            let all = try await store.deliveries(to: service, after: 0, limit: 100, bytes: 1_000)
            #expect(all.map(\.bytes) == (0..<10).map { [UInt8($0)] })
            #expect(all.map(\.position) == (1...10).map { UInt64($0) })
        }
        _ = try await first.commit([.acknowledge(service: service, position: 4)])
        #expect(try await second.deliveries(to: service, after: 0, limit: 1, bytes: 1).first?.position == 5)
        await first.close()
        await second.close()
    }

    @Test func relaysThatCommitAtOnceGiveEachPositionOnce() async throws {
        let queues = 6
        let (schema, first) = try await Self.tables(queues: queues)
        let stores = [first, try PostgresPlace.relay(schema), try PostgresPlace.relay(schema)]
        // Each queue is fed through whatever relay comes next, all queues at once, and several in one batch.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for queue in 1...queues {
                group.addTask {
                    for number in 0..<20 {
                        let store = stores[(queue + number) % stores.count]
                        let outcomes = try await store.commit([
                            Self.put(UInt64(number), [[UInt8(queue), UInt8(number)]], queue: queue),
                            .attach(service: try Make.service(10 + number % 3)),
                        ])
                        guard case .put(let result, _) = outcomes[0] else { throw StoreError.closed }
                        #expect(result.status == .ok)
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = try await first.deliveries(to: Make.service(1), after: 0, limit: 1_000, bytes: 100_000)
        #expect(all.map(\.position) == (1...UInt64(queues * 20)).map { $0 })
        for queue in 1...queues {
            #expect(all.filter { $0.bytes[0] == UInt8(queue) }.map { $0.bytes[1] } == (0..<20).map { UInt8($0) })
        }
        // One sum of three relays' rows, as a relay alone would count.
        let kept = try await first.kept().bytes
        #expect(kept == queues * 256 + 256 + queues * 20 * (128 + 2))
        for store in stores { await store.close() }
        let later = try PostgresPlace.relay(schema)
        #expect(try await later.kept().bytes == kept)
    }

    /// Pitfall 10: a snapshot or transaction that is held keeps dead rows of queue tables from being removed.
    @Test func pitfall10NothingIsHeldBetweenRequests() async throws {
        let (schema, store) = try await Self.tables()
        let service = try Make.service(1)
        for number in 0..<20 {
            _ = try await store.commit([Self.put(UInt64(number), [[UInt8](repeating: 7, count: 500)])])
            _ = try await store.deliveries(to: service, after: 0, limit: 10, bytes: 10_000)
            _ = try await store.commit([.acknowledge(service: service, position: UInt64(number + 1))])
        }
        let held = try PostgresPlace.query(
            """
            SELECT count(*) FROM pg_stat_activity WHERE application_name = 'handfast'
            AND state = 'idle' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
            """)
        #expect(held == "0")
        // Nothing of the twenty that were acknowledged is left once the dead rows are removed, which must wait for
        // whatever the other tests have open in this database for the moment.
        var size = ""
        for _ in 0..<200 where size != "0" {
            _ = try PostgresPlace.query("VACUUM \(schema).message")
            size = try PostgresPlace.query("SELECT pg_relation_size('\(schema).message')")
        }
        #expect(size == "0")
    }

    /// Pitfall 9: a notification per row makes commits wait for each other.
    @Test func pitfall9NothingIsNotifiedAndNoSequenceIsAsked() async throws {
        let (schema, store) = try await Self.tables()
        _ = try await store.commit([Self.put(0, [[1]])])
        let objects = """
            SELECT (SELECT count(*) FROM pg_sequences WHERE schemaname = '\(schema)')
                + (SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = '\(schema)')
                + (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'handfast' AND query ~* 'notify|advisory')
            """
        #expect(try PostgresPlace.query(objects) == "0")
    }

    @Test func aServerThatDoesNotFlushIsRefused() throws {
        let address = try PostgresAddress(
            PostgresServer.shared.get().address + "&options=-c%20synchronous_commit%3Doff")
        #expect(throws: StoreError.unsafeDurability("PostgreSQL has switched off: synchronous_commit")) {
            try PostgresRelayStore(address, schema: PostgresPlace.newSchema())
        }
    }

    @Test func anAddressNeverShowsItsPassword() throws {
        let address = try PostgresAddress("postgres://shop:s3cret@db.example:5433/handfast?sslmode=require")
        #expect("\(address)" == "postgres://shop@db.example:5433/handfast")
        #expect(!String(reflecting: address).contains("s3cret"))
        var text = ""
        dump(address, to: &text)
        #expect(!text.contains("s3cret"))
        // libpq would quote the whole address in its complaint.
        #expect(throws: StoreError.notAVault(path: "postgres://shop@db.example:x/handfast")) {
            try PostgresAddress("postgres://shop:s3cret@db.example:x/handfast?nonsense")
        }
    }

    @Test func whoCannotConnectHearsWhy() throws {
        let address = try PostgresAddress("postgres://nobody@127.0.0.1:1/none")
        #expect {
            try PostgresRelayStore(address)
        } throws: { error in
            guard case StoreError.inputOutput(let reason) = error else { return false }
            return reason.contains("no connection to PostgreSQL") && reason.contains("127.0.0.1")
        }
    }

    @Test func aStoreOfAnotherKindIsLeftAlone() async throws {
        let (schema, store) = try await Self.tables()
        await store.close()
        let address = try PostgresPlace.address()
        _ = try PostgresPlace.query("UPDATE \(schema).layout SET kind = 'other'")
        #expect(throws: StoreError.notAVault(path: "\(address), schema \(schema),")) { try PostgresPlace.relay(schema) }
    }
}
