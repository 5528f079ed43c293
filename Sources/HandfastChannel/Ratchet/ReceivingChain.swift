internal import HandfastCrypto

/// The chain of messages that the peer sends between two of its steps.
struct ReceivingChain: ~Copyable, Sendable {
    var chainKey: ChainKey
    let headerKey: HeaderKey
    /// Index of the next message.
    var next: UInt32
    /// When its first message was opened.
    let began: Timestamp

    init(chainKey: consuming ChainKey, headerKey: consuming HeaderKey, next: UInt32, began: Timestamp) {
        self.chainKey = chainKey
        self.headerKey = headerKey
        self.next = next
        self.began = began
    }
}
