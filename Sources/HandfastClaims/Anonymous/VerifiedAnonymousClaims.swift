public import HandfastCrypto

/// What a presentation showed, after every check held. Experimental, as the scheme is.
///
/// - Source: Spec/11 §11.7
public struct VerifiedAnonymousClaims: Hashable, Sendable {
    /// The issuer's public key.
    public let issuer: RistrettoPoint
    /// The schema's type.
    public let type: String
    /// The attributes that were shown, by name.
    public let values: [String: AnonymousValue]
    /// The epoch in which the credential holds.
    public let epoch: UInt64
    /// When that epoch ends, in seconds since 1970.
    public let expires: UInt64
    /// Where the pseudonym stays the same.
    public let scope: PseudonymScope
    /// By what the holder is known again in the scope.
    public let pseudonym: Pseudonym
}
