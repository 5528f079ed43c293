import GRDB
import HandfastChannel
import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastPostgres
@testable import HandfastStore

/// How much of a relay each service and each queue has, as the relay's store enforces it.
@Suite struct RelayRoomTests {
    private static let capability = Make.digest(77)

    private static func open(_ service: Int, _ queues: ClosedRange<Int>) throws -> RelayWrite {
        .open(
            service: try Make.service(service),
            queues: try queues.map { QueueOpening(id: try Make.queue($0), kind: .send(capability: capability)) })
    }

    private static func put(_ queue: Int, first: UInt64, bytes: Int, at: UInt64 = 10) throws -> RelayWrite {
        .put(
            queue: try Make.queue(queue), capability: capability, first: first,
            envelopes: [[UInt8](repeating: 7, count: bytes)], at: Make.time(at))
    }

    private static func acknowledge(_ service: Int, _ position: UInt64) throws -> RelayWrite {
        .acknowledge(service: try Make.service(service), position: position)
    }

    private static func statuses(_ outcomes: [RelayOutcome]) -> [PutResult.Status] {
        outcomes.compactMap { outcome in if case .put(let result, _) = outcome { result.status } else { nil } }
    }

    private static func notices(_ relay: RelayUnderTest, _ service: Int) async throws -> [QueueNotice.Refusal] {
        try await relay.store.deliveries(to: Make.service(service), after: 0, limit: 99, bytes: 1 << 20).compactMap {
            if case .notice(let notice) = $0.content { notice.refusal } else { nil }
        }
    }

    @Test(arguments: StoreEngine.allCases)
    func aServiceKeepsOnlySoMuchWithAllItsQueues(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        // Its own row, three queues, and two messages of 100 bytes.
        limits.serviceBytes = 4 * RelayLimits.queueCost + 2 * (RelayLimits.messageCost + 100)
        var relay = try RelayUnderTest(engine, limits: limits)
        let service = try Make.service(1)
        let knocks = try Make.queue(3)
        let bundle = PublishedBundle(notBefore: Make.time(0), expires: Make.time(99), bytes: [1])
        var outcomes = try await relay.store.commit([
            Self.open(1, 1...2), .open(service: service, queues: [QueueOpening(id: knocks, kind: .knock)]),
            Self.open(2, 4...4), Self.put(1, first: 0, bytes: 100), Self.put(2, first: 0, bytes: 100),
            Self.put(1, first: 1, bytes: 1), Self.put(4, first: 0, bytes: 500),
        ])
        #expect(Array(outcomes.prefix(3)) == [.done, .done, .done])
        #expect(Self.statuses(outcomes) == [.ok, .ok, .full, .ok])
        #expect(try await Self.notices(relay, 1) == [.serviceFull])
        try await relay.reopen()
        outcomes = try await relay.store.commit([
            Self.put(1, first: 1, bytes: 1), Self.open(1, 5...5),
            .admit(service: service, queue: knocks, knocks: [Make.knock(1)]),
            .publish(service: service, queue: knocks, bundles: [bundle]),
            // What is there may be opened again.
            Self.open(1, 1...2),
        ])
        #expect(Self.statuses(outcomes) == [.full])
        #expect(Array(outcomes[1...]) == [.serviceFull, .serviceFull, .serviceFull, .done])
        // What is acknowledged makes room, and what expires, to the byte and as often as it happens.
        _ = try await relay.store.commit([Self.acknowledge(1, 3)])
        for round in UInt64(0)..<3 {
            outcomes = try await relay.store.commit([
                Self.put(1, first: 1 + 2 * round, bytes: 50), Self.put(1, first: 2 + 2 * round, bytes: 150),
                Self.put(2, first: 1, bytes: 0),
            ])
            #expect(Self.statuses(outcomes) == [.ok, .ok, .full])
            let last = try await relay.store.commit([.attach(service: service)])
            guard case .attached(_, let last)? = last.first else { throw StoreError.closed }
            if round == 1 {
                _ = try await relay.store.expire(storedBefore: Make.time(99), at: Make.time(99), limit: 99)
            } else {
                #expect(try await relay.store.commit([Self.acknowledge(1, last)]) == [.done])
            }
        }
        try await relay.reopen()
        // Without its queues it keeps nothing, and with the last it goes.
        _ = try await relay.store.commit([
            .close(service: service, queues: [try Make.queue(1), try Make.queue(2), knocks], at: Make.time(1))
        ])
        _ = try await relay.store.expire(storedBefore: Make.time(300), at: Make.time(300), limit: 99)
        #expect(try await relay.store.kept() == RelayKept(bytes: 2 * RelayLimits.queueCost, queues: 1))
        #expect(try await relay.store.commit([Self.open(1, 1...2), Self.open(1, 5...5)]) == [.done, .done])
    }

    @Test(arguments: StoreEngine.allCases)
    func whatIsThereMayBeOpenedAgainWhereNothingMayBeAdded(_ engine: StoreEngine) async throws {
        let relay = try RelayUnderTest(engine)
        func open(_ queues: Int..., mayAdd: Bool = false) throws -> RelayWrite {
            .open(
                service: try Make.service(1),
                queues: try queues.map {
                    QueueOpening(id: try Make.queue($0), kind: .send(capability: Self.capability))
                },
                mayAdd: mayAdd)
        }
        #expect(
            try await relay.store.commit([
                open(1), open(1, 2, mayAdd: true), open(1, 2), open(2, 3), .attach(service: Make.service(1)),
            ]) == [.busy, .done, .done, .busy, .attached(acknowledged: 0, last: 0)])
        #expect(try await relay.store.kept().queues == 2)
    }

    /// A ticket whose holder finds the service full tells it to the owner, and learns only that there is no room.
    @Test(arguments: StoreEngine.allCases)
    func aHelloThatFindsTheServiceFullIsToldToItsOwner(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.serviceBytes = 2 * RelayLimits.queueCost + RelayLimits.knockCost + RelayLimits.messageCost + 9
        let relay = try RelayUnderTest(engine, limits: limits)
        let (service, queue) = (try Make.service(1), try Make.queue(1))
        func knock(_ bytes: Int) -> RelayWrite {
            .knock(
                queue: queue, knock: Make.knock(1), hash: Make.digest(bytes),
                hello: [UInt8](repeating: 7, count: bytes),
                at: Make.time(5))
        }
        let outcomes = try await relay.store.commit([
            .open(service: service, queues: [QueueOpening(id: queue, kind: .knock)]),
            .admit(service: service, queue: queue, knocks: [Make.knock(1)]), knock(10), knock(9),
        ])
        #expect(outcomes == [.done, .done, .limit, .knocked(Arrival(service: service, last: 2))])
        #expect(try await Self.notices(relay, 1) == [.serviceFull])
    }

    @Test(arguments: StoreEngine.allCases)
    func whoIsThereKeepsItsRoomWhateverOthersStore(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.reservedPerQueue = 1_000
        limits.totalBytes = 20_000
        var relay = try RelayUnderTest(engine, limits: limits)
        // Two queues of somebody, and one of a stranger that fills whatever it gets.
        #expect(try await relay.store.commit([Self.open(1, 1...2), Self.open(2, 3...3)]) == [.done, .done])
        var stored: UInt64 = 0
        while Self.statuses(try await relay.store.commit([Self.put(3, first: stored, bytes: 372)])) == [.ok] {
            stored += 1
        }
        // 5 rows, and 3,000 promised: what is left holds 31 messages of 500.
        #expect(stored == 31)
        try await relay.reopen()
        var outcomes = try await relay.store.commit([
            Self.put(3, first: stored, bytes: 372), Self.open(2, 4...4), Self.open(3, 4...4),
            Self.put(1, first: 0, bytes: 700), Self.put(1, first: 1, bytes: 45), Self.put(1, first: 1, bytes: 44),
            Self.put(2, first: 0, bytes: 872),
        ])
        #expect(Self.statuses(outcomes) == [.full, .ok, .full, .ok, .ok])
        #expect(Array(outcomes[1...2]) == [.relayFull, .relayFull])
        #expect(try await relay.store.kept().bytes <= limits.totalBytes)
        // It goes on, as often as it acknowledges.
        for number in UInt64(1)..<4 {
            outcomes = try await relay.store.commit([
                Self.acknowledge(1, 2 + number), Self.put(2, first: number, bytes: 872),
                Self.put(3, first: stored, bytes: 372),
            ])
            #expect(Self.statuses(outcomes) == [.ok, .full])
        }
        // Nobody is told a notice of what is not its own fault.
        for service in 1...2 { #expect(try await Self.notices(relay, service) == []) }
    }

    @Test(arguments: StoreEngine.allCases)
    func noMoreQueuesAreOpenedThanHaveRoom(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.reservedPerQueue = 1_000
        limits.totalBytes = 20_000
        #expect(limits.openQueues == 10)
        var relay = try RelayUnderTest(engine, limits: limits)
        #expect(
            try await relay.store.commit([Self.open(1, 1...6), Self.open(2, 7...11), Self.open(2, 7...10)])
                == [.done, .relayFull, .done])
        #expect(try await relay.store.kept() == RelayKept(bytes: 12 * RelayLimits.queueCost, queues: 10))
        try await relay.reopen()
        #expect(
            try await relay.store.commit([
                Self.open(3, 12...12), Self.open(1, 1...6),
                .close(service: try Make.service(1), queues: [try Make.queue(1)], at: Make.time(5)),
                Self.open(3, 12...12), Self.open(3, 13...13),
            ]) == [.relayFull, .done, .done, .done, .relayFull])
        #expect(try await relay.store.kept().queues == 10)
    }

    // MARK: Versions

    /// A service with two queues, one of them closed, that keeps messages, a knock and a bundle.
    private static func fill(_ store: any RelayStore) async throws {
        let service = try Make.service(1)
        let knocks = try Make.queue(3)
        let bundle = PublishedBundle(notBefore: Make.time(0), expires: Make.time(99), bytes: [1, 2, 3])
        let outcomes = try await store.commit([
            open(1, 1...2), .open(service: service, queues: [QueueOpening(id: knocks, kind: .knock)]),
            .admit(service: service, queue: knocks, knocks: [Make.knock(1)]),
            .publish(service: service, queue: knocks, bundles: [bundle]), put(1, first: 0, bytes: 10),
            put(1, first: 1, bytes: 20), put(2, first: 0, bytes: 30), acknowledge(1, 1),
            .close(service: service, queues: [try Make.queue(2)], at: Make.time(5)),
        ])
        #expect(outcomes.count { $0 == .done } == 6 && statuses(outcomes) == [.ok, .ok, .ok])
    }

    private static let kept = RelayKept(
        bytes: 4 * RelayLimits.queueCost + RelayLimits.knockCost + 3 + 2 * RelayLimits.messageCost + 50, queues: 2)

    private static var exact: RelayLimits {
        var limits = RelayLimits()
        limits.serviceBytes = kept.bytes + RelayLimits.messageCost + 5
        return limits
    }

    /// What the service keeps was counted right: there is room for one message of 5 bytes and no more.
    private static func judge(_ store: any RelayStore) async throws {
        #expect(try await store.kept() == kept)
        let outcomes = try await store.commit([
            put(1, first: 2, bytes: 6), put(1, first: 2, bytes: 5), put(1, first: 3, bytes: 0),
        ])
        #expect(statuses(outcomes) == [.full, .ok, .full])
    }

    @Test func aSQLiteStoreThatDidNotCountByServiceDoesAfterwards() async throws {
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let old = try SQLiteRelayStore(path: path)
        try await Self.fill(old)
        await old.close()
        let database = try DatabaseQueue(path: path)
        try await database.write { database in
            try database.execute(
                sql: """
                    ALTER TABLE service DROP COLUMN kept;
                    ALTER TABLE kept DROP COLUMN queues;
                    DELETE FROM grdb_migrations WHERE identifier = '6';
                    """)
        }
        try database.close()
        let store = try SQLiteRelayStore(path: path, limits: Self.exact)
        try await Self.judge(store)
        await store.close()
    }

    @Test func aPostgresStoreThatDidNotCountByServiceDoesAfterwards() async throws {
        let schema = PostgresPlace.newSchema()
        let old = try PostgresPlace.relay(schema)
        try await Self.fill(old)
        await old.close()
        _ = try PostgresPlace.query(
            """
            ALTER TABLE \(schema).service DROP COLUMN kept; DROP TABLE \(schema).opened;
            UPDATE \(schema).layout SET version = 1;
            """)
        let store = try PostgresPlace.relay(schema, limits: Self.exact)
        try await Self.judge(store)
        await store.close()
    }
}
