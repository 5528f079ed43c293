/// What the recipient lets come by one of its queues. Every zero stands for the relay's own limit, and no value raises
/// that limit.
///
/// - Source: Spec/07 §7.4
public struct QueuePolicy: Sendable, Hashable {
    /// Messages an hour at most: 1 every millisecond.
    public static let largestRate = 3_600_000
    /// Messages at once at most.
    public static let largestBurst = 10_000
    /// The largest byte count and number of seconds.
    public static let largestValue = Int(UInt32.max)

    /// Whether nothing is taken until further notice. What waits is delivered.
    public var isPaused = false
    /// Messages an hour, 0…3,600,000; 0 for no rate of the owner's.
    public var messagesPerHour = 0
    /// Messages that may come at once after a silence, 1…10,000; 0 where there is no rate.
    public var burst = 0
    /// Bytes that may wait in the queue, up to 2³² - 1.
    public var waitingBytes = 0
    /// The largest message in bytes, up to 2³² - 1.
    public var messageBytes = 0
    /// For how long a message waits, in seconds, up to 2³² - 1. It holds for what is stored from then on.
    public var retentionSeconds = 0

    /// The policy of a queue whose owner has set none.
    public static let standard = QueuePolicy()

    /// Makes a policy that leaves everything to the relay, to be changed.
    public init() {}

    /// Whether every value is within its bounds, and a burst stands beside a rate and nowhere else.
    public var isValid: Bool {
        (0...Self.largestRate).contains(messagesPerHour) && (0...Self.largestBurst).contains(burst)
            && (messagesPerHour == 0) == (burst == 0)
            && [waitingBytes, messageBytes, retentionSeconds].allSatisfy { (0...Self.largestValue).contains($0) }
    }
}
