internal import Crypto

/// Hashes that a standard fixes.
public enum StandardHash {
    /// SHA-256 of the bytes.
    /// - Source: FIPS 180-4
    public static func sha256(_ bytes: RawSpan) -> FixedBytes<32> {
        var hash = SHA256()
        unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
        var result = InlineArray<32, UInt8>(repeating: 0)
        for (index, byte) in hash.finalize().enumerated() { result[index] = byte }
        return FixedBytes(storage: result)
    }
}
