public import HandfastChannel
public import HandfastLink

/// How a node reaches relays; a simulation has its own.
public struct RelayNetwork: Sendable {
    /// A clock that is never set, and waiting by it.
    public struct Time: Sendable {
        /// The present moment.
        public let now: @Sendable () -> ContinuousClock.Instant
        /// Waits; throws `CancellationError` when the task is cancelled.
        public let pause: @Sendable (Duration) async throws -> Void

        /// A clock of the caller's.
        public init(
            now: @escaping @Sendable () -> ContinuousClock.Instant,
            pause: @escaping @Sendable (Duration) async throws -> Void
        ) {
            self.now = now
            self.pause = pause
        }

        /// The clock of this machine.
        public static let system = Time(now: { .now }, pause: { try await Task.sleep(for: $0) })
    }

    /// Numbers by which pauses differ, so that many nodes do not return to a relay in step; nothing secret.
    public struct Jitter: RandomNumberGenerator, Sendable {
        private let draw: @Sendable () -> UInt64

        /// Numbers of the caller's.
        public init(_ draw: @escaping @Sendable () -> UInt64) {
            self.draw = draw
        }

        /// Eight bytes.
        public mutating func next() -> UInt64 { draw() }
    }

    /// Connects to the relay at an address, unless the second argument refuses where its name leads.
    public typealias Connect =
        @Sendable (RelayAddress, @escaping @Sendable (NetworkAddress) -> Bool) async throws(RelayError) -> RelayClient

    private let connect: Connect
    /// The clock of attempts and pauses.
    public let time: Time
    /// The jitter of pauses.
    public let jitter: Jitter

    /// A network of the caller's.
    public init(time: Time, jitter: Jitter, connect: @escaping Connect) {
        self.time = time
        self.jitter = jitter
        self.connect = connect
    }

    /// The network of this machine.
    public static let system = RelayNetwork(
        time: .system,
        jitter: Jitter {
            var random = SystemRandomNumberGenerator()
            return random.next()
        },
        connect: { address, allows throws(RelayError) in try await RelayClient.connect(to: address, allows: allows) })

    /// Connects to the relay at an address and checks that it holds the key there.
    /// - Parameter allows: Judges the address that the host's name led to, before a byte is sent there.
    /// - Throws: ``RelayError/link(_:)``
    public func connect(
        to address: RelayAddress, allows: @escaping @Sendable (NetworkAddress) -> Bool = { _ in true }
    ) async throws(RelayError) -> RelayClient {
        try await connect(address, allows)
    }
}
