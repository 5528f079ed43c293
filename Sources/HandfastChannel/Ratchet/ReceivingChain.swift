internal import HandfastCrypto

/// The chain of messages that the peer sends between two of its steps.
struct ReceivingChain: ~Copyable, Sendable {
    var chainKey: ChainKey
    let headerKey: HeaderKey
    /// Index of the next message.
    var next: UInt32
    /// When its first message was opened.
    let began: Timestamp
    /// Whether more than turns came by it: a turn is not answered by a turn.
    var hasContent: Bool

    init(
        chainKey: consuming ChainKey, headerKey: consuming HeaderKey, next: UInt32, began: Timestamp, hasContent: Bool
    ) {
        self.chainKey = chainKey
        self.headerKey = headerKey
        self.next = next
        self.began = began
        self.hasContent = hasContent
    }
}
