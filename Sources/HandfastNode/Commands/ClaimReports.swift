public import Handfast

/// A credential that is shown, or would be.
public struct ShownReport: Codable, Hashable, Sendable {
    /// Its type.
    public var type: String
    /// Who vouches for it; `nil` for the holder alone.
    public var issuer: String?
    /// Every claim that is learned, and its value.
    public var claims: [LearnedClaim]
}

/// A request for claims as a person sees it.
public struct ClaimRequestReport: Codable, Hashable, Sendable {
    /// A credential that is asked for.
    public struct Query: Codable, Hashable, Sendable {
        /// Its type.
        public var type: String
        /// The claims, and behind an equals sign what they have to be.
        public var claims: [String]
        /// The issuers that will do; `nil` for those that the asking side trusts.
        public var issuers: [String]?
        /// Whether the holder's own word is enough.
        public var selfAsserted: Bool
    }

    /// The relationship's id.
    public var relationship: String
    /// The own note on who it is, or what it calls itself.
    public var label: String?
    /// Who asked.
    public var sender: EntryReport.Sender
    /// The number of the request's record in that direction.
    public var number: UInt64
    /// When it was asked, seconds since 1970.
    public var asked: UInt64
    /// What for.
    public var purpose: String
    /// The same in words.
    public var description: String?
    /// What is asked for.
    public var queries: [Query]
    /// The most seconds since a credential was issued.
    public var maximumAge: UInt64?
    /// `open`, `presented`, `refused`, `accepted` or `rejected`.
    public var state: String
    /// When it was answered, seconds since 1970.
    public var answered: UInt64?
    /// What was shown; of an open request of the other side, what `present` would show.
    public var shown: [ShownReport]
    /// Every check, once they were made.
    public var checks: [ClaimCheck]
    /// Why it was refused, or cannot be answered as it is.
    public var reason: String?
    /// Envelopes of the relationship that no relay has confirmed yet.
    public var waiting: Int = 0
    /// What is still to be done, in words.
    public var notice: String?
}

/// A rule by which requests are answered.
public struct ClaimRuleReport: Codable, Hashable, Sendable {
    /// Its name; `nil` before it is kept.
    public var id: String?
    /// `answer`, `ask` or `refuse`.
    public var decision: ClaimDecision
    /// The relationship in which it holds.
    public var relationship: String?
    /// The purpose for which it holds.
    public var purpose: String?
    /// The type of credential for which it holds.
    public var type: String?
    /// The claim for which it holds.
    public var claim: String?

    /// A rule.
    public init(
        _ decision: ClaimDecision, relationship: String? = nil, purpose: String? = nil, type: String? = nil,
        claim: String? = nil
    ) {
        self.decision = decision
        self.relationship = relationship
        self.purpose = purpose
        self.type = type
        self.claim = claim
    }
}

/// A credential of the wallet as a person sees it.
public struct CredentialReport: Codable, Hashable, Sendable {
    /// A copy of it.
    public struct Copy: Codable, Hashable, Sendable {
        /// The holder's public key, 32 bytes.
        public var key: [UInt8]
        /// Whether the issuer has issued it.
        public var isIssued: Bool
        /// Until when it holds, seconds since 1970.
        public var expires: UInt64?
        /// The one relationship that sees it.
        public var relationship: String?
        /// Whether it is given to no further relationship.
        public var isRetired: Bool
        /// `revoked` or `suspended`, where its issuer has said so.
        public var revoked: String?
        /// When the status list that said so first was issued, seconds since 1970.
        public var revokedAt: UInt64?
    }

    /// Its name in this wallet.
    public var id: String
    /// What its holder calls it.
    public var label: String
    /// When its keys were made, seconds since 1970.
    public var created: UInt64
    /// `dc+sd-cwt` or `dc+sd-jwt`; `nil` until it is issued.
    public var format: String?
    /// Its issuer.
    public var issuer: String?
    /// Its type.
    public var type: String?
    /// Every claim and its value.
    public var claims: [LearnedClaim]
    /// The claims that are shown one by one; all others always are.
    public var redacted: [String]
    /// Its copies.
    public var copies: [Copy]
    /// How many of them can be given to further relationships.
    public var free: Int
    /// Whether the issuer should be asked for more.
    public var isRunningLow: Bool
}

/// An issuer whose word is taken for claims.
public struct IssuerReport: Codable, Hashable, Sendable {
    /// A key by which it signs.
    public struct Key: Codable, Hashable, Sendable {
        /// Its name (`kid`), if it has one.
        public var name: String?
        /// `EdDSA`, `ES256` or `ES384`.
        public var algorithm: String
    }

    /// Its name.
    public var issuer: String
    /// The types of credential for which its word is taken; `nil` for every type.
    public var types: [String]?
    /// Its keys.
    public var keys: [Key]
    /// Where it publishes them; `nil` for keys that were given.
    public var url: String?
    /// When they were fetched there, seconds since 1970.
    public var fetched: UInt64?
    /// Why they could not be fetched the last time.
    public var trouble: String?
    /// Whether its keys are used: those that were fetched too long ago are not.
    public var isUsable: Bool = true

    init(issuer: String, types: [String]?, keys: [Key]) {
        self.issuer = issuer
        self.types = types
        self.keys = keys
    }
}
