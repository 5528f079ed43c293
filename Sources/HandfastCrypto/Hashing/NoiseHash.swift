internal import CSodium

/// The hash functions of a Noise protocol with BLAKE2b: HASHLEN 64, BLOCKLEN 128.
/// - Source: Noise Protocol Framework revision 34 §4.3, RFC 2104
public enum NoiseHash {
    /// HASHLEN in bytes.
    public static let count = 64

    private static let blockCount = 128

    /// BLAKE2b-512 of the parts, joined.
    public static func hash(_ first: RawSpan, _ second: RawSpan = RawSpan()) -> FixedBytes<64> {
        var state = BLAKE2b(count: count)
        state.update(first)
        state.update(second)
        var result = FixedBytes<64>.zero
        var output = result.mutableBytes
        state.finalize(into: &output)
        return result
    }

    /// HMAC-BLAKE2b-512 of the parts, joined; the key is a secret of at most 128 bytes.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)`` for a longer key
    public static func hmac(
        key: RawSpan, _ first: RawSpan, _ second: RawSpan = RawSpan()
    ) throws(CryptoError) -> SecretBytes {
        guard key.byteCount <= blockCount else {
            throw .outOfRange(of: "HMAC key in bytes", permitted: 0...blockCount, actual: key.byteCount)
        }
        return hmac(shortKey: key, first, second)
    }

    private static func hmac(shortKey key: RawSpan, _ first: RawSpan, _ second: RawSpan) -> SecretBytes {
        var inner = SecretBytes(count: count)
        do {
            var state = keyed(key, pad: 0x36)
            state.update(first)
            state.update(second)
            var output = inner.mutableBytes
            state.finalize(into: &output)
        }
        var result = SecretBytes(count: count)
        var state = keyed(key, pad: 0x5c)
        state.update(inner.bytes)
        var output = result.mutableBytes
        state.finalize(into: &output)
        return result
    }

    private static func keyed(_ key: RawSpan, pad: UInt8) -> BLAKE2b {
        var block = SecretBytes(count: blockCount)
        var bytes = block.mutableBytes
        for offset in 0..<blockCount {
            let byte = offset < key.byteCount ? key.unsafeByte(at: offset) : 0
            bytes.storeBytes(of: byte ^ pad, toByteOffset: offset, as: UInt8.self)
        }
        var state = BLAKE2b(count: count)
        state.update(block.bytes)
        return state
    }

    /// Noise's HKDF with two outputs of 64 bytes each.
    public static func hkdf2(chainingKey: borrowing SecretBytes, inputKeyMaterial: RawSpan) -> NoiseKeyPair {
        precondition(chainingKey.count == count, "A chaining key has HASHLEN bytes")
        let temporary = hmac(shortKey: chainingKey.bytes, inputKeyMaterial, RawSpan())
        let first = output(1, after: SecretBytes(count: 0), key: temporary)
        let second = output(2, after: first, key: temporary)
        return NoiseKeyPair(first: first, second: second)
    }

    private static func output(
        _ number: UInt8, after previous: borrowing SecretBytes, key: borrowing SecretBytes
    ) -> SecretBytes {
        let number = FixedBytes<1>(storage: [number])
        return hmac(shortKey: key.bytes, previous.bytes, number.bytes)
    }
}

/// Two secrets of 64 bytes from ``NoiseHash/hkdf2(chainingKey:inputKeyMaterial:)``.
@frozen
public struct NoiseKeyPair: ~Copyable, Sendable {
    /// The first output.
    public var first: SecretBytes
    /// The second output.
    public var second: SecretBytes
}
