/// A key of 32 bytes for ``ChaCha20Poly1305``.
public struct AEADKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    var secret: SecretBytes

    /// A key of zeros, to be overwritten by ``ChainKeys/advance(into:)``.
    public init() {
        secret = SecretBytes(count: Self.count)
    }

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "AEAD key", expected: Self.count, actual: bytes.byteCount)
        }
        secret = SecretBytes(copying: bytes)
    }

    /// Takes over another key without allocating.
    public mutating func assign(_ other: borrowing AEADKey) {
        unsafe secret.pointer.copyMemory(from: other.secret.pointer, byteCount: Self.count)
    }

    /// Overwrites the key with zeros.
    public mutating func wipe() {
        secret.wipe()
    }

    /// The key, borrowed, to be sealed into a vault.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }
}
