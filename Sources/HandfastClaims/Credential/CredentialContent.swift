public import HandfastEncoding

/// What an issuer is about to say in a credential, and what of it the holder may keep back: the same for both formats.
public struct CredentialContent: Hashable, Sendable {
    /// The issuer, as it names itself.
    public var issuer: String
    /// The credential's type (`vct`).
    public var type: String
    /// The subject; nil for none.
    public var subject: String?
    /// When it is issued, in seconds since 1970.
    public var issuedAt: UInt64?
    /// From when it holds, in seconds since 1970.
    public var notBefore: UInt64?
    /// Until when it holds, in seconds since 1970.
    public var expires: UInt64?
    /// Where its status stands; nil for none.
    public var status: StatusReference?
    /// Every other claim.
    public var claims: CBORMap
    /// The claims that the holder discloses or keeps back, one by one.
    public var redacting: [ClaimPath]
    /// How many digests of nothing stand beside those of the top's claims, so that their number tells less.
    public var decoyCount: Int

    /// Content of an issuer, a type and claims; the rest is set afterwards.
    public init(issuer: String, type: String, claims: CBORMap, redacting: [ClaimPath] = [], decoyCount: Int = 0) {
        self.issuer = issuer
        self.type = type
        self.claims = claims
        self.redacting = redacting
        self.decoyCount = decoyCount
    }
}
