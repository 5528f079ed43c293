public import HandfastCrypto

/// The public key of an issuer or a holder; the key tells the one algorithm that it is used with.
public enum CredentialVerificationKey: Hashable, Sendable {
    /// An Ed25519 key.
    case ed25519(VerificationKey)
    /// A P-256 key.
    case p256(P256VerificationKey)
    /// A P-384 key.
    case p384(P384VerificationKey)

    /// The algorithm that the key is used with.
    public var algorithm: CredentialAlgorithm {
        switch self {
        case .ed25519: .edDSA
        case .p256: .es256
        case .p384: .es384
        }
    }

    /// Checks a signature over a message.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/invalidSignature``
    public func verify(_ signature: RawSpan, of message: RawSpan) throws(CryptoError) {
        switch self {
        case .ed25519(let key): try key.verify(signature, of: message)
        case .p256(let key): try key.verify(signature, of: message)
        case .p384(let key): try key.verify(signature, of: message)
        }
    }
}
