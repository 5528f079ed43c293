import HandfastChannel
import HandfastCrypto
import HandfastStore
import Testing

@testable import HandfastRelay

/// What the recipient lets come, over real connections.
struct RelayPolicyTests {
    private static func rate(_ perHour: Int, burst: Int) -> QueuePolicy {
        var policy = QueuePolicy()
        (policy.messagesPerHour, policy.burst) = (perHour, burst)
        return policy
    }

    private static var paused: QueuePolicy {
        var policy = QueuePolicy()
        policy.isPaused = true
        return policy
    }

    /// What the relay keeps: what the service could be delivered, and where service and queue stand.
    private static func kept(_ relay: RelayHarness, _ owner: borrowing Owner) async throws -> [Delivery] {
        try await relay.store.deliveries(to: owner.service.publicKey, after: 0, limit: 10_000, bytes: 1 << 30)
    }

    @Test func whoIsShutOutPlacesNotOneByteWhateverItDoes() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let (capability, queue) = (owner.capability, owner.queue)
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            #expect(try await sending.put([owner.item(0, [[1], [2]])]).first?.status == .ok)
            let before = try await Self.kept(relay, owner)
            var random = SecureRandom()
            let other = SendCapability.random(using: &random)

            /// Many connections at once, each with single puts, replays, batches, gaps, other capabilities and knocks.
            func flood(_ expected: Set<PutResult.Status>) async throws {
                let statuses = try await withThrowingTaskGroup(of: Set<PutResult.Status>.self) { group in
                    for number in UInt64(0)..<8 {
                        group.addTask {
                            let client = try await relay.connect()
                            var statuses: Set<PutResult.Status> = []
                            for shown in [capability, other] {
                                let items = [
                                    (2, [[3]]), (0, [[1], [2]]), (2, [[UInt8]](repeating: [7], count: 300)),
                                    (number + 3, [[9]]), (2, []), (.max, [[1]]),
                                    (2, [[UInt8](repeating: 0, count: 65_614)]),
                                ].map { (first: UInt64, envelopes: [[UInt8]]) in
                                    PutItem(queue: queue, capability: shown, first: first, envelopes: envelopes)
                                }
                                for item in items { statuses.formUnion(try await client.put([item]).map(\.status)) }
                                statuses.formUnion(try await client.put(items).map(\.status))
                            }
                            await #expect(throws: RelayError.refused(.refused)) {
                                try await client.knock(
                                    Knock(QueueChain.start), at: queue, hello: [UInt8](repeating: 1, count: 500))
                            }
                            await client.shutDown()
                            return statuses
                        }
                    }
                    return try await group.reduce(into: Set<PutResult.Status>()) { $0.formUnion($1) }
                }
                #expect(statuses == expected)
                #expect(try await Self.kept(relay, owner) == before)
            }
            try await receiving.setPolicies([PolicySetting(id: queue, policy: Self.paused)])
            try await flood([.paused, .refused])
            try await receiving.setPolicies([PolicySetting(id: queue, policy: .standard)])
            try await receiving.open([QueueOpening(id: queue, kind: .send(capability: other.digest))])
            try await receiving.close([queue])
            try await flood([.closed, .refused])
            #expect(try await receiving.attach(owner.service).last == 2)
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func aThrottledQueueFillsByTheRelaysClock() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            try await receiving.setPolicies([PolicySetting(id: owner.queue, policy: Self.rate(120, burst: 2))])
            var number: UInt64 = 0
            func put(_ count: Int) async throws -> PutResult? {
                // A new connection each time: the bucket is the queue's, not the connection's.
                let client = try await relay.connect()
                let result = try await client.put([owner.item(number, [[UInt8]](repeating: [1], count: count))]).first
                number = result?.next ?? 0
                await client.shutDown()
                return result
            }
            let tooMany = try await put(3)
            #expect(tooMany?.status == .throttled && tooMany?.room == 2 && tooMany?.wait == 0)
            #expect(try await put(2)?.status == .ok)
            #expect(try await put(1)?.wait == 30)
            relay.clock.advance(seconds: 29)
            #expect(try await put(1)?.wait == 1)
            relay.clock.advance(seconds: 1)
            #expect(try await put(1)?.status == .ok)
            #expect(number == 3)
            await receiving.shutDown()
        }
    }

    @Test func theOwnerHasANoticeOfWhatExpiredAndOfWhoWasTurnedAway() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let queue = owner.queue
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            var policy = Self.rate(1, burst: 2)
            policy.retentionSeconds = 60
            try await receiving.setPolicies([PolicySetting(id: queue, policy: policy)])
            #expect(try await sending.put([owner.item(0, [[1], [2]])]).first?.status == .ok)
            relay.clock.advance(seconds: 60)
            #expect(try await relay.server.expire() == 2)
            let turnedAway = try await sending.put([owner.item(2, [[3]])]).first
            #expect(turnedAway?.status == .throttled && turnedAway?.expired == 2)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let first = try await deliveries.next()
            #expect(first == [Delivery(position: 3, queue: queue, .notice(QueueNotice(expired: 2, refusal: .none)))])
            try await receiving.acknowledge(through: 3)
            #expect(try await sending.put([owner.item(2, [[3]])]).first?.status == .throttled)
            let second = try await deliveries.next()
            #expect(
                second == [Delivery(position: 4, queue: queue, .notice(QueueNotice(expired: 2, refusal: .throttled)))])
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func aPolicyIsTheOwnersToSet() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let stranger = try await relay.connect()
            let setting = PolicySetting(id: owner.queue, policy: Self.paused)
            await #expect(throws: RelayError.refused(.notAttached)) { try await stranger.setPolicies([setting]) }
            var random = SecureRandom()
            let key = SigningKey.generate(using: &random)
            try await stranger.attach(key)
            await #expect(throws: RelayError.refused(.refused)) { try await stranger.setPolicies([setting]) }
            try await receiving.setPolicies([setting, setting])
            #expect(try await stranger.put([owner.item(0, [[1]])]).first?.status == .paused)
            await stranger.shutDown()
            await receiving.shutDown()
        }
    }
}
