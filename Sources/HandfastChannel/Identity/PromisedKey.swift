public import HandfastCrypto

/// What can be known of a next key without the recovery root: enough to commit to it, and nothing to sign with.
///
/// - Source: Spec/02 §2.4
public struct PromisedKey: Hashable, Sendable {
    /// What the root makes the key from, 16 random bytes.
    public let salt: FixedBytes<16>
    /// `H("next key", …)` of the key.
    public let commitment: Digest

    /// Names a key that a root makes from this salt.
    public init(salt: FixedBytes<16>, commitment: Digest) {
        self.salt = salt
        self.commitment = commitment
    }
}
