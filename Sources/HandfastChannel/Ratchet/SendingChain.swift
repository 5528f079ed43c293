internal import HandfastCrypto

/// The chain of messages that this side sends between two of its steps.
struct SendingChain: ~Copyable, Sendable {
    /// A sender stops here until the peer has turned.
    static let maximumLength: UInt32 = 65_536

    var keys: ChainKeys
    var headers: HeaderStream
    /// Index of the next message.
    var next: UInt32 = 0
    /// The ciphertext of the step that began the chain, while the first eight envelopes carry it.
    var ciphertext: [UInt8]?
    let usedCiphertext: Bool

    init(
        keys: consuming ChainKeys, headerKey: consuming HeaderKey, next: UInt32 = 0, ciphertext: [UInt8]?,
        usedCiphertext: Bool
    ) {
        self.keys = keys
        headers = HeaderStream(headerKey)
        self.next = next
        self.ciphertext = ciphertext
        self.usedCiphertext = usedCiphertext
    }
}
