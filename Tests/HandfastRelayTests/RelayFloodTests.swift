import Foundation
import HandfastCrypto
import HandfastLink
import HandfastStore
import HandfastTestSupport
import Synchronization
import Testing

@testable import HandfastRelay

/// A relay that strangers press. `make flood` lets 10,000 of them come and prints what a relationship that stands keeps
/// of its throughput.
@Suite(.timeLimit(.minutes(5)))
struct RelayFloodTests {
    private static let strangers = ProcessInfo.processInfo.environment["HANDFAST_FLOOD"].flatMap(Int.init)

    @Test func strangersGetNoHandshakeAndWhatStandsGoesOn() async throws {
        try await RelayHarness.run({ $0.link.handshakesPerSecond = 0 }) { relay in
            var traffic = try await Traffic.start(relay)
            let answered = relay.server.handshakes.answered
            let flood = Task { try await Self.flood(relay, strangers: 100, bringingBack: 0) }
            for _ in 0..<20 { try await traffic.carry() }
            try await flood.value
            for _ in 0..<20 { try await traffic.carry() }
            #expect(relay.server.handshakes.answered == answered)
            #expect(relay.server.handshakes.asked >= 100)
            await traffic.end()
        }
    }

    @Test(.enabled(if: strangers != nil, "make flood measures it"))
    func whatStandsKeepsFourFifthsOfItsThroughput() async throws {
        let strangers = Self.strangers ?? 0
        // Every stranger comes from this machine, and is treated as one address of another.
        try await RelayHarness.run({ $0.link.handshakesFromLoopback = $0.link.handshakesPerAddress }) { relay in
            var traffic = try await Traffic.start(relay)
            var ratios: [Double] = []
            for _ in 0..<5 {
                let quiet = try await traffic.messagesPerSecond { $0 >= .seconds(4) }
                let isOver = Flag()
                let flood = Task {
                    defer { isOver.set() }
                    try await Self.flood(
                        relay, strangers: strangers / 5, bringingBack: strangers / 10, every: .milliseconds(1))
                }
                let pressed = try await traffic.messagesPerSecond { _ in isOver.isSet }
                try await flood.value
                ratios.append(pressed / quiet)
                print("flood: \(Int(quiet)) messages a second before, \(Int(pressed)) with strangers")
            }
            let counts = relay.server.handshakes
            let median = ratios.sorted()[2]
            print(
                "flood: \(strangers) strangers: \(counts.asked) times asked for a cookie, \(counts.answered) answered, "
                    + "\(counts.refused) refused; \(Int(median * 100)) % of the throughput kept, the median of five")
            #expect(median >= 0.8)
            await traffic.end()
        }
    }

    /// Lets strangers come one after the other, each with a genuine first message; some bring the cookie back.
    private static func flood(
        _ relay: RelayHarness, strangers: Int, bringingBack: Int, every interval: Duration? = nil
    ) async throws {
        var random = SecureRandom()
        let first = try LinkSession.client(to: relay.key.publicKey, using: &random).opening ?? []
        let port = relay.server.port
        // Blocking sockets have a thread of their own.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                do {
                    let start = Date()
                    for number in 0..<strangers {
                        if let interval {
                            Thread.sleep(until: start.addingTimeInterval(interval * number / .seconds(1)))
                        }
                        let stranger = try RawSocket(port: port)
                        stranger.send(first)
                        let answer = stranger.receive(64)
                        if number < bringingBack, answer.first == 4 {
                            stranger.send(answer + first)
                            _ = stranger.receive(64)
                        }
                    }
                    continuation.resume()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}

/// Whether something is over, for tasks beside it.
private final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }

    func set() { value.withLock { $0 = true } }
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

    /// Carries until the time that has passed is enough.
    mutating func messagesPerSecond(until isEnough: (Duration) -> Bool) async throws -> Double {
        let (start, before) = (ContinuousClock.now, received)
        repeat { try await carry() } while !isEnough(start.duration(to: .now))
        return Double(received - before) / (start.duration(to: .now) / .seconds(1))
    }
}
