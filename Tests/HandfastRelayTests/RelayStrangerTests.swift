import HandfastChannel
import HandfastCrypto
import HandfastStore
import HandfastTestSupport
import MetricsTestKit
import Testing

@testable import HandfastRelay

/// Strangers at a relay that serves anybody, over real connections and all from one address.
@Suite(.timeLimit(.minutes(5)))
struct RelayStrangerTests {
    private static var limits: RelayLimits {
        var limits = RelayLimits()
        limits.totalBytes = 1 << 20
        limits.serviceBytes = 128 << 10
        return limits
    }

    /// A service of a stranger with ten queues, which fills them.
    private struct Stranger: ~Copyable {
        let service: SigningKey
        let capability: SendCapability
        let queues: [QueueID]

        init() {
            var random = SecureRandom()
            service = SigningKey.generate(using: &random)
            capability = .random(using: &random)
            queues = (0..<10).map { _ in QueueID.random(using: &random) }
        }

        func open(by client: RelayClient) async throws {
            try await client.open(
                queues.map { QueueOpening(id: $0, kind: .send(capability: capability.digest)) })
        }

        /// Puts until every queue is full; gives how many bytes it got rid of.
        func fill(by client: RelayClient) async throws -> Int {
            var stored = 0
            for queue in queues {
                var next: UInt64 = 0
                for size in [8_000, 3_900, 700, 60] {
                    let envelope = [UInt8](repeating: 9, count: size)
                    while true {
                        let item = PutItem(
                            queue: queue, capability: capability, first: next, envelopes: [envelope])
                        guard let result = try await client.put([item]).first, result.status != .full else { break }
                        try #require(result.status == .ok)
                        next = result.next
                        stored += size
                    }
                }
            }
            return stored
        }
    }

    @Test func whoOpensAndFillsAsMuchAsItMayKeepsNobodyFromGoingOn() async throws {
        let figures = TestMetrics()
        let store = MemoryRelayStore(limits: Self.limits)
        let configure: (inout RelayConfiguration) -> Void = { configuration in
            (configuration.openingsAtOnce, configuration.openingsPerHour) = (40, 3_600)
        }
        try await RelayHarness.run(store: store, metrics: RelayMetrics(factory: figures), configure) { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let sending = try await relay.connect()
            var next: UInt64 = 0

            /// The relationship that was there first sends eight messages, and its owner has them.
            func goOn() async throws {
                let envelopes = [[UInt8]](repeating: [UInt8](repeating: 1, count: 512), count: 8)
                #expect(try await sending.put([owner.item(next, envelopes)]).first?.status == .ok)
                next += 8
                var last: UInt64 = 0
                while last < next, let batch = try await deliveries.next() { last = batch.last?.position ?? last }
                try await receiving.acknowledge(through: last)
            }
            try await goOn()

            var (services, stored, pauses) = (0, 0, 0)
            var end: RelayRefusal?
            while end == nil {
                let stranger = Stranger()
                let client = try await relay.connect()
                try await client.attach(stranger.service)
                do {
                    try await stranger.open(by: client)
                    let bytes = try await stranger.fill(by: client)
                    // No service gets more than its quota, and none of its queues can be opened on top of it.
                    #expect(bytes < Self.limits.serviceBytes)
                    (services, stored) = (services + 1, stored + bytes)
                    if services == 1 {
                        // It is told why.
                        await #expect(throws: RelayError.refused(.serviceFull)) {
                            try await Stranger().open(by: client)
                        }
                        let told = try await relay.store.deliveries(
                            to: stranger.service.publicKey, after: 0, limit: 1_000, bytes: 1 << 20)
                        #expect(told.contains { $0.content == .notice(QueueNotice(expired: 0, refusal: .serviceFull)) })
                    }
                } catch RelayError.refused(.busy) {
                    // Too many from one address: who is there, and comes from the same, needs no leave.
                    pauses += 1
                    try await goOn()
                    let again = try await owner.connect(relay)
                    await again.shutDown()
                    relay.clock.advance(seconds: 3_600)
                } catch RelayError.refused(let refusal) {
                    end = refusal
                }
                await client.shutDown()
                try await goOn()
            }
            #expect(end == .relayFull)
            #expect(services >= 4 && pauses >= 1)
            #expect(stored > Self.limits.totalBytes / 4)
            #expect(try await store.kept().bytes <= Self.limits.totalBytes)
            for _ in 0..<20 { try await goOn() }
            // Whoever is new is told, and goes elsewhere.
            let newcomer = Owner()
            relay.clock.advance(seconds: 3_600)
            let late = try await relay.connect()
            try await late.attach(newcomer.service)
            await #expect(throws: RelayError.refused(.relayFull)) {
                try await Stranger().open(by: late)
            }
            for client in [late, sending, receiving] { await client.shutDown() }
        }
        for outcome in ["done", "serviceFull", "relayFull", "tooFast"] {
            let counter = try figures.expectCounter("handfast_relay_openings_total", [("outcome", outcome)])
            #expect(counter.totalValue >= 1, "\(outcome)")
        }
    }
}
