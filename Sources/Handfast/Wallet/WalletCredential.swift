public import HandfastChannel
public import HandfastClaims
public import HandfastCrypto

/// A credential of the wallet: copies that say the same, each with a holder key of its own, of which every relationship
/// gets another.
///
/// - Source: Spec/10 §10.11
public struct WalletCredential: Hashable, Sendable {
    /// The most copies of one batch.
    public static let maximumCopies = 256

    /// What all copies say.
    public struct Content: Hashable, Sendable {
        /// How they are written.
        public var format: VerifiedCredential.Format
        /// The issuer, as it names itself.
        public var issuer: String
        /// The type (`vct`).
        public var type: String
        /// All claims, and which of them are disclosed one by one.
        public var claims: HeldClaims

        /// What copies say.
        public init(format: VerifiedCredential.Format, issuer: String, type: String, claims: HeldClaims) {
            self.format = format
            self.issuer = issuer
            self.type = type
            self.claims = claims
        }
    }

    /// What differs between copies.
    public struct Copy: Hashable, Sendable {
        /// The public key of its holder, which no other copy has.
        public let holderKey: VerificationKey
        /// Whether the issuer has issued it; before, there is only the key.
        public internal(set) var isIssued = false
        /// When it was issued, in seconds since 1970.
        public internal(set) var issuedAt: UInt64?
        /// Until when it holds, in seconds since 1970.
        public internal(set) var expires: UInt64?
        /// The one relationship in which it may be presented; nil while it is free.
        public internal(set) var relationship: RelationshipID?
        /// Whether it may be presented in no further relationship: an older copy of the vault was restored, and the
        /// newer one may have presented it.
        public internal(set) var isRetired = false
        /// Where its status stands; nil if it has none.
        public internal(set) var status: StatusReference?
        /// What its issuer has taken back of it, as far as is known here.
        public internal(set) var revocation: Revoked?

        /// A copy that is still to be issued.
        public init(holderKey: VerificationKey) {
            self.holderKey = holderKey
        }

        /// A copy as it was kept.
        public init(
            holderKey: VerificationKey, isIssued: Bool, issuedAt: UInt64?, expires: UInt64?,
            relationship: RelationshipID?, isRetired: Bool, status: StatusReference? = nil, revocation: Revoked? = nil
        ) {
            self.holderKey = holderKey
            self.isIssued = isIssued
            self.issuedAt = issuedAt
            self.expires = expires
            self.relationship = relationship
            self.isRetired = isRetired
            self.status = status
            self.revocation = revocation
        }

        /// Whether it can be given to a relationship that has none.
        public func isFree(at now: Timestamp) -> Bool { relationship == nil && !isRetired && holds(at: now) }

        /// Whether it is issued, has not ended and is not known to be revoked.
        public func holds(at now: Timestamp) -> Bool {
            isIssued && (expires ?? .max) > now.seconds && revocation == nil
        }
    }

    /// Which credential.
    public let id: CredentialID
    /// What its holder calls it.
    public let label: String
    /// When its keys were made.
    public let created: Timestamp
    /// What it says; nil until a copy is issued.
    public private(set) var content: Content?
    /// The copies, by number from 0.
    public private(set) var copies: [Copy]

    /// A credential of these copies.
    public init(id: CredentialID, label: String, created: Timestamp, content: Content? = nil, copies: [Copy]) {
        self.id = id
        self.label = label
        self.created = created
        self.content = content
        self.copies = copies
    }

    /// Takes a copy that the issuer has issued.
    ///
    /// - Parameters:
    ///   - content: what it says: the same as every other copy.
    ///   - holderKey: the key that it is bound to: one that this wallet made.
    /// - Returns: The number of the copy.
    /// - Throws: ``WalletError/unknownHolderKey``, ``WalletError/issuedAlready(copy:)``,
    ///   ``WalletError/differentContent(copy:)``; nothing has changed then.
    public mutating func take(
        _ content: Content, holderKey: VerificationKey, issuedAt: UInt64?, expires: UInt64?
    ) throws(WalletError) -> Int {
        guard let number = copies.firstIndex(where: { $0.holderKey == holderKey }) else { throw .unknownHolderKey }
        guard !copies[number].isIssued else { throw .issuedAlready(copy: number) }
        guard self.content == nil || self.content == content else { throw .differentContent(copy: number) }
        self.content = content
        copies[number].isIssued = true
        copies[number].issuedAt = issuedAt
        copies[number].expires = expires
        return number
    }

    /// The copy to present in a relationship, without making it that relationship's: its own while that one holds, or
    /// else the first free one; nil where there is none.
    public func number(for relationship: RelationshipID, at now: Timestamp) -> Int? {
        copies.firstIndex { $0.relationship == relationship && $0.holds(at: now) }
            ?? copies.firstIndex { $0.isFree(at: now) }
    }

    /// Makes the copy to present in a relationship that relationship's, for ever.
    ///
    /// - Throws: ``WalletError/noFreeCopy``
    public mutating func copy(for relationship: RelationshipID, at now: Timestamp) throws(WalletError) -> Int {
        guard let number = number(for: relationship, at: now) else { throw .noFreeCopy }
        copies[number].relationship = relationship
        return number
    }

    /// Gives no free copy away any more: an older copy of the vault was restored, and nobody knows which of them the
    /// newer one has presented.
    ///
    /// - Returns: The numbers of the copies that changed.
    public mutating func retireFreeCopies() -> [Int] {
        let free = copies.indices.filter { copies[$0].relationship == nil && !copies[$0].isRetired }
        for number in free { copies[number].isRetired = true }
        return free
    }

    /// How many copies can be given to relationships that have none.
    public func freeCount(at now: Timestamp) -> Int { copies.count { $0.isFree(at: now) } }

    /// How many copies are still to be issued.
    public var awaitedCount: Int { copies.count { !$0.isIssued } }

    /// Whether it is time to ask the issuer for more: less than a quarter of the batch is free, and it is not revoked.
    public func isRunningLow(at now: Timestamp) -> Bool {
        freeCount(at: now) * 4 < copies.count && copies.contains { $0.isIssued && $0.revocation == nil }
    }

    /// What the issuer has taken back, where nothing else keeps the credential from being shown in a relationship.
    func revocation(for relationship: RelationshipID) -> Revoked? {
        let own = copies.filter { $0.relationship == relationship || $0.relationship == nil && !$0.isRetired }
        return own.compactMap(\.revocation).first
    }
}
