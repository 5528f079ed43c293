internal import CSodium

/// A public Ed25519 key, 32 bytes.
///
/// Every key that exists is in canonical form and of large order. Verification is libsodium's: it also refuses `S`
/// not below the group order and a non-canonical or small-order `R`, and checks without the cofactor, so that all
/// who verify come to the same result.
/// - Source: RFC 8032 §5.1.7
public struct VerificationKey: Hashable, Sendable {
    /// The encoded point.
    public let value: FixedBytes<32>

    /// Takes an encoded point.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/invalidKey(_:)`` if it is not
    ///   canonical or of small order
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == 32 else {
            throw .wrongLength(of: "Ed25519 public key", expected: 32, actual: bytes.byteCount)
        }
        try self.init(FixedBytes(bytes))
    }

    /// Takes an encoded point.
    /// - Throws: ``CryptoError/invalidKey(_:)`` if it is not canonical or of small order
    public init(_ value: FixedBytes<32>) throws(CryptoError) {
        Sodium.start()
        guard EdwardsEncoding.isCanonicalAndOfLargeOrder(value) else { throw .invalidKey("Ed25519 public key") }
        self.value = value
    }

    init(trusted value: FixedBytes<32>) {
        self.value = value
    }

    /// The 32 bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { value.bytes }
    }

    /// The 32 bytes, copied.
    public var array: [UInt8] { value.array }

    /// Checks a signature of 64 bytes over a message.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/invalidSignature``
    public func verify(_ signature: RawSpan, of message: RawSpan) throws(CryptoError) {
        guard signature.byteCount == 64 else {
            throw .wrongLength(of: "Ed25519 signature", expected: 64, actual: signature.byteCount)
        }
        let isValid = unsafe signature.withUnsafeBytes { signature in
            unsafe message.withUnsafeBytes { message in
                unsafe value.bytes.withUnsafeBytes { key in
                    guard let signature = signature.baseAddress, let key = key.baseAddress else {
                        return false
                    }
                    return unsafe crypto_sign_ed25519_verify_detached(
                        signature, message.baseAddress, UInt64(message.count), key) == 0
                }
            }
        }
        guard isValid else { throw .invalidSignature }
    }
}
