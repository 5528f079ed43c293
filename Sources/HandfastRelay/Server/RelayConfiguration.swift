internal import HandfastChannel
public import HandfastLink
internal import HandfastStore

/// Where a relay listens and what it keeps, for how long.
/// - Source: Spec/07
public struct RelayConfiguration: Hashable, Sendable {
    /// The host or address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 for any free one.
    public var port = Int(RelayAddress.defaultPort)
    /// Bounds of the links.
    public var link = LinkLimits()
    /// How long messages wait, in seconds: 1 hour to 366 days.
    public var retentionSeconds: UInt64 = 21 * 86_400
    /// The largest envelope taken, in bytes: 1...65,614.
    public var envelopeBytes = RelayLimit.envelopeCount
    /// The largest hello taken, in bytes: 1...32,768.
    public var helloBytes = RelayLimit.helloCount
    /// Queues that one IPv4 address or one IPv6 /64 may open an hour: 1...3,600,000. Those that are open are not asked.
    public var openingsPerHour = 36_000
    /// Queues that it may open at once after a silence: 1...10,000.
    public var openingsAtOnce = 10_000

    /// The settings of the specification, on loopback.
    public init() {}

    /// The settings of a relay that serves one node only: it keeps messages for 90 days, since a message that expires
    /// there leaves a gap in a ledger of its own node, which alone opens queues, as fast as it likes.
    public static var ofOneNode: RelayConfiguration {
        var configuration = RelayConfiguration()
        configuration.retentionSeconds = 90 * 86_400
        configuration.openingsPerHour = QueuePolicy.largestRate
        return configuration
    }

    /// Refuses values that cannot be.
    /// - Throws: ``RelayError/invalidConfiguration(_:reason:)``
    public func validate() throws(RelayError) {
        guard !host.isEmpty else { throw .invalidConfiguration("host", reason: "must not be empty") }
        try Self.check("port", port, 0...65_535)
        try Self.check("retention (seconds)", Int(clamping: retentionSeconds), 3_600...366 * 86_400)
        try Self.check("envelope size (bytes)", envelopeBytes, 1...RelayLimit.envelopeCount)
        try Self.check("hello size (bytes)", helloBytes, 1...RelayLimit.helloCount)
        try Self.check("openings per hour", openingsPerHour, 1...QueuePolicy.largestRate)
        try Self.check("openings at once", openingsAtOnce, 1...QueuePolicy.largestBurst)
        try Self.check("connections", link.connections, 1...1_000_000)
        try Self.check("connections per address", link.connectionsPerAddress, 1...1_000_000)
        try Self.check("connections from loopback", link.connectionsFromLoopback, 1...1_000_000)
        try Self.check("unfinished handshakes", link.unfinishedHandshakes, 1...1_000_000)
        try Self.check("handshakes per second", link.handshakesPerSecond, 0...1_000_000)
        try Self.check("handshakes per address", link.handshakesPerAddress, 1...1_000_000)
        try Self.check("handshakes from loopback", link.handshakesFromLoopback, 1...1_000_000)
        try Self.check("unsent bytes", link.unsentBytes, 65_536...1 << 30)
        try Self.check("unsent bytes of all connections", link.unsentBytesOfAll, 1 << 20...1 << 40)
        try Self.check("unread bytes", link.unreadBytes, 65_536...1 << 30)
    }

    private static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(RelayError) {
        guard range.contains(value) else {
            throw .invalidConfiguration(
                name, reason: "must be between \(range.lowerBound) and \(range.upperBound) and is \(value)")
        }
    }

    var session: SessionLimits { SessionLimits(envelopeBytes: envelopeBytes, helloBytes: helloBytes) }

    var openings: MessageRate { MessageRate(perHour: openingsPerHour, burst: openingsAtOnce) }
}
