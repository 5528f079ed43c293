internal import HandfastCrypto

/// The chain of messages that the peer sends between two of its steps.
struct ReceivingChain: ~Copyable, Sendable {
    var keys: ChainKeys
    var headers: HeaderStream
    /// Index of the next message.
    var next: UInt32
    /// When its first message was opened.
    let began: Timestamp
    /// Whether more than turns came by it: a turn is not answered by a turn.
    var hasContent: Bool

    init(
        keys: consuming ChainKeys, headers: consuming HeaderStream, next: UInt32, began: Timestamp, hasContent: Bool
    ) {
        self.keys = keys
        self.headers = headers
        self.next = next
        self.began = began
        self.hasContent = hasContent
    }
}
