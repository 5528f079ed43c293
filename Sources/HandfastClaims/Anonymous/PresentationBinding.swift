public import HandfastCrypto

/// For whom and for which question a presentation is made; it proves nothing anywhere else.
///
/// - Source: Spec/11 §11.7
public struct PresentationBinding: Hashable, Sendable {
    /// The verifier's 32 random bytes, which it accepts once.
    public let nonce: FixedBytes<32>
    /// The verifier's pairwise identity.
    public let verifier: Digest
    /// The relationship.
    public let relationship: Digest

    /// A binding.
    public init(nonce: FixedBytes<32>, verifier: Digest, relationship: Digest) {
        self.nonce = nonce
        self.verifier = verifier
        self.relationship = relationship
    }
}
