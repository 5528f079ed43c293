import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastStore
import HandfastTestSupport
import MetricsTestKit
import Testing

@testable import HandfastRelay

@Suite(.timeLimit(.minutes(5)))
struct RelayMetricsTests {
    @Test func countsWhatIsStoredDeliveredAndRefused() async throws {
        let figures = TestMetrics()
        func count(_ name: String, outcome: String? = nil) throws -> Int64 {
            let dimensions = outcome.map { [("outcome", $0)] } ?? []
            return try figures.expectCounter("handfast_relay_\(name)_total", dimensions).totalValue
        }
        try await RelayHarness.run(metrics: RelayMetrics(factory: figures)) { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let sending = try await relay.connect()
            _ = try await sending.put([owner.item(0, [[1, 2, 3], [4, 5]])])
            _ = try await sending.put([owner.item(5, [[6]])])
            var received = 0
            while received < 2, let batch = try await deliveries.next() { received += batch.count }
            let hello = [UInt8](repeating: 4, count: 500)
            var random = SecureRandom()
            await #expect(throws: RelayError.refused(.refused)) {
                try await sending.knock(Ticket.random(using: &random).knock, at: owner.knocks, hello: hello)
            }
            #expect(await relay.server.isReady())
            await sending.shutDown()
            await receiving.shutDown()
        }
        #expect(try count("stored_messages") == 2)
        #expect(try count("stored_bytes") == 5)
        #expect(try count("puts", outcome: "ok") == 1)
        #expect(try count("puts", outcome: "gap") == 1)
        #expect(try count("knocks", outcome: "refused") == 1)
        #expect(try count("knocks", outcome: "stored") == 0)
        #expect(try count("delivered_messages") == 2)
        #expect(try count("delivered_bytes") == 5)
        #expect(try count("storage_errors") == 0)
        #expect(try figures.expectTimer("handfast_relay_commit_seconds").values.count >= 4)
        let kept = try figures.expectMeter("handfast_relay_kept_bytes").lastValue
        #expect(try #require(kept) > 5)
    }

    @Test func countsWhomItAskedForACookieAnsweredAndRefused() async throws {
        let figures = TestMetrics()
        let configure: (inout RelayConfiguration) -> Void = { configuration in
            configuration.link.handshakesPerSecond = 0
            configuration.link.handshakesFromLoopback = 1
        }
        try await RelayHarness.run(metrics: RelayMetrics(factory: figures), configure) { relay in
            let client = try await relay.connect()
            var random = SecureRandom()
            let first = try LinkSession.client(to: relay.key.publicKey, using: &random).opening ?? []
            // One is answered a second: whoever comes back more often than that is refused.
            while relay.server.handshakes.refused == 0 {
                let stranger = try RawSocket(port: relay.server.port)
                stranger.send(first)
                stranger.send(stranger.receive(64) + first)
                _ = stranger.receive(64)
            }
            await client.shutDown()
            let counts = relay.server.handshakes
            let told = try HandshakeOutcome.allCases.map { outcome in
                let dimensions = [("outcome", outcome.rawValue)]
                return try figures.expectCounter("handfast_relay_handshakes_total", dimensions).totalValue
            }
            #expect(told == [counts.answered, counts.asked, counts.refused].map(Int64.init))
            #expect(counts.answered >= 1)
            #expect(counts.asked >= 2)
        }
    }

    @Test func aRelayWhoseStoreFailsIsNotReady() async throws {
        let store = MemoryRelayStore()
        try await RelayHarness.run(store: store) { relay in
            #expect(await relay.server.isReady())
            await store.close()
            #expect(await relay.server.isReady() == false)
        }
    }
}
