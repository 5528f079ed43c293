internal import HandfastChannel
internal import HandfastEncoding
internal import HandfastStore

/// What one side lets come in a relationship, and what is known of messages that do not come.
///
/// - Source: Spec/07 §7.4
struct Reception: Hashable, Sendable {
    /// What the own queue lets come.
    var policy = QueuePolicy.standard
    /// Whether the own relay has confirmed it.
    var isTold = true
    /// Messages of the peer that expired unread at the own relay.
    var lost: UInt64 = 0
    /// Why the peer's queue takes nothing for now.
    var hold: PeerHold?
    /// Own messages that expired unread at the peer's relay.
    var unread: UInt64 = 0
    /// When this side shut the peer out for good.
    var blocked: Timestamp?

    /// Nothing is set, and nothing is known.
    init() {}

    func write(to writer: inout CBORWriter) {
        let values =
            [
                policy.isPaused ? 1 : 0, policy.messagesPerHour, policy.burst, policy.waitingBytes, policy.messageBytes,
                policy.retentionSeconds, isTold ? 1 : 0,
            ].map { UInt64($0) } + [lost, UInt64(hold?.rawValue ?? 0), unread, blocked?.seconds ?? 0]
        writer.writeArrayHeader(values.count)
        for value in values { writer.writeUnsigned(value) }
    }

    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 11)
        policy.isPaused = try reader.readUnsigned(maximum: 1) == 1
        policy.messagesPerHour = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestRate)))
        policy.burst = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestBurst)))
        policy.waitingBytes = Int(try reader.readUnsigned(as: UInt32.self))
        policy.messageBytes = Int(try reader.readUnsigned(as: UInt32.self))
        policy.retentionSeconds = Int(try reader.readUnsigned(as: UInt32.self))
        isTold = try reader.readUnsigned(maximum: 1) == 1
        lost = try reader.readUnsigned()
        hold = PeerHold(rawValue: try reader.readUnsigned(as: UInt8.self))
        unread = try reader.readUnsigned()
        let seconds = try reader.readUnsigned()
        blocked = seconds == 0 ? nil : Timestamp(seconds: seconds)
        guard policy.isValid else { throw NodeError.damaged("the policy of a relationship's queue") }
    }
}
