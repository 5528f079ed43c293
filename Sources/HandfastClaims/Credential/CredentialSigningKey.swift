public import HandfastCrypto

/// The private key of an issuer or a holder.
public enum CredentialSigningKey: ~Copyable, Sendable {
    /// An Ed25519 key.
    case ed25519(SigningKey)
    /// A P-256 key.
    case p256(P256SigningKey)

    /// The key that verifies what this one signs.
    public var publicKey: CredentialVerificationKey {
        borrowing get {
            switch self {
            case .ed25519(let key): .ed25519(key.publicKey)
            case .p256(let key): .p256(key.publicKey)
            }
        }
    }

    /// Signs a message: 64 bytes.
    /// - Throws: ``CryptoError/invalidKey(_:)`` as ``P256SigningKey/signature(for:)``
    public borrowing func signature(for message: RawSpan) throws(CryptoError) -> FixedBytes<64> {
        switch self {
        case .ed25519(let key): key.signature(for: message)
        case .p256(let key): try key.signature(for: message)
        }
    }
}
