internal import CSodium
internal import Crypto

/// SHA-2, where a standard fixes it.
/// - Source: FIPS 180-4
public enum SHA2 {
    /// SHA-256 of a message: by swift-crypto, which uses the processor's instructions for it.
    public static func sha256(_ message: RawSpan) -> FixedBytes<32> {
        var hash = SHA256()
        unsafe message.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
        return unsafe hash.finalize().withUnsafeBytes { unsafe FixedBytes($0.bytes, at: 0) }
    }

    /// SHA-384 of a message.
    public static func sha384(_ message: RawSpan) -> FixedBytes<48> {
        // libsodium has none.
        var hash = SHA384()
        unsafe message.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
        var digest = FixedBytes<48>.zero
        var output = digest.mutableBytes
        for (index, byte) in hash.finalize().enumerated() {
            output.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        return digest
    }

    /// SHA-512 of a message.
    public static func sha512(_ message: RawSpan) -> FixedBytes<64> {
        var digest = FixedBytes<64>.zero
        var output = digest.mutableBytes
        unsafe output.withUnsafeMutableBytes { output in
            unsafe message.withUnsafeBytes { message in
                guard let output = output.baseAddress else { return }
                _ = unsafe crypto_hash_sha512(output, message.baseAddress, UInt64(message.count))
            }
        }
        return digest
    }
}
