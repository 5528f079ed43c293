internal import HandfastCrypto

/// A finished handshake: one cipher each way and the hash that names the connection.
/// - Source: Noise Protocol Framework revision 34 §5.3 (Split), §11.2
struct NoiseTransport: ~Copyable, Sendable {
    /// The same 64 bytes at both ends, and at no other connection.
    let handshakeHash: FixedBytes<64>

    var sending: NoiseCipher
    var receiving: NoiseCipher

    init(handshakeHash: FixedBytes<64>, sending: consuming NoiseCipher, receiving: consuming NoiseCipher) {
        self.handshakeHash = handshakeHash
        self.sending = sending
        self.receiving = receiving
    }

    /// Seals all but the last 16 bytes in place and writes the tag over those.
    mutating func sealInPlace(_ message: inout MutableRawSpan) throws(LinkError) {
        try sending.sealInPlace(&message, authenticating: RawSpan())
    }

    /// Opens a message into a span that is 16 bytes shorter.
    mutating func open(_ message: RawSpan, into output: inout MutableRawSpan) throws(LinkError) {
        try receiving.open(message, authenticating: RawSpan(), into: &output)
    }
}
