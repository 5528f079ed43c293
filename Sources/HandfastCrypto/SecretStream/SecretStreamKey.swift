/// A key of 32 bytes for one stream of chunks, sealed by ``SecretStreamSealer`` and opened by ``SecretStreamOpener``.
///
/// Wiped when it dies.
/// - Source: libsodium documentation, "Encrypted streams and file encryption" (crypto_secretstream)
public struct SecretStreamKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    let secret: SecretBytes

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "stream key", expected: Self.count, actual: bytes.byteCount)
        }
        secret = SecretBytes(copying: bytes)
    }

    /// Copies 32 bytes that are at hand as a value.
    public init(_ bytes: FixedBytes<32>) {
        secret = SecretBytes(copying: bytes.bytes)
    }
}

/// What the sealer of a stream says of a chunk, under its authentication.
///
/// - Source: libsodium documentation, crypto_secretstream, "Tags"
public enum SecretStreamTag: UInt8, Sendable {
    /// A chunk; another follows.
    case message = 0
    /// The end of a set of chunks; another set follows.
    case push = 1
    /// A chunk after which both sides change their key.
    case rekey = 2
    /// The last chunk.
    case final = 3
}
