import HandfastChannel
import HandfastCrypto
import Testing

@testable import HandfastStore

@Suite struct RelayConformanceTests {
    private static let capability = Make.digest(77)

    /// A relay with one service that has a send queue (1) and a knock queue (2).
    private static func relay(_ engine: StoreEngine, limits: RelayLimits = .standard) async throws -> RelayUnderTest {
        let relay = try RelayUnderTest(engine, limits: limits)
        let outcomes = try await relay.store.commit([
            .attach(service: try Make.service(1)), .attach(service: try Make.service(2)),
            .open(
                service: try Make.service(1),
                queues: [
                    QueueOpening(id: try Make.queue(1), kind: .send(capability: capability)),
                    QueueOpening(id: try Make.queue(2), kind: .knock),
                ]),
        ])
        #expect(outcomes == [.attached(acknowledged: 0, last: 0), .attached(acknowledged: 0, last: 0), .done])
        return relay
    }

    private static func put(
        first: UInt64, _ envelopes: [[UInt8]], queue: Int = 1, capability: Digest = Self.capability, at: UInt64 = 10
    ) throws -> RelayWrite {
        .put(
            queue: try Make.queue(queue), capability: capability, first: first, envelopes: envelopes,
            at: Make.time(at))
    }

    private static func chain(_ envelopes: [[UInt8]]) -> Digest {
        envelopes.reduce(QueueChain.start) { QueueChain.digest($0, extendedBy: $1) }
    }

    private static func result(_ outcome: RelayOutcome?) -> PutResult? {
        guard case .put(let result, _) = outcome else { return nil }
        return result
    }

    @Test(arguments: StoreEngine.allCases)
    func deliversInOrderOfPositionUntilAcknowledged(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let service = try Make.service(1)
        let outcomes = try await relay.store.commit([
            Self.put(first: 0, [[1], [2]]), Self.put(first: 2, [[3]]),
        ])
        #expect(
            outcomes == [
                .put(
                    PutResult(status: .ok, next: 2, digest: Self.chain([[1], [2]])),
                    Arrival(service: service, last: 2)),
                .put(
                    PutResult(status: .ok, next: 3, digest: Self.chain([[1], [2], [3]])),
                    Arrival(service: service, last: 3)),
            ])
        let all = try await relay.store.deliveries(to: service, after: 0, limit: 10, bytes: 100)
        #expect(all.map(\.position) == [1, 2, 3])
        #expect(all.map(\.bytes) == [[1], [2], [3]])
        #expect(all.map(\.queue) == [try Make.queue(1), try Make.queue(1), try Make.queue(1)])
        #expect(try await relay.store.deliveries(to: service, after: 0, limit: 2, bytes: 100).count == 2)
        #expect(try await relay.store.deliveries(to: service, after: 0, limit: 10, bytes: 2).count == 2)
        #expect(try await relay.store.deliveries(to: service, after: 0, limit: 10, bytes: 0).count == 1)
        #expect(try await relay.store.commit([.acknowledge(service: service, position: 2)]) == [.done])
        try await relay.reopen()
        #expect(
            try await relay.store.deliveries(to: service, after: 0, limit: 10, bytes: 100).map(\.position) == [3])
        #expect(
            try await relay.store.commit([
                .acknowledge(service: service, position: 1), .acknowledge(service: service, position: 4),
            ]) == [.done, .refused])
    }

    @Test(arguments: StoreEngine.allCases)
    func positionsAndNumbersAreNeverUsedAgain(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let service = try Make.service(1)
        _ = try await relay.store.commit([Self.put(first: 0, [[1], [2]]), .acknowledge(service: service, position: 2)])
        try await relay.reopen()
        #expect(try await relay.store.commit([.attach(service: service)]) == [.attached(acknowledged: 2, last: 2)])
        let outcome = try await relay.store.commit([Self.put(first: 2, [[3]])])
        #expect(Self.result(outcome.first)?.digest == Self.chain([[1], [2], [3]]))
        #expect(
            try await relay.store.deliveries(to: service, after: 0, limit: 10, bytes: 100).map(\.position) == [3])
    }

    @Test(arguments: StoreEngine.allCases)
    func aPutOutOfTurnStoresNothing(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        _ = try await relay.store.commit([Self.put(first: 0, [[1]])])
        let outcomes = try await relay.store.commit([
            Self.put(first: 0, [[1]]), Self.put(first: 2, [[3]]), Self.put(first: 9, []),
            Self.put(first: 1, [[2]], capability: Make.digest(1)), Self.put(first: 1, [[2]], queue: 99),
            Self.put(first: 0, [[2]], queue: 2),
        ])
        #expect(outcomes.map { Self.result($0)?.status } == [.behind, .gap, .ok, .refused, .refused, .refused])
        #expect(outcomes.prefix(3).allSatisfy { Self.result($0)?.next == 1 })
        #expect(Self.result(outcomes[3])?.digest == QueueChain.start)
        #expect(
            try await relay.store.deliveries(to: Make.service(1), after: 0, limit: 10, bytes: 100).count == 1)
    }

    @Test(arguments: StoreEngine.allCases)
    func aFullQueueRefusesUntilItIsDrained(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.queueMessages = 3
        limits.queueBytes = 10
        var relay = try await Self.relay(engine, limits: limits)
        var outcomes = try await relay.store.commit([
            Self.put(first: 0, [[1], [2], [3], [4]]), Self.put(first: 0, [[UInt8](repeating: 0, count: 11)]),
            Self.put(first: 0, [[1], [2], [3]]), Self.put(first: 3, [[4]]),
        ])
        #expect(outcomes.map { Self.result($0)?.status } == [.full, .full, .ok, .full])
        try await relay.reopen()
        outcomes = try await relay.store.commit([
            Self.put(first: 3, [[4]]), .acknowledge(service: try Make.service(1), position: 3),
            Self.put(first: 3, [[UInt8](repeating: 0, count: 9), [5]]), Self.put(first: 3, [[4], [5]]),
        ])
        #expect(Self.result(outcomes[0])?.status == .full)
        #expect(Self.result(outcomes[2])?.status == .full)
        #expect(Self.result(outcomes[3])?.status == .ok)
    }

    @Test(arguments: StoreEngine.allCases)
    func onlyTheOwnerChangesAQueue(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let stranger = try Make.service(2)
        let unknown = try Make.service(3)
        let queue = try Make.queue(2)
        let outcomes = try await relay.store.commit([
            .open(service: stranger, queues: [QueueOpening(id: queue, kind: .knock)]),
            .admit(service: stranger, queue: queue, knocks: [Make.knock(1)]),
            .publish(service: stranger, queue: queue, bundles: []),
            .close(service: stranger, queues: [queue], at: Make.time(20)),
            .open(service: unknown, queues: [QueueOpening(id: queue, kind: .knock)]),
            .acknowledge(service: unknown, position: 1),
            .publish(service: try Make.service(1), queue: try Make.queue(1), bundles: []),
        ])
        #expect(outcomes.allSatisfy { $0 == .refused })
    }

    @Test(arguments: StoreEngine.allCases)
    func openingAgainChangesOnlyTheCapability(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.queuesPerService = 3
        let relay = try await Self.relay(engine, limits: limits)
        let service = try Make.service(1)
        func open(_ number: Int, _ kind: QueueOpening.Kind) throws -> RelayWrite {
            .open(service: service, queues: [QueueOpening(id: try Make.queue(number), kind: kind)])
        }
        _ = try await relay.store.commit([Self.put(first: 0, [[1]])])
        let outcomes = try await relay.store.commit([
            open(1, .send(capability: Self.capability)), open(1, .knock), open(1, .send(capability: Make.digest(5))),
            Self.put(first: 1, [[2]]), Self.put(first: 1, [[2]], capability: Make.digest(5)),
            open(3, .knock), open(4, .knock),
            .open(
                service: service,
                queues: [
                    QueueOpening(id: try Make.queue(8), kind: .knock),
                    QueueOpening(id: try Make.queue(8), kind: .knock),
                ]),
        ])
        #expect(outcomes[0] == .done)
        #expect(outcomes[1] == .refused)
        #expect(outcomes[2] == .done)
        #expect(Self.result(outcomes[3])?.status == .refused)
        #expect(Self.result(outcomes[4])?.status == .ok)
        #expect(Array(outcomes[5...]) == [.done, .limit, .refused])
    }

    @Test(arguments: StoreEngine.allCases)
    func aQueueThatIsBegunAnewDeliversWhatWaitsAndCountsFromZero(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let service = try Make.service(1)
        func anew(_ number: Int) throws -> RelayWrite {
            let queue = QueueOpening(id: try Make.queue(number), kind: .sendAnew(capability: Self.capability))
            return .open(service: service, queues: [queue])
        }
        _ = try await relay.store.commit([Self.put(first: 0, [[1]])])
        let outcomes = try await relay.store.commit([
            anew(1), Self.put(first: 1, [[2]]), Self.put(first: 0, [[3]]), anew(9),
        ])
        #expect(outcomes[0] == .done && outcomes[3] == .done)
        let gap = try #require(Self.result(outcomes[1]))
        #expect(gap.status == .gap && gap.next == 0)
        #expect(Self.result(outcomes[2])?.status == .ok)
        try await relay.reopen()
        let read = try await relay.store.deliveries(to: service, after: 0, limit: 5, bytes: 9)
        #expect(read.map(\.bytes) == [[1], [3]])
        let closed = try await relay.store.commit([
            .close(service: service, queues: [try Make.queue(1)], at: Make.time(20)), anew(1),
        ])
        #expect(closed == [.done, .closed])
    }

    @Test(arguments: StoreEngine.allCases)
    func aClosedQueueStillDeliversWhatWaits(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let service = try Make.service(1)
        let closing = try await relay.store.commit([
            Self.put(first: 0, [[1]]),
            .close(service: service, queues: [try Make.queue(1), try Make.queue(2)], at: Make.time(20)),
        ])
        #expect(closing.last == .done)
        try await relay.reopen()
        let outcomes = try await relay.store.commit([
            Self.put(first: 1, [[2]]),
            .open(
                service: service,
                queues: [QueueOpening(id: try Make.queue(1), kind: .send(capability: Self.capability))]),
            .knock(
                queue: try Make.queue(2), knock: Make.knock(1), hash: Make.digest(1), hello: [1], at: Make.time(1)),
            .close(service: service, queues: [try Make.queue(1)], at: Make.time(20)),
        ])
        #expect(Self.result(outcomes[0])?.status == .closed)
        #expect(Array(outcomes[1...]) == [.closed, .closed, .done])
        #expect(try await relay.store.deliveries(to: service, after: 0, limit: 5, bytes: 9).map(\.bytes) == [[1]])
    }

    @Test(arguments: StoreEngine.allCases)
    func aHelloIsStoredOnceAndOnlyForAnAdmittedKnock(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.admittedKnocks = 2
        var relay = try await Self.relay(engine, limits: limits)
        let service = try Make.service(1)
        let queue = try Make.queue(2)
        func knock(_ knock: Int, _ hash: Int) -> RelayWrite {
            .knock(
                queue: queue, knock: Make.knock(knock), hash: Make.digest(hash), hello: Make.bytes(hash),
                at: Make.time(60 * UInt64(hash)))
        }
        func admit(_ knocks: Int...) -> RelayWrite {
            .admit(service: service, queue: queue, knocks: knocks.map(Make.knock))
        }
        #expect(
            try await relay.store.commit([knock(1, 1), admit(1, 2, 3), admit(1, 2), knock(1, 1), knock(1, 1)]) == [
                .refused, .limit, .done, .knocked(Arrival(service: service, last: 1)), .repeated,
            ])
        _ = try await relay.store.commit([.acknowledge(service: service, position: 1)])
        try await relay.reopen()
        #expect(
            try await relay.store.commit([
                knock(1, 1), knock(1, 2), knock(1, 3), knock(1, 4), knock(1, 5), admit(2), knock(1, 1), knock(2, 1),
            ]) == [
                .repeated, .knocked(Arrival(service: service, last: 2)), .knocked(Arrival(service: service, last: 3)),
                .knocked(Arrival(service: service, last: 4)), .limit, .done, .refused,
                .knocked(Arrival(service: service, last: 5)),
            ])
        #expect(
            try await relay.store.deliveries(to: service, after: 0, limit: 9, bytes: 9999).map(\.bytes)
                == [2, 3, 4, 1].map { Make.bytes($0) })
    }

    @Test(arguments: StoreEngine.allCases)
    func showsTheBundleInForceElseTheLastToExpire(_ engine: StoreEngine) async throws {
        var relay = try await Self.relay(engine)
        let queue = try Make.queue(2)
        #expect(try await relay.store.bundle(of: queue, at: Make.time(0)) == nil)
        let bundles = [(10, 20), (20, 30), (5, 15)].enumerated().map { index, span in
            PublishedBundle(
                notBefore: Make.time(UInt64(span.0)), expires: Make.time(UInt64(span.1)), bytes: [UInt8(index)])
        }
        _ = try await relay.store.commit([
            .publish(service: try Make.service(1), queue: queue, bundles: [bundles[0]]),
            .publish(service: try Make.service(1), queue: queue, bundles: bundles),
        ])
        try await relay.reopen()
        var shown: [[UInt8]?] = []
        for time: UInt64 in [0, 7, 12, 20, 99] {
            shown.append(try await relay.store.bundle(of: queue, at: Make.time(time)))
        }
        #expect(shown == [[1], [2], [0], [1], [1]])
        #expect(try await relay.store.bundle(of: Make.queue(1), at: Make.time(0)) == nil)
        #expect(try await relay.store.bundle(of: Make.queue(99), at: Make.time(0)) == nil)
    }

    @Test(arguments: StoreEngine.allCases)
    func aTimeThatCannotBeStoredFailsItsOwnRequestOnly(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let (service, queue) = (try Make.service(1), try Make.queue(2))
        func publish(from: UInt64, to: UInt64) -> RelayWrite {
            let bundle = PublishedBundle(notBefore: Make.time(from), expires: Make.time(to), bytes: [1])
            return .publish(service: service, queue: queue, bundles: [bundle])
        }
        let outcomes = try await relay.store.commit([
            publish(from: 0, to: .max), Self.put(first: 0, [[1]]), publish(from: 1 << 63, to: 1 << 63),
            publish(from: 0, to: (1 << 63) - 1),
        ])
        #expect(outcomes[0] == .limit)
        #expect(Self.result(outcomes[1])?.status == .ok)
        #expect(outcomes[2...] == [.limit, .done])
    }

    @Test(arguments: StoreEngine.allCases)
    func expiryGoesInBoundedBatchesAndLeavesGaps(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.queueMessages = 6
        let relay = try await Self.relay(engine, limits: limits)
        for number: UInt64 in 0..<6 {
            _ = try await relay.store.commit([Self.put(first: number, [[UInt8(number)]], at: number)])
        }
        #expect(try await relay.store.expire(storedBefore: Make.time(4), at: Make.time(4), limit: 3).deleted == 3)
        #expect(try await relay.store.expire(storedBefore: Make.time(4), at: Make.time(4), limit: 3).deleted == 1)
        #expect(try await relay.store.expire(storedBefore: Make.time(4), at: Make.time(4), limit: 3).deleted == 0)
        let service = try Make.service(1)
        #expect(
            try await relay.store.deliveries(to: service, after: 0, limit: 9, bytes: 99).map(\.position) == [5, 6, 8])
        let outcomes = try await relay.store.commit([
            Self.put(first: 6, [[1], [2], [3], [4], [5]]), Self.put(first: 6, [[1], [2], [3], [4]]),
        ])
        #expect(outcomes.map { Self.result($0)?.status } == [.full, .ok])
    }

    @Test(arguments: StoreEngine.allCases)
    func whatCameTogetherIsAcknowledgedAndExpiresInParts(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.queueMessages = 300
        limits.queueBytes = 300_000
        var relay = try await Self.relay(engine, limits: limits)
        let service = try Make.service(1)
        // More messages and more bytes than lie in one row.
        let envelopes = (0..<300).map { number in
            [UInt8](repeating: UInt8(number % 251), count: 1 + number * 7 % 1_990)
        }
        #expect(Self.result(try await relay.store.commit([Self.put(first: 0, envelopes, at: 5)])[0])?.status == .ok)
        func left() async throws -> [[UInt8]] {
            try await relay.store.deliveries(to: service, after: 0, limit: 1_000, bytes: 1 << 20).map(\.bytes)
        }
        #expect(try await left() == envelopes)
        for position: UInt64 in [1, 2, 64, 65, 130, 255, 256, 257] {
            #expect(
                try await relay.store.commit([.acknowledge(service: service, position: position)]) == [.done])
            #expect(try await left() == Array(envelopes[Int(position)...]))
            let some = try await relay.store.deliveries(to: service, after: position + 2, limit: 3, bytes: 1 << 20)
            #expect(some.map(\.position) == [position + 3, position + 4, position + 5])
        }
        try await relay.reopen()
        let time = Make.time(6)
        #expect(try await relay.store.expire(storedBefore: time, at: time, limit: 3).deleted == 3)
        #expect(try await left().filter { !$0.isEmpty } == Array(envelopes[260...]))
        // What was acknowledged and what expired made room, to the message and to the byte.
        let free = 300_000 - envelopes[260...].reduce(0) { $0 + $1.count }
        let small = [[UInt8]](repeating: [9], count: 259)
        let outcomes = try await relay.store.commit([
            Self.put(first: 300, small + [[9], [9]]),
            Self.put(first: 300, Array(repeating: [UInt8](repeating: 9, count: free / 4), count: 4) + [[9, 9, 9, 9]]),
            Self.put(first: 300, small + [[UInt8](repeating: 9, count: free - 259)]),
        ])
        #expect(outcomes.map { Self.result($0)?.status } == [.full, .full, .ok])
    }

    @Test(arguments: StoreEngine.allCases)
    func theWholeRelayHasALimit(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        // A service, two queues, and one message of at most 72 bytes.
        limits.totalBytes = 3 * RelayLimits.queueCost + RelayLimits.messageCost + 72
        limits.reservedPerQueue = 0
        var relay = try await Self.relay(engine, limits: limits)
        let service = try Make.service(1)
        let knocks = try Make.queue(2)
        let bundle = PublishedBundle(
            notBefore: Make.time(0), expires: Make.time(9), bytes: [UInt8](repeating: 0, count: 72))
        func open(_ number: Int) throws -> RelayWrite {
            .open(service: service, queues: [QueueOpening(id: try Make.queue(number), kind: .knock)])
        }
        let full: [RelayOutcome] = [.relayFull, .relayFull, .relayFull, .attached(acknowledged: 0, last: 1), .done]
        var outcomes = try await relay.store.commit([
            Self.put(first: 0, [[UInt8](repeating: 0, count: 73)]), Self.put(first: 0, [[1]]),
            Self.put(first: 1, [[2]]), open(3),
            .admit(service: service, queue: knocks, knocks: [Make.knock(1)]),
            .publish(service: service, queue: knocks, bundles: [bundle]),
            .attach(service: service), .admit(service: service, queue: knocks, knocks: []),
        ])
        #expect(outcomes.prefix(3).map { Self.result($0)?.status } == [.full, .ok, .full])
        #expect(Array(outcomes[3...]) == full)
        try await relay.reopen()
        outcomes = try await relay.store.commit([
            Self.put(first: 1, [[2]]), .acknowledge(service: service, position: 1), Self.put(first: 1, [[2]]),
        ])
        #expect([outcomes[0], outcomes[2]].map { Self.result($0)?.status } == [.full, .ok])
        _ = try await relay.store.expire(storedBefore: Make.time(11), at: Make.time(11), limit: 10)
        outcomes = try await relay.store.commit([
            .publish(service: service, queue: knocks, bundles: [bundle]), Self.put(first: 2, [[3]]),
            .close(service: service, queues: [knocks], at: Make.time(20)), Self.put(first: 2, [[3]]),
        ])
        #expect(outcomes[0] == .done)
        #expect([outcomes[1], outcomes[3]].map { Self.result($0)?.status } == [.full, .ok])
    }

    @Test(arguments: StoreEngine.allCases)
    func aClosedQueueDoesNotCountAndGoesInTheEnd(_ engine: StoreEngine) async throws {
        var limits = RelayLimits()
        limits.queuesPerService = 2
        var relay = try await Self.relay(engine, limits: limits)
        let service = try Make.service(1)
        func open(_ number: Int) throws -> RelayWrite {
            .open(
                service: service,
                queues: [QueueOpening(id: try Make.queue(number), kind: .send(capability: Self.capability))])
        }
        var outcomes = try await relay.store.commit([
            Self.put(first: 0, [[1]], at: 15), open(3),
            .close(service: service, queues: [try Make.queue(1)], at: Make.time(10)),
            open(3), open(4),
        ])
        #expect(Array(outcomes[1...]) == [.limit, .done, .done, .limit])
        // What waits in it is still delivered.
        #expect(
            try await relay.store.expire(storedBefore: Make.time(12), at: Make.time(12), limit: 5)
                == Expiry(deleted: 0, queues: 0, arrivals: [], more: false))
        #expect(Self.result(try await relay.store.commit([Self.put(first: 1, [[2]])]).first)?.status == .closed)
        _ = try await relay.store.commit([.acknowledge(service: service, position: 1)])
        try await relay.reopen()
        #expect(try await relay.store.expire(storedBefore: Make.time(10), at: Make.time(10), limit: 5).queues == 0)
        #expect(try await relay.store.expire(storedBefore: Make.time(11), at: Make.time(11), limit: 5).queues == 1)
        outcomes = try await relay.store.commit([Self.put(first: 1, [[2]]), Self.put(first: 0, [[1]], queue: 3)])
        #expect(outcomes.map { Self.result($0)?.status } == [.refused, .ok])
        #expect(try await relay.store.deliveries(to: service, after: 0, limit: 5, bytes: 9).map(\.bytes) == [[1]])
    }

    @Test(arguments: StoreEngine.allCases)
    func aServiceWithoutQueuesTakesNothingAndIsForgotten(_ engine: StoreEngine) async throws {
        var relay = try RelayUnderTest(engine)
        let service = try Make.service(5)
        func open(_ number: Int, after position: UInt64 = 0) throws -> RelayWrite {
            .open(
                service: service,
                queues: [QueueOpening(id: try Make.queue(number), kind: .send(capability: Self.capability))],
                after: position)
        }
        func close(_ number: Int, at seconds: UInt64) throws -> RelayWrite {
            .close(service: service, queues: [try Make.queue(number)], at: Make.time(seconds))
        }
        func expire(before seconds: UInt64) async throws {
            _ = try await relay.store.expire(storedBefore: Make.time(seconds), at: Make.time(seconds), limit: 9)
        }
        func standing() async throws -> RelayOutcome? {
            try await relay.store.commit([.attach(service: service)]).first
        }
        #expect(try await standing() == .attached(acknowledged: 0, last: 0))
        #expect(try await relay.store.kept().bytes == 0)
        _ = try await relay.store.commit([
            open(1), open(2), Self.put(first: 0, [[1], [2]]), .acknowledge(service: service, position: 2),
            close(1, at: 10), close(2, at: 20),
        ])
        try await expire(before: 15)
        #expect(try await standing() == .attached(acknowledged: 2, last: 2))
        #expect(try await relay.store.kept().bytes == 2 * RelayLimits.queueCost)
        try await expire(before: 25)
        #expect(try await relay.store.kept().bytes == 0)
        try await relay.reopen()
        #expect(try await standing() == .attached(acknowledged: 0, last: 0))
        // Whoever was connected all the while has had positions 1 and 2, and gets what comes above.
        _ = try await relay.store.commit([open(1, after: 2), Self.put(first: 0, [[3]])])
        #expect(
            try await relay.store.deliveries(to: service, after: 2, limit: 9, bytes: 99).map(\.position) == [3])
        #expect(
            try await relay.store.kept().bytes == 2 * RelayLimits.queueCost + RelayLimits.messageCost + 1)
    }

    @Test(arguments: StoreEngine.allCases)
    func aServiceWithAQueueIsNotForgotten(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let service = try Make.service(1)
        _ = try await relay.store.commit([
            Self.put(first: 0, [[1]]), .acknowledge(service: service, position: 1),
            .close(service: service, queues: [try Make.queue(1)], at: Make.time(10)),
        ])
        let expiry = try await relay.store.expire(storedBefore: Make.time(99), at: Make.time(99), limit: 9)
        #expect(expiry.queues == 1)
        #expect(try await relay.store.commit([.attach(service: service)]) == [.attached(acknowledged: 1, last: 1)])
    }

    @Test(arguments: StoreEngine.allCases)
    func aHelloThatExpiredIsStoredAnew(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        let service = try Make.service(1)
        func knock(_ number: Int, at seconds: UInt64) throws -> RelayWrite {
            .knock(
                queue: try Make.queue(2), knock: Make.knock(number), hash: Make.digest(number), hello: [UInt8(number)],
                at: Make.time(seconds))
        }
        func retention(_ seconds: Int) throws -> RelayWrite {
            var policy = QueuePolicy()
            policy.retentionSeconds = seconds
            return .policy(
                service: service, settings: [PolicySetting(id: try Make.queue(2), policy: policy)], at: Make.time(0))
        }
        func stored() async throws -> [[UInt8]] {
            try await relay.store.deliveries(to: service, after: 0, limit: 9, bytes: 99).map(\.bytes).filter {
                !$0.isEmpty
            }
        }
        _ = try await relay.store.commit([
            .admit(service: service, queue: try Make.queue(2), knocks: [Make.knock(1), Make.knock(2)]),
            knock(1, at: 10), knock(2, at: 20), knock(1, at: 21),
        ])
        #expect(try await stored() == [[1], [2]])
        _ = try await relay.store.expire(storedBefore: Make.time(20), at: Make.time(30), limit: 9)
        #expect(try await stored() == [[2]])
        _ = try await relay.store.commit([retention(5), knock(1, at: 30), knock(2, at: 30)])
        #expect(try await stored() == [[2], [1]])
        _ = try await relay.store.expire(storedBefore: Make.time(20), at: Make.time(35), limit: 9)
        #expect(try await stored() == [[2]])
        _ = try await relay.store.commit([knock(1, at: 36)])
        #expect(try await stored() == [[2], [1]])
        // The retention counts under which it was stored, whatever was set since.
        _ = try await relay.store.commit([retention(500)])
        _ = try await relay.store.expire(storedBefore: Make.time(30), at: Make.time(41), limit: 9)
        #expect(try await stored().isEmpty)
        _ = try await relay.store.commit([knock(2, at: 42), knock(1, at: 43)])
        #expect(try await stored() == [[2], [1]])
    }

    @Test(arguments: StoreEngine.allCases)
    func aClosedStoreRefuses(_ engine: StoreEngine) async throws {
        let relay = try await Self.relay(engine)
        await relay.store.close()
        await #expect(throws: StoreError.closed) { _ = try await relay.store.commit([Self.put(first: 0, [])]) }
    }
}
