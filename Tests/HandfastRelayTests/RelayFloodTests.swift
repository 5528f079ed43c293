import Foundation
import HandfastChannel
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

    @Test func strangersThatGetInKnockAndWhatStandsGoesOn() async throws {
        try await RelayHarness.run({ $0.link.handshakesPerSecond = 0 }) { relay in
            var traffic = try await Traffic.start(relay)
            let inviter = Owner()
            let inviting = try await inviter.connect(relay)
            var random = SecureRandom()
            // Every second stranger has a ticket, the others have made one up.
            let knocks = (0..<100).map { _ in Ticket.random(using: &random).knock }
            let guests = knocks.indices.filter { $0 % 2 == 0 }
            try await inviting.admit(guests.map { knocks[$0] }, to: inviter.knocks)
            let answered = relay.server.handshakes.answered
            let flood = Task { [queue = inviter.knocks] in try await Self.knock(relay, knocks, at: queue) }
            for _ in 0..<20 { try await traffic.carry() }
            #expect(try await flood.value == knocks.count - guests.count)
            for _ in 0..<20 { try await traffic.carry() }
            #expect(relay.server.handshakes.answered == answered + knocks.count)
            var deliveries = try await inviting.subscribe(after: 0).makeAsyncIterator()
            var hellos: [[UInt8]] = []
            while hellos.count < guests.count, let batch = try await deliveries.next() { hellos += batch.map(\.bytes) }
            #expect(hellos == guests.map { Self.hello(of: $0) })
            await inviting.shutDown()
            await traffic.end()
        }
    }

    /// Lets strangers knock one after the other, each with a connection of its own; gives how many were refused.
    private static func knock(_ relay: RelayHarness, _ knocks: [Knock], at queue: QueueID) async throws -> Int {
        var refused = 0
        for (number, knock) in knocks.enumerated() {
            let stranger = try await relay.connect()
            do {
                try await stranger.knock(knock, at: queue, hello: hello(of: number))
            } catch RelayError.refused(.refused) {
                refused += 1
            }
            await stranger.shutDown()
        }
        return refused
    }

    private static func hello(of stranger: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(stranger), count: 4_096)
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
