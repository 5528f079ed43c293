import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastStore
import Synchronization

@testable import HandfastRelay

/// A clock that the test moves.
final class TestClock: Sendable {
    private let seconds = Mutex<UInt64>(1_800_000_000)

    var now: Timestamp { Timestamp(seconds: seconds.withLock { $0 }) }

    func advance(seconds more: UInt64) {
        seconds.withLock { $0 += more }
    }
}

/// A relay on loopback for the length of a test.
struct RelayHarness: Sendable {
    let server: RelayServer
    let key: LinkKey
    let store: MemoryRelayStore
    let clock: TestClock

    /// Runs a relay around `body`, and gives what its run came to.
    @discardableResult
    static func run(
        store: MemoryRelayStore = MemoryRelayStore(), key: LinkKey? = nil,
        metrics: RelayMetrics = RelayMetrics(), admits: @escaping @Sendable (VerificationKey) -> Bool = { _ in true },
        _ configure: (inout RelayConfiguration) -> Void = { _ in },
        _ body: (RelayHarness) async throws -> Void
    ) async throws -> RelayError? {
        var configuration = RelayConfiguration()
        configuration.port = 0
        configure(&configuration)
        var random = SecureRandom()
        let key = key ?? LinkKey(.generate(using: &random))
        let clock = TestClock()
        let server = try await RelayServer.listen(
            configuration, key: key, store: store, metrics: metrics, admits: admits, now: { clock.now })
        let running = Task { () -> RelayError? in
            do throws(RelayError) {
                try await server.run()
                return nil
            } catch {
                return error
            }
        }
        do {
            try await body(RelayHarness(server: server, key: key, store: store, clock: clock))
        } catch {
            await server.shutDown(within: .zero)
            _ = await running.value
            throw error
        }
        await server.shutDown(within: .seconds(5))
        return await running.value
    }

    func address() throws -> RelayAddress {
        try RelayAddress(host: "127.0.0.1", port: UInt16(server.port), key: key.publicKey)
    }

    func connect() async throws -> RelayClient {
        try await RelayClient.connect(to: address())
    }

    /// A connection that says what it likes.
    func connectBare() async throws -> LinkConnection {
        try await LinkClient.connect(host: "127.0.0.1", port: server.port, key: key.publicKey)
    }
}

/// A recipient with one send queue and one knock queue.
struct Owner: ~Copyable {
    let service: SigningKey
    let queue: QueueID
    let capability: SendCapability
    let knocks: QueueID

    init() {
        var random = SecureRandom()
        service = SigningKey.generate(using: &random)
        queue = .random(using: &random)
        capability = .random(using: &random)
        knocks = .random(using: &random)
    }

    /// A connection that has attached and opened the queues.
    func connect(_ relay: RelayHarness) async throws -> RelayClient {
        let client = try await relay.connect()
        try await client.attach(service)
        try await client.open([
            QueueOpening(id: queue, kind: .send(capability: capability.digest)),
            QueueOpening(id: knocks, kind: .knock),
        ])
        return client
    }

    func item(_ first: UInt64, _ envelopes: [[UInt8]]) -> PutItem {
        PutItem(queue: queue, capability: capability, first: first, envelopes: envelopes)
    }
}

/// The digest of a queue after these envelopes.
func chain(_ envelopes: [[UInt8]]) -> Digest {
    envelopes.reduce(QueueChain.start) { QueueChain.digest($0, extendedBy: $1) }
}
