internal import HandfastStore

/// A change of what one side lets come in a relationship, or of strangers; what is `nil` stays.
///
/// - Source: Spec/07 §7.4
public struct ReceptionChange: Codable, Hashable, Sendable {
    /// Whether nothing comes until further notice.
    public var isPaused: Bool?
    /// Messages an hour, 1…3,600,000, or 0 for as many as the relay takes.
    public var messagesPerHour: Int?
    /// Messages that may come at once after a silence, 1…10,000; where there is none, those of a minute, at least 1.
    public var burst: Int?
    /// Bytes that may wait, up to 2³² - 1; 0 for as many as the relay keeps.
    public var waitingBytes: Int?
    /// The largest message in bytes as it is on the wire, up to 2³² - 1; 0 for the relay's.
    public var messageBytes: Int?
    /// Seconds for which a message waits, up to 2³² - 1; 0 for the relay's.
    public var retentionSeconds: Int?

    /// A change of nothing, to be filled.
    public init() {}

    /// What makes of any policy this one.
    init(_ policy: QueuePolicy) {
        isPaused = policy.isPaused
        messagesPerHour = policy.messagesPerHour
        burst = policy.burst
        waitingBytes = policy.waitingBytes
        messageBytes = policy.messageBytes
        retentionSeconds = policy.retentionSeconds
    }

    /// What lets everything come again that the relay takes, but for a pause.
    public static var unthrottled: ReceptionChange {
        var change = ReceptionChange()
        (change.messagesPerHour, change.burst, change.waitingBytes) = (0, 0, 0)
        (change.messageBytes, change.retentionSeconds) = (0, 0)
        return change
    }

    /// The policy after the change.
    ///
    /// - Throws: ``NodeError/badData(_:)`` for a value out of its bounds
    func applied(to policy: QueuePolicy) throws(NodeError) -> QueuePolicy {
        var policy = policy
        policy.isPaused = isPaused ?? policy.isPaused
        if let messagesPerHour {
            policy.messagesPerHour = messagesPerHour
            if messagesPerHour == 0 { policy.burst = 0 }
        }
        if let burst { policy.burst = burst }
        if policy.messagesPerHour > 0, policy.burst == 0 {
            policy.burst = min(max(1, policy.messagesPerHour / 60), QueuePolicy.largestBurst)
        }
        policy.waitingBytes = waitingBytes ?? policy.waitingBytes
        policy.messageBytes = messageBytes ?? policy.messageBytes
        policy.retentionSeconds = retentionSeconds ?? policy.retentionSeconds
        if policy.messagesPerHour == 0, policy.burst > 0 { throw .badData("a burst needs a rate beside it") }
        guard policy.isValid else {
            throw .badData(
                "a rate is 1 to \(QueuePolicy.largestRate) messages an hour, a burst 1 to \(QueuePolicy.largestBurst), and "
                    + "bytes and seconds are at most \(QueuePolicy.largestValue)")
        }
        return policy
    }
}

/// What one side lets come in a relationship, or of strangers; every 0 stands for the relay's own limit.
public struct ReceptionReport: Codable, Hashable, Sendable {
    /// Whether nothing comes until further notice.
    public var isPaused: Bool
    /// Messages an hour.
    public var messagesPerHour: Int
    /// Messages that may come at once after a silence.
    public var burst: Int
    /// Bytes that may wait.
    public var waitingBytes: Int
    /// The largest message in bytes as it is on the wire.
    public var messageBytes: Int
    /// Seconds for which a message waits.
    public var retentionSeconds: Int
    /// Whether the own relay has confirmed it.
    public var isTold: Bool
    /// All of it in words; `nil` when nothing is held back.
    public var text: String?

    init(_ reception: Reception) {
        let policy = reception.policy
        isPaused = policy.isPaused
        messagesPerHour = policy.messagesPerHour
        burst = policy.burst
        waitingBytes = policy.waitingBytes
        messageBytes = policy.messageBytes
        retentionSeconds = policy.retentionSeconds
        isTold = reception.isTold
        text = policy.text.map { $0 + (reception.isTold ? "" : " (the own relay is still to be told)") }
    }
}

extension QueuePolicy {
    /// What it holds back, in words; `nil` when nothing.
    var text: String? {
        var parts: [String] = []
        if isPaused { parts.append("paused") }
        if messagesPerHour > 0 { parts.append("\(messagesPerHour) an hour, \(burst) at once") }
        if messageBytes > 0 { parts.append("none larger than \(messageBytes) bytes") }
        if waitingBytes > 0 { parts.append("\(waitingBytes) bytes waiting") }
        if retentionSeconds > 0 { parts.append("kept for \(retentionSeconds) seconds") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
