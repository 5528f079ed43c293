internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

/// What one side lets come in a relationship, and what is known of messages that do not come.
///
/// - Source: Spec/07 §7.4
struct Reception: Hashable, Sendable {
    /// What the own queue lets come.
    var policy = QueuePolicy.standard
    /// Own queues whose relay has not confirmed it: each of several relays is told by itself.
    var untold: [QueueID] = []
    /// Messages of the peer that expired unread at the own relay.
    var lost: UInt64 = 0
    /// Why the peer's queue takes nothing for now.
    private(set) var hold: PeerHold?
    /// Since when it takes nothing for that reason; nil where it does, or where nobody knows any more.
    private(set) var heldSince: Timestamp?
    /// Own messages that expired unread at the peer's relay.
    var unread: UInt64 = 0
    /// When this side shut the peer out for good.
    var blocked: Timestamp?

    private static let mostPlaces = 2 * Address.maximumCount + OwnPlaces.mostLeaving

    /// Whether every own relay has confirmed it.
    var isTold: Bool { untold.isEmpty }

    /// Nothing is set, and nothing is known.
    init() {}

    /// The peer's queue takes nothing for a reason, or something again.
    mutating func hold(_ reason: PeerHold?, since moment: Timestamp? = nil) {
        guard hold != reason else { return }
        hold = reason
        heldSince = reason == nil ? nil : moment
    }

    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(12)
        for value in [
            policy.isPaused ? 1 : 0, policy.messagesPerHour, policy.burst, policy.waitingBytes, policy.messageBytes,
            policy.retentionSeconds,
        ] { writer.writeUnsigned(UInt64(value)) }
        writer.writeArrayHeader(untold.count)
        for queue in untold { writer.writeBytes(queue.array) }
        for value in [
            lost, UInt64(hold?.rawValue ?? 0), unread, blocked?.seconds ?? 0, heldSince?.seconds ?? 0,
        ] {
            writer.writeUnsigned(value)
        }
    }

    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 12)
        policy.isPaused = try reader.readUnsigned(maximum: 1) == 1
        policy.messagesPerHour = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestRate)))
        policy.burst = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestBurst)))
        policy.waitingBytes = Int(try reader.readUnsigned(as: UInt32.self))
        policy.messageBytes = Int(try reader.readUnsigned(as: UInt32.self))
        policy.retentionSeconds = Int(try reader.readUnsigned(as: UInt32.self))
        untold = try (0..<(try reader.readArrayHeader(maximum: Self.mostPlaces))).map { _ in
            QueueID(try FixedBytes(reader.readBytes(count: 16)))
        }
        lost = try reader.readUnsigned()
        hold = PeerHold(rawValue: try reader.readUnsigned(as: UInt8.self))
        unread = try reader.readUnsigned()
        let seconds = try reader.readUnsigned()
        blocked = seconds == 0 ? nil : Timestamp(seconds: seconds)
        let since = try reader.readUnsigned()
        heldSince = since == 0 ? nil : Timestamp(seconds: since)
        guard policy.isValid else { throw NodeError.damaged("the policy of a relationship's queue") }
    }
}
