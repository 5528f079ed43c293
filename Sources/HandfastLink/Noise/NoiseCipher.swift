internal import HandfastCrypto

/// Noise's CipherState: a key and the number of the next message under it.
/// - Source: Noise Protocol Framework revision 34 §5.1, §12.3
struct NoiseCipher: ~Copyable, Sendable {
    private let key: AEADKey
    private(set) var counter: UInt64

    init(key: consuming AEADKey, counter: UInt64 = 0) {
        self.key = key
        self.counter = counter
    }

    /// Seals all but the last 16 bytes in place and writes the tag over those.
    mutating func sealInPlace(_ message: inout MutableRawSpan, authenticating data: RawSpan) throws(LinkError) {
        let nonce = try nonce()
        do {
            try ChaCha20Poly1305.sealInPlace(&message, key: key, nonce: nonce, authenticating: data)
        } catch {
            throw .exhausted
        }
        counter += 1
    }

    /// Opens a message into a span that is 16 bytes shorter. The counter moves only if the message is authentic.
    mutating func open(
        _ message: RawSpan, authenticating data: RawSpan, into output: inout MutableRawSpan
    ) throws(LinkError) {
        let nonce = try nonce()
        do {
            try ChaCha20Poly1305.open(message, key: key, nonce: nonce, authenticating: data, into: &output)
        } catch {
            throw .damagedPacket
        }
        counter += 1
    }

    private func nonce() throws(LinkError) -> FixedBytes<12> {
        // 2^64 - 1 is reserved by Noise.
        guard counter < .max else { throw .exhausted }
        var bytes = InlineArray<12, UInt8>(repeating: 0)
        for index in 0..<8 {
            bytes[4 + index] = UInt8(truncatingIfNeeded: counter >> (8 * UInt64(index)))
        }
        do {
            return try unsafe FixedBytes(bytes.span.bytes)
        } catch {
            throw .exhausted
        }
    }
}
