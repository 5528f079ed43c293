internal import Crypto
internal import FoundationEssentials

/// A private key for ECDSA over P-256 with SHA-256.
///
/// The nonce of a signature is drawn by swift-crypto from the system and the key, not from a generator of the caller:
/// signing twice gives two signatures.
/// - Source: FIPS 186-5 §6.4; SP 800-186 §3.2.1.3
public struct P256SigningKey: ~Copyable, Sendable {
    /// Size of the private scalar in bytes.
    public static let scalarCount = 32

    private let secret: SecretBytes

    /// The key that verifies what this one signs.
    public let publicKey: P256VerificationKey

    /// The key of a scalar of 32 bytes, big-endian.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/invalidKey(_:)`` if it is zero or not
    ///   below the group order
    public init(scalar: consuming SecretBytes) throws(CryptoError) {
        try scalar.requireCount(Self.scalarCount, of: "P-256 private key")
        publicKey = P256VerificationKey(try Self.provided(scalar).publicKey)
        secret = scalar
    }

    /// A key from 32 random bytes; draws again in the rare case that they are no scalar.
    public static func generate(using generator: inout some RandomNumberGenerator) -> P256SigningKey {
        while true {
            if let key = try? P256SigningKey(scalar: SecretBytes(random: scalarCount, using: &generator)) { return key }
        }
    }

    /// Signs a message: 64 bytes, r ‖ s, big-endian.
    /// - Throws: ``CryptoError/invalidKey(_:)`` if swift-crypto cannot sign, which it has no reason to
    public borrowing func signature(for message: RawSpan) throws(CryptoError) -> FixedBytes<64> {
        let key = try Self.provided(secret)
        let signature: [UInt8]
        do {
            signature = [UInt8](try key.signature(for: Data(message)).rawRepresentation)
        } catch {
            throw .invalidKey("P-256 private key")
        }
        return try FixedBytes(copying: signature)
    }

    /// The scalar, borrowed, to be sealed into a vault.
    public var scalar: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }

    private static func provided(_ secret: borrowing SecretBytes) throws(CryptoError) -> P256.Signing.PrivateKey {
        var scalar = Data(secret.bytes)
        defer { scalar.resetBytes(in: 0..<scalar.count) }
        do {
            return try P256.Signing.PrivateKey(rawRepresentation: scalar)
        } catch {
            throw .invalidKey("P-256 private key")
        }
    }
}
