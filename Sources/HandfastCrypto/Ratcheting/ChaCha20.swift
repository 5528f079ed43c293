internal import CSodium

/// The bare stream cipher, for the ratchet's own derivations.
/// - Source: RFC 8439 §2.4
enum ChaCha20 {
    /// XORs the stream under nonce `0⁴ ‖ nonce` (8 bytes, little endian), from block `counter` on, over bytes in place.
    @inline(always)
    static func xor(
        _ bytes: UnsafeMutableRawBufferPointer, key: UnsafeRawPointer, nonce: UInt64, from counter: UInt32
    ) {
        let words = InlineArray<3, UInt32> { index in
            switch index {
            case 1: return UInt32(truncatingIfNeeded: nonce).littleEndian
            case 2: return UInt32(truncatingIfNeeded: nonce >> 32).littleEndian
            default: return 0
            }
        }
        unsafe words.span.withUnsafeBytes { words in
            guard let start = bytes.baseAddress, let words = words.baseAddress else { return }
            _ = unsafe crypto_stream_chacha20_ietf_xor_ic(start, start, UInt64(bytes.count), words, counter, key)
        }
    }
}
