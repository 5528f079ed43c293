internal import Crypto
internal import FoundationEssentials

/// A private X25519 key. Making one computes the public key too, about 14 µs: make it when it is needed.
/// - Source: RFC 7748 §6.1
public struct AgreementPrivateKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    private let secret: SecretBytes
    private let key: Curve25519.KeyAgreement.PrivateKey

    /// The key that the peer agrees with.
    public let publicKey: AgreementPublicKey

    /// Takes a scalar of 32 bytes, clamped or not.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        try self.init(SecretBytes(copying: bytes))
    }

    /// Takes over a scalar of 32 bytes, clamped or not.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(_ secret: consuming SecretBytes) throws(CryptoError) {
        try secret.requireCount(Self.count, of: "X25519 private key")
        let key: Curve25519.KeyAgreement.PrivateKey
        do {
            key = try unsafe secret.bytes.withUnsafeBytes {
                try unsafe Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
            }
        } catch {
            throw .invalidKey("X25519 private key")
        }
        publicKey = try AgreementPublicKey(key.publicKey.rawRepresentation.bytes)
        self.key = key
        self.secret = secret
    }

    /// A key from 32 random bytes.
    public static func generate(using generator: inout some RandomNumberGenerator) -> AgreementPrivateKey {
        guard let key = try? AgreementPrivateKey(SecretBytes(random: count, using: &generator)) else {
            preconditionFailure("Any 32 bytes are an X25519 key")
        }
        return key
    }

    /// The shared secret of 32 bytes. It is no key yet: derive one from it, with both public keys among the inputs.
    /// - Throws: ``CryptoError/smallOrderResult``
    public borrowing func sharedSecret(with peer: AgreementPublicKey) throws(CryptoError) -> SecretBytes {
        let shared: SharedSecret
        do {
            let peer = try unsafe peer.bytes.withUnsafeBytes {
                try unsafe Curve25519.KeyAgreement.PublicKey(rawRepresentation: $0)
            }
            shared = try key.sharedSecretFromKeyAgreement(with: peer)
        } catch {
            throw .smallOrderResult
        }
        let secret = SecretBytes(copying: shared)
        guard !secret.isZero else { throw .smallOrderResult }
        return secret
    }

    /// The scalar, borrowed, to be sealed into a vault.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }
}
