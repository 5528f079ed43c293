/// A public X25519 key, 32 bytes. A degenerate one is found at the agreement, which it makes fail.
/// - Source: RFC 7748 §5
public struct AgreementPublicKey: Hashable, Sendable {
    /// The encoded u coordinate.
    public let value: FixedBytes<32>

    /// Takes 32 bytes for a key.
    public init(_ value: FixedBytes<32>) {
        self.value = value
    }

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == 32 else {
            throw .wrongLength(of: "X25519 public key", expected: 32, actual: bytes.byteCount)
        }
        try value = FixedBytes(bytes)
    }

    /// The 32 bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { value.bytes }
    }

    /// The 32 bytes, copied.
    public var array: [UInt8] { value.array }
}
