public import Handfast

/// A nonce that a relationship was given, and for whom what answers it has to be made.
public struct AnonymousNonceReport: Codable, Hashable, Sendable {
    /// The relationship's id.
    public var relationship: String
    /// The own note on who it is, or what it calls itself.
    public var label: String?
    /// 32 random bytes.
    public var nonce: [UInt8]
    /// When it was made, seconds since 1970.
    public var made: UInt64
    /// The own pairwise identity in this relationship, `hf:…`.
    public var verifier: String
    /// The own public identity, `hf:…`, if it vouches for the own side of this relationship.
    public var publicIdentity: String?
}

/// An anonymous credential, or the request for one, as a person sees it. Experimental, as the scheme is.
public struct AnonymousCredentialReport: Codable, Hashable, Sendable {
    /// What was shown to a relationship, once or again.
    public struct Showing: Codable, Hashable, Sendable {
        /// The relationship's id.
        public var relationship: String
        /// The own note on who it is, or what it calls itself.
        public var label: String?
        /// The attributes, by name.
        public var claims: [String]
        /// Whether the pseudonym was that of all relationships with this vendor.
        public var isLinkable: Bool
        /// When for the last time, seconds since 1970.
        public var time: UInt64
    }

    /// Its name in this wallet.
    public var id: String
    /// What its holder calls it.
    public var label: String
    /// When it came, or was asked for, seconds since 1970.
    public var created: UInt64
    /// The type of the credential.
    public var type: String
    /// The issuer's public key, 32 bytes: to be compared with what others got.
    public var issuer: [UInt8]
    /// Whether the issuer has answered.
    public var isIssued: Bool
    /// The names of its attributes.
    public var attributes: [String]
    /// Every attribute and its value; none before it is issued.
    public var claims: [LearnedClaim] = []
    /// The epoch in which it holds.
    public var epoch: UInt64?
    /// When that epoch ends, seconds since 1970.
    public var expires: UInt64?
    /// What was shown of it, and to whom.
    public var shown: [Showing] = []
}

/// A presentation of an anonymous credential that was made, and what it tells. Experimental, as the scheme is.
public struct AnonymousPresentationReport: Codable, Hashable, Sendable {
    /// The relationship's id.
    public var relationship: String
    /// The own note on who it is, or what it calls itself.
    public var label: String?
    /// The type of the credential.
    public var type: String
    /// The attributes that it shows, and their values.
    public var claims: [LearnedClaim]
    /// The epoch, which is always shown.
    public var epoch: UInt64
    /// When that epoch ends, seconds since 1970.
    public var expires: UInt64
    /// Where the pseudonym stays the same: `relationship` or `vendor`.
    public var scope: String
    /// The pseudonym, 32 bytes.
    public var pseudonym: [UInt8]
    /// The presentation.
    public var presentation: [UInt8]
}
