public import HandfastCrypto

/// The secret that ties a holder's anonymous credentials together and from which each of its pseudonyms follows.
///
/// A vault derives one from a master secret and keeps it to itself: who learns it links all pseudonyms.
///
/// - Source: Spec/11 §11.5
public struct AnonymousHolderSecret: ~Copyable, Sendable {
    let scalar: SecretScalar

    /// Derives the secret.
    /// - Parameter master: Uniform, 32 bytes or more.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)`` if the master secret is shorter.
    public init(master: borrowing SecretBytes) throws(CryptoError) {
        guard master.count >= 32 else {
            throw .outOfRange(of: "master secret in bytes", permitted: 32...1_024, actual: master.count)
        }
        let info = [UInt8]("HANDFAST-V1-ANON-HOLDER".utf8)
        let wide = try HKDFSHA256.derive(inputKeyMaterial: master.bytes, salt: RawSpan(), info: info.bytes, count: 64)
        scalar = SecretScalar(reducing: wide)
    }

    /// The pseudonym that verifiers of a scope see.
    public borrowing func pseudonym(in scope: PseudonymScope) -> Pseudonym {
        Pseudonym(scalar * scope.point)
    }
}
