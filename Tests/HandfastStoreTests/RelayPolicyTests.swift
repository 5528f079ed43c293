import Foundation
import GRDB
import HandfastChannel
import HandfastCrypto
import Testing

@testable import HandfastStore

/// What the owner of a queue lets come, as the relay's store enforces it.
@Suite struct RelayPolicyTests {
    private static let capability = Make.digest(77)

    /// A relay with one service that has a send queue (1), a knock queue (2) that admits knocks 1 and 2, and another
    /// send queue (3).
    private static func relay(_ engine: StoreEngine, limits: RelayLimits = .standard) async throws -> RelayUnderTest {
        let relay = try RelayUnderTest(engine, limits: limits)
        let service = try Make.service(1)
        let outcomes = try await relay.store.commit([
            .attach(service: service),
            .open(
                service: service,
                queues: [
                    QueueOpening(id: try Make.queue(1), kind: .send(capability: capability)),
                    QueueOpening(id: try Make.queue(2), kind: .knock),
                    QueueOpening(id: try Make.queue(3), kind: .send(capability: capability)),
                ]),
            .admit(service: service, queue: try Make.queue(2), knocks: [Make.knock(1), Make.knock(2)]),
        ])
        #expect(outcomes == [.attached(acknowledged: 0, last: 0), .done, .done])
        return relay
    }

    private static func policy(_ change: (inout QueuePolicy) -> Void) -> QueuePolicy {
        var policy = QueuePolicy()
        change(&policy)
        return policy
    }

    private static func rate(_ perHour: Int, burst: Int) -> QueuePolicy {
        policy { ($0.messagesPerHour, $0.burst) = (perHour, burst) }
    }

    private static func set(_ policy: QueuePolicy, queue: Int = 1, at: UInt64 = 10) throws -> RelayWrite {
        .policy(
            service: try Make.service(1), settings: [PolicySetting(id: try Make.queue(queue), policy: policy)],
            at: Make.time(at))
    }

    private static func put(
        first: UInt64, _ count: Int, bytes: Int = 1, queue: Int = 1, capability: Digest = Self.capability,
        at: UInt64 = 10
    ) throws -> RelayWrite {
        .put(
            queue: try Make.queue(queue), capability: capability, first: first,
            envelopes: [[UInt8]](repeating: [UInt8](repeating: 7, count: bytes), count: count), at: Make.time(at))
    }

    private static func knock(_ knock: Int, _ hello: Int, at: UInt64) throws -> RelayWrite {
        .knock(
            queue: try Make.queue(2), knock: Make.knock(knock), hash: Make.digest(hello), hello: Make.bytes(hello),
            at: Make.time(at))
    }

    private static func results(_ outcomes: [RelayOutcome]) -> [PutResult] {
        outcomes.compactMap { outcome in
            if case .put(let result, _) = outcome { result } else { nil }
        }
    }

    private static func waiting(_ relay: RelayUnderTest, after position: UInt64 = 0) async throws -> [Delivery] {
        try await relay.store.deliveries(to: Make.service(1), after: position, limit: 100, bytes: 1 << 20)
    }

    // MARK: Pause and close

    @Test(arguments: StoreEngine.allCases)
    func aPausedQueueTakesNothingAndDeliversWhatWaits(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let outcomes = try await relay.store.commit([
            Self.put(first: 0, 2), Self.set(Self.policy { $0.isPaused = true }), Self.put(first: 2, 1),
            Self.put(first: 2, 0), Self.put(first: 0, 1, queue: 3),
        ])
        #expect(Self.results(outcomes).map(\.status) == [.ok, .paused, .paused, .ok])
        #expect(Self.results(outcomes)[1].next == 2)
        #expect(Self.results(outcomes)[1].digest == Self.results(outcomes)[0].digest)
        try await relay.reopen()
        #expect(Self.results(try await relay.store.commit([Self.put(first: 2, 1)])).map(\.status) == [.paused])
        #expect(try await Self.waiting(relay).map(\.position) == [1, 2, 3])
        let resumed = try await relay.store.commit([Self.set(.standard), Self.put(first: 2, 1)])
        #expect(Self.results(resumed).map(\.next) == [3])
    }

    /// The pitfall of nips#686: spam that the receiver cannot filter. Each sender has a queue of its own.
    @Test(arguments: StoreEngine.allCases)
    func whoIsShutOutPlacesNotOneByte(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let service = try Make.service(1)
        _ = try await relay.store.commit([Self.put(first: 0, 3)])
        let before = try await Self.waiting(relay)
        func attack(_ expected: Set<PutResult.Status>) async throws {
            for time: UInt64 in [11, 12, 100_000] {
                let outcomes = try await relay.store.commit([
                    Self.put(first: 3, 1, at: time), Self.put(first: 0, 3, at: time), Self.put(first: 3, 256, at: time),
                    Self.put(first: 3, 1, bytes: 65_614, at: time), Self.put(first: .max, 1, at: time),
                    Self.put(first: 3, 1, capability: Make.digest(1), at: time), Self.put(first: 3, 0, at: time),
                    Self.knock(9, 1, at: time),
                ])
                #expect(Set(Self.results(outcomes).map(\.status)).isSubset(of: expected))
                #expect(outcomes.last == .refused)
            }
            #expect(try await Self.waiting(relay) == before)
            #expect(
                try await relay.store.commit([.attach(service: service)]) == [.attached(acknowledged: 0, last: 3)])
        }
        _ = try await relay.store.commit([Self.set(Self.policy { $0.isPaused = true })])
        try await attack([.paused, .refused])
        // The old capability, once there is another.
        let other = QueueOpening(id: try Make.queue(1), kind: .send(capability: Make.digest(78)))
        _ = try await relay.store.commit([Self.set(.standard), .open(service: service, queues: [other])])
        try await attack([.refused])
        _ = try await relay.store.commit([.close(service: service, queues: [try Make.queue(1)], at: Make.time(20))])
        try await attack([.closed, .refused])
        try await relay.reopen()
        try await attack([.closed, .refused])
    }

    // MARK: Rate

    @Test(arguments: StoreEngine.allCases)
    func aRateLetsABurstComeAndThenFillsWithTime(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        // One every 60 s, three at once.
        var results = Self.results(
            try await relay.store.commit([
                Self.set(Self.rate(60, burst: 3)), Self.put(first: 0, 4), Self.put(first: 0, 3), Self.put(first: 3, 1),
                Self.put(first: 3, 0),
            ]))
        #expect(results.map(\.status) == [.throttled, .ok, .throttled, .throttled])
        #expect(results.map(\.room) == [3, 0, 0, 0])
        #expect(results.map(\.wait) == [0, 0, 60, 60])
        #expect(results.map(\.next) == [0, 3, 3, 3])
        try await relay.reopen()
        results = Self.results(
            try await relay.store.commit([
                Self.put(first: 3, 1, at: 40), Self.put(first: 3, 1, at: 70), Self.put(first: 4, 1, at: 99),
                Self.put(first: 4, 2, at: 190), Self.put(first: 6, 4, at: 1_000_000),
                Self.put(first: 6, 3, at: 1_000_000),
            ]))
        #expect(results.map(\.status) == [.throttled, .ok, .throttled, .ok, .throttled, .ok])
        #expect(results.map(\.wait) == [30, 0, 31, 0, 0, 0])
        #expect(results[4].room == 3)
    }

    @Test(arguments: StoreEngine.allCases)
    func nothingButTimeFillsTheBucket(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let results = Self.results(
            try await relay.store.commit([
                Self.set(Self.rate(60, burst: 2)), Self.put(first: 0, 2), Self.set(Self.rate(60, burst: 2)),
                Self.put(first: 2, 1), Self.set(Self.policy { $0.isPaused = true }), Self.set(Self.rate(60, burst: 2)),
                Self.put(first: 2, 1),
                // A lower burst keeps the sender waiting for one message, not for what it had used before.
                Self.set(Self.rate(60, burst: 1)), Self.put(first: 2, 1),
                // A clock that went back does not stop the filling.
                Self.put(first: 2, 1, at: 5), Self.put(first: 2, 1, at: 70),
            ]))
        #expect(results.map(\.status) == [.ok, .throttled, .throttled, .throttled, .throttled, .ok])
        #expect(results.map(\.wait) == [0, 60, 60, 60, 60, 0])
    }

    @Test func oneMessageAnHourAndAThousandASecondAreCounted() {
        for (rate, wait) in [(1, 3_600), (3_600_000, 1), (7, 515)] {
            let limit = MessageRate(perHour: rate, burst: 1)
            var bucket = TokenBucket()
            bucket.settle(at: Make.time(5), by: limit)
            #expect(bucket.room(in: limit) == 1)
            bucket.take(1)
            #expect(bucket.room(in: limit) == 0)
            #expect(bucket.wait(by: limit) == wait)
            var early = bucket
            early.settle(at: Make.time(5 + UInt64(wait) - 1), by: limit)
            #expect(early.room(in: limit) == 0)
            bucket.settle(at: Make.time(5 + UInt64(wait)), by: limit)
            #expect(bucket.room(in: limit) == 1)
        }
        var full = TokenBucket()
        let most = MessageRate(perHour: 1, burst: 10_000)
        full.take(10_000)
        full.settle(at: Make.time(.max), by: most)
        #expect(full.room(in: most) == 10_000)
    }

    // MARK: Sizes

    @Test(arguments: StoreEngine.allCases)
    func theOwnersSizesHoldBelowTheRelays(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.queueBytes = 100
        let relay = try await Self.relay(engine, limits: limits)
        let results = Self.results(
            try await relay.store.commit([
                Self.set(Self.policy { ($0.waitingBytes, $0.messageBytes) = (30, 20) }),
                Self.put(first: 0, 1, bytes: 21), Self.put(first: 0, 2, bytes: 16), Self.put(first: 0, 1, bytes: 16),
                Self.put(first: 1, 1, bytes: 15), Self.put(first: 1, 1, bytes: 14),
                Self.set(Self.policy { $0.waitingBytes = 1_000 }), Self.put(first: 2, 1, bytes: 71),
                Self.put(first: 2, 1, bytes: 70),
            ]))
        #expect(results.map(\.status) == [.tooLarge, .full, .ok, .full, .ok, .full, .ok])
        #expect(results[0].next == 0)
    }

    // MARK: Retention and notices

    /// The pitfall of Signal-Desktop#520: a quota that loses silently.
    @Test(arguments: StoreEngine.allCases)
    func whatExpiresIsToldToBothEnds(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let service = try Make.service(1)
        _ = try await relay.store.commit([
            Self.put(first: 0, 1, at: 100), Self.set(Self.policy { $0.retentionSeconds = 50 }),
            Self.put(first: 1, 2, at: 100), Self.put(first: 0, 1, queue: 3, at: 100), Self.put(first: 3, 1, at: 130),
        ])
        #expect(try await relay.store.expire(storedBefore: Make.time(1), at: Make.time(149), limit: 9).deleted == 0)
        let expiry = try await relay.store.expire(storedBefore: Make.time(1), at: Make.time(150), limit: 9)
        #expect(expiry.deleted == 2)
        #expect(expiry.arrivals == [Arrival(service: service, last: 6)])
        try await relay.reopen()
        let queue = try Make.queue(1)
        let notice = Delivery(position: 6, queue: queue, .notice(QueueNotice(expired: 2, refusal: .none)))
        #expect(try await Self.waiting(relay).map(\.position) == [1, 4, 5, 6])
        #expect(try await Self.waiting(relay).last == notice)
        let results = Self.results(try await relay.store.commit([Self.put(first: 4, 0), Self.put(first: 4, 1)]))
        #expect(results.map(\.expired) == [2, 2])
        // The next notice takes the place of the one before, and counts on.
        _ = try await relay.store.expire(storedBefore: Make.time(1), at: Make.time(200), limit: 9)
        let last = Delivery(position: 8, queue: queue, .notice(QueueNotice(expired: 4, refusal: .none)))
        #expect(try await Self.waiting(relay).map(\.position) == [1, 4, 8])
        #expect(try await Self.waiting(relay).last == last)
        // Once acknowledged it does not come again.
        #expect(try await relay.store.commit([.acknowledge(service: service, position: 8)]) == [.done])
        try await relay.reopen()
        #expect(try await Self.waiting(relay).isEmpty)
        #expect(Self.results(try await relay.store.commit([Self.put(first: 5, 0)])).first?.expired == 4)
    }

    @Test(arguments: StoreEngine.allCases)
    func aNoticeNeverPassesAMessage(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let service = try Make.service(1)
        _ = try await relay.store.commit([
            Self.set(Self.policy { $0.retentionSeconds = 1 }), Self.put(first: 0, 1, at: 100),
            Self.put(first: 0, 2, queue: 3, at: 100),
        ])
        _ = try await relay.store.expire(storedBefore: Make.time(1), at: Make.time(101), limit: 9)
        _ = try await relay.store.commit([Self.put(first: 2, 2, queue: 3, at: 100)])
        #expect(try await Self.waiting(relay).map(\.position) == [2, 3, 4, 5, 6])
        for (limit, bytes) in [(1, 100), (2, 100), (3, 100), (4, 100), (9, 1), (9, 2), (9, 3)] {
            var seen: [UInt64] = []
            while true {
                let next = try await relay.store.deliveries(
                    to: service, after: seen.last ?? 0, limit: limit, bytes: bytes)
                guard !next.isEmpty else { break }
                #expect(next.count <= limit)
                seen += next.map(\.position)
            }
            #expect(seen == [2, 3, 4, 5, 6])
        }
    }

    @Test(arguments: StoreEngine.allCases)
    func aSenderThatHammersMakesOneNoticeAnHour(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let service = try Make.service(1)
        _ = try await relay.store.commit([Self.set(Self.rate(1, burst: 1)), Self.put(first: 0, 1)])
        func hammer(at time: UInt64) async throws -> [Delivery] {
            for _ in 0..<20 { _ = try await relay.store.commit([Self.put(first: 1, 2, at: time)]) }
            return try await Self.waiting(relay, after: 1)
        }
        let notice = Delivery(
            position: 2, queue: try Make.queue(1), .notice(QueueNotice(expired: 0, refusal: .throttled)))
        #expect(try await hammer(at: 20) == [notice])
        #expect(try await hammer(at: 9_000) == [notice])
        _ = try await relay.store.commit([.acknowledge(service: service, position: 2)])
        #expect(try await hammer(at: 1_000).isEmpty)
        #expect(try await hammer(at: 3_620).map(\.position) == [3])
    }

    @Test(arguments: StoreEngine.allCases)
    func theOwnerIsToldOfWhatWasTooLargeForIt(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let policy = Self.policy { $0.messageBytes = 2 }
        _ = try await relay.store.commit([
            Self.set(policy), Self.set(policy, queue: 2), Self.put(first: 0, 2, bytes: 2),
        ])
        let outcomes = try await relay.store.commit([
            Self.put(first: 2, 2, bytes: 3), Self.put(first: 2, 1, bytes: 3),
            .knock(
                queue: try Make.queue(2), knock: Make.knock(1), hash: Make.digest(1), hello: [1, 2, 3],
                at: Make.time(10)),
        ])
        #expect(Self.results(outcomes).map(\.status) == [.tooLarge, .tooLarge] && outcomes.last == .limit)
        let notice = QueueNotice(expired: 0, refusal: .tooLarge)
        #expect(
            try await Self.waiting(relay, after: 2) == [
                Delivery(position: 3, queue: try Make.queue(1), .notice(notice)),
                Delivery(position: 4, queue: try Make.queue(2), .notice(notice)),
            ])
    }

    // MARK: Strangers

    /// The pitfall of ntfy#144: limits by address alone punish those who share one. These go by queue and ticket.
    @Test(arguments: StoreEngine.allCases)
    func strangersHaveARatePerQueueAndPerTicket(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        (limits.hellosPerHour, limits.helloBurst) = (60, 3)
        let relay = try await Self.relay(engine, limits: limits)
        let service = try Make.service(1)
        func knocked(_ position: UInt64) -> RelayOutcome { .knocked(Arrival(service: service, last: position)) }
        #expect(
            try await relay.store.commit([
                Self.knock(1, 1, at: 1_000), Self.knock(1, 2, at: 1_000), Self.knock(1, 3, at: 1_059),
                Self.knock(1, 1, at: 1_059), Self.knock(1, 3, at: 1_060), Self.knock(2, 4, at: 1_060),
            ]) == [knocked(1), knocked(2), .busy, .repeated, knocked(3), knocked(4)])
        // The fifth within the minute is one too many for the queue, of which its owner has a notice.
        #expect(
            try await relay.store.commit([
                Self.knock(2, 5, at: 1_060), Self.knock(2, 5, at: 1_120), Self.knock(1, 6, at: 1_180),
                Self.knock(1, 7, at: 1_240),
            ]) == [.busy, knocked(6), knocked(7), .limit])
        // The owner's rate counts where it is lower, and so does its pause.
        #expect(
            try await relay.store.commit([
                Self.set(Self.rate(1, burst: 1), queue: 2, at: 1_300), Self.knock(2, 8, at: 1_301),
                Self.set(Self.policy { $0.isPaused = true }, queue: 2, at: 9_000), Self.knock(2, 8, at: 9_001),
                Self.set(.standard, queue: 2, at: 9_001), Self.knock(2, 8, at: 9_001),
            ]).filter { $0 != .done } == [.busy, .busy, knocked(8)])
    }

    // MARK: Owners

    @Test(arguments: StoreEngine.allCases)
    func onlyTheOwnerSetsAPolicyAndOnlyAValidOne(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let (service, stranger) = (try Make.service(1), try Make.service(2))
        func set(_ policy: QueuePolicy, by key: VerificationKey, queues: Int...) throws -> RelayWrite {
            .policy(
                service: key, settings: try queues.map { PolicySetting(id: try Make.queue($0), policy: policy) },
                at: Make.time(1))
        }
        let paused = Self.policy { $0.isPaused = true }
        #expect(
            try await relay.store.commit([
                .attach(service: stranger), set(paused, by: stranger, queues: 1),
                set(paused, by: service, queues: 1, 9),
                set(Self.rate(5, burst: 0), by: service, queues: 1),
                .close(service: service, queues: [try Make.queue(3)], at: Make.time(2)),
                set(paused, by: service, queues: 1, 3), Self.put(first: 0, 1),
            ]).prefix(6) == [
                .attached(acknowledged: 0, last: 0), .refused, .refused, .refused, .done, .closed,
            ])
        #expect(try await Self.waiting(relay).count == 1)
    }

    // MARK: Versions

    @Test func aStoreOfVersion1IsBroughtUpToDate() async throws {
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let (service, queue) = (try Make.service(1), try Make.queue(1))
        let old = try DatabaseQueue(path: path)
        try RelaySchema.current.migrator.migrate(old, upTo: "1")
        try await old.write { database in
            try database.execute(
                sql: """
                    INSERT INTO service VALUES (1, ?, 0, 1, 1);
                    INSERT INTO queue VALUES (1, ?, 1, ?, NULL, 1, ?, 1, 2, 0, 0);
                    INSERT INTO message VALUES (1, 1, 1, 1, 10, ?);
                    INSERT INTO hello VALUES (1, ?, ?);
                    UPDATE kept SET bytes = 642;
                    """,
                arguments: [
                    Data(service.array), Data(queue.array), Data(Self.capability.array), Data(QueueChain.start.array),
                    Data([1, 2]), Data(Make.digest(1).array), Data(Make.digest(2).array),
                ])
            try database.execute(sql: "PRAGMA application_id = \(SQLiteFile.Kind.relay.rawValue)")
        }
        try old.close()
        let store = try SQLiteRelayStore(path: path)
        #expect(
            try await store.deliveries(to: service, after: 0, limit: 9, bytes: 99)
                == [Delivery(position: 1, queue: queue, bytes: [1, 2])])
        let outcomes = try await store.commit([
            Self.set(Self.policy { $0.isPaused = true }), Self.put(first: 1, 1), Self.set(.standard),
            Self.put(first: 1, 1),
        ])
        #expect(Self.results(outcomes).map(\.status) == [.paused, .ok])
        #expect(try await store.kept() == RelayKept(bytes: 642 + 129, queues: 1))
        await store.close()
    }
}
