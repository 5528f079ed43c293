/// The bounds of links and of the server that accepts them.
/// - Source: Spec/06
public struct LinkLimits: Hashable, Sendable {
    /// Connecting and handshake together must be finished within this time.
    public var handshakeTimeout: Duration = .seconds(10)

    /// A connection on which nothing is heard for so long is closed; nil: never.
    public var idleTimeout: Duration? = .seconds(90)

    /// Bytes towards one peer that the system has not taken. Beyond it senders wait, and a server
    /// reads nothing more from it.
    public var unsentBytes = 4 << 20

    /// Bytes towards all clients of a server that the system has not taken. Beyond it the connection that holds most is
    /// closed.
    public var unsentBytesOfAll = 256 << 20

    /// Bytes from one peer that the program has not taken. Beyond it nothing more is read.
    public var unreadBytes = 1 << 20

    /// How long closing waits for bytes that the peer has not taken.
    public var closeTimeout: Duration = .seconds(5)

    /// Connections of one server at a time.
    public var connections = 10_000

    /// Connections of one server from one IPv4 address or one IPv6 /64 at a time.
    ///
    /// Who has a service for each relationship has a connection for each, and a household or office one address.
    public var connectionsPerAddress = 1_024

    /// Connections of one server from this machine itself at a time: the relationships of a node that is its own relay.
    public var connectionsFromLoopback = 4_096

    /// Connections of one server whose handshake is not finished at a time; the oldest is closed for one more.
    public var unfinishedHandshakes = 1_024

    /// First messages a second up to which a server answers everybody. While more come, a client has to show a cookie;
    /// with 0 it always has to.
    public var handshakesPerSecond = 200

    /// Handshakes a second with one IPv4 address or one IPv6 /64 while more come than everybody is answered; a quarter
    /// of them at once.
    public var handshakesPerAddress = 20

    /// The same with this machine itself.
    public var handshakesFromLoopback = 1_000

    /// The limits of the specification.
    public init() {}

    /// The limits of a local socket: the same, but it may stay silent.
    public static var local: LinkLimits {
        var limits = LinkLimits()
        limits.idleTimeout = nil
        return limits
    }
}
