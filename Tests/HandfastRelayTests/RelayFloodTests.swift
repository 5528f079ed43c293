import Foundation
import HandfastCrypto
import HandfastLink
import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastRelay

/// A relay that strangers press. What a relationship that stands keeps of its throughput then, `make flood` measures.
@Suite(.timeLimit(.minutes(5)))
struct RelayFloodTests {
    @Test func strangersGetNoHandshakeAndWhatStandsGoesOn() async throws {
        try await RelayHarness.run({ $0.link.handshakesPerSecond = 0 }) { relay in
            var traffic = try await Traffic.start(relay)
            let answered = relay.server.handshakes.answered
            let flood = Task { try await Self.flood(relay, strangers: 100) }
            for _ in 0..<20 { try await traffic.carry() }
            try await flood.value
            for _ in 0..<20 { try await traffic.carry() }
            #expect(relay.server.handshakes.answered == answered)
            #expect(relay.server.handshakes.asked >= 100)
            await traffic.end()
        }
    }

    /// Lets strangers come one after the other, each with a genuine first message.
    private static func flood(_ relay: RelayHarness, strangers: Int) async throws {
        var random = SecureRandom()
        let first = try LinkSession.client(to: relay.key.publicKey, using: &random).opening ?? []
        let port = relay.server.port
        // Blocking sockets have a thread of their own.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                do {
                    for _ in 0..<strangers {
                        let stranger = try RawSocket(port: port)
                        stranger.send(first)
                        _ = stranger.receive(64)
                    }
                    continuation.resume()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}

/// One relationship's messages, put, delivered and acknowledged in order.
private struct Traffic: ~Copyable {
    private let owner: Owner
    private let sending: RelayClient
    private let receiving: RelayClient
    private var deliveries: RelayDeliveries.AsyncIterator
    private var sent: UInt64 = 0
    private var received: UInt64 = 0

    private init(
        _ owner: consuming Owner, _ sending: RelayClient, _ receiving: RelayClient, _ deliveries: RelayDeliveries
    ) {
        self.owner = owner
        self.sending = sending
        self.receiving = receiving
        self.deliveries = deliveries.makeAsyncIterator()
    }

    static func start(_ relay: RelayHarness) async throws -> Traffic {
        let owner = Owner()
        let receiving = try await owner.connect(relay)
        let sending = try await relay.connect()
        let deliveries = try await receiving.subscribe(after: 0)
        return Traffic(owner, sending, receiving, deliveries)
    }

    consuming func end() async {
        await sending.shutDown()
        await receiving.shutDown()
    }

    /// Carries a batch from the sender to the owner.
    mutating func carry() async throws {
        let envelopes = (0..<32).map { _ in [UInt8](repeating: UInt8(truncatingIfNeeded: sent), count: 1_024) }
        let results = try await sending.put([owner.item(sent, envelopes)])
        #expect(results.map(\.status) == [.ok])
        sent += UInt64(envelopes.count)
        while received < sent {
            guard let batch = try await deliveries.next() else { throw RelayError.link(.closed) }
            for delivery in batch {
                received += 1
                #expect(delivery.position == received)
                #expect(delivery.bytes.first == UInt8(truncatingIfNeeded: (received - 1) / 32 * 32))
            }
        }
        try await receiving.acknowledge(through: received)
    }
}
