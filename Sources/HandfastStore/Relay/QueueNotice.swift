/// What a relay tells the owner of a queue about messages that the owner does not get.
///
/// - Source: Spec/07 §7.4
public struct QueueNotice: Sendable, Hashable {
    /// Why a sender was turned away; the raw values stand on the wire.
    public enum Refusal: UInt8, Sendable, Hashable, CaseIterable {
        /// No sender was.
        case none = 0
        /// The queue had no room.
        case full = 1
        /// More came than the rate allows.
        case throttled = 2
        /// A message was larger than the policy allows.
        case tooLarge = 3
        /// The service keeps as much with all its queues as one service may.
        case serviceFull = 4
    }

    /// Messages of the queue that expired before they were acknowledged, since it was opened.
    public let expired: UInt64
    /// Why a sender was last turned away since the notice before.
    public let refusal: Refusal

    /// Makes a notice.
    public init(expired: UInt64, refusal: Refusal) {
        self.expired = expired
        self.refusal = refusal
    }
}
