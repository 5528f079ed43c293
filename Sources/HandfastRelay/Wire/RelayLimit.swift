/// The sizes of requests that client and relay agree on.
/// - Source: Spec/07
public enum RelayLimit {
    /// The largest envelope, in bytes.
    public static let envelopeCount = 65_614
    /// The largest hello, in bytes.
    public static let helloCount = 32_768
    /// Items of one put, at most.
    public static let putItems = 256
    /// Envelopes of one put altogether, at most.
    public static let putEnvelopes = 4_096
    /// Queues of one open or close, at most.
    public static let queuesPerRequest = 1_000
    /// Knocks that one knock queue admits, at most.
    public static let admittedKnocks = 10_000
    /// Bundles beside one queue, at most.
    public static let bundles = 16
    /// Messages delivered beyond what is acknowledged, at most.
    public static let windowMessages = 1_000
    /// Bytes of messages delivered beyond what is acknowledged; the message that passes it is the last.
    public static let windowBytes = 4 << 20
    /// Messages of one push, at most.
    public static let pushMessages = 256
    /// Bytes of messages of one push; the message that passes it is the last.
    public static let pushBytes = 512 << 10
    /// Seconds until a throttled queue takes one message, at most: one message an hour is the lowest rate.
    public static let waitSeconds: UInt64 = 3_600
    /// Requests of one connection under way; beyond them the relay does not read on.
    public static let requestsUnderWay = 64
}
