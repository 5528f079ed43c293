public import HandfastChannel
internal import HandfastCrypto

/// What an export proves, once verified.
///
/// - Source: Spec/05 §5.6
public struct VerifiedLedger: Hashable, Sendable {
    /// The relationship.
    public let relationship: RelationshipID
    /// The identity that signed the bundle and so vouched for the inviter's.
    public let signer: IdentityID
    /// The domain that the signer claims; whoever asks the domain for its log knows whether it agrees.
    public let domain: String?
    /// The words that two people compare.
    public let words: String
    /// The invitee's records.
    public let invitee: Direction
    /// The inviter's records.
    public let inviter: Direction

    /// One party's records.
    public func direction(_ direction: SenderRole) -> Direction {
        direction == .invitee ? invitee : inviter
    }

    /// One party, its keys, and how far its records go.
    public struct Direction: Hashable, Sendable {
        /// The key log, with every event that the records carry.
        public let log: KeyLog
        /// The latest record; its number is also the count. Number 0 without records.
        public let head: RecordReference
        /// The other side's latest record that the latest record has seen.
        public let lastSeen: RecordReference
        /// Whether the party ended the relationship or its identity.
        public let hasEnded: Bool
        /// How many bodies have been erased.
        public let erasedCount: Int
        /// The time that the first record claims.
        public let firstTime: Timestamp?
        /// The time that the latest record claims.
        public let lastTime: Timestamp?

        /// The record hashes in order, the first at index 0.
        let hashes: [Digest]
    }
}

/// Two exports of one relationship, both verified, of which neither contradicts the other.
public struct LedgerAgreement: Hashable, Sendable {
    /// The ledger verified first.
    public let first: VerifiedLedger
    /// The ledger verified second.
    public let second: VerifiedLedger
    /// How many of the invitee's records both hold.
    public let inviteeCount: UInt64
    /// How many of the inviter's records both hold.
    public let inviterCount: UInt64
    /// Whether neither holds a record that the other lacks.
    public let isComplete: Bool
}

extension LedgerExport {
    /// Verifies two exports of one relationship and compares them.
    ///
    /// They agree when each direction of one is a prefix of the other's, by record hash; erased bodies do not matter.
    ///
    /// - Throws: ``RelationshipError/differentRelationships(_:_:)``, ``RelationshipError/handshakeMismatch`` when
    ///   two identities stand for the inviter, ``RelationshipError/exportsDisagree(_:sequence:)`` with the first record that
    ///   differs, and what ``verify()`` throws.
    /// - Source: Spec/05 §5.6
    public static func agree(
        _ first: LedgerExport, _ second: LedgerExport
    ) throws(RelationshipError) -> LedgerAgreement {
        let (one, other) = (try first.verify(), try second.verify())
        guard one.relationship == other.relationship else {
            throw .differentRelationships(one.relationship, other.relationship)
        }
        // The relationship's id covers bundle and invitee only: the same records could be signed by two inviters.
        guard one.inviter.log.id == other.inviter.log.id else { throw .handshakeMismatch }
        for direction in SenderRole.allCases {
            let pairs = zip(one.direction(direction).hashes, other.direction(direction).hashes)
            if let index = pairs.enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset {
                throw .exportsDisagree(direction, sequence: UInt64(index) + 1)
            }
        }
        return LedgerAgreement(
            first: one, second: other,
            inviteeCount: min(one.invitee.head.sequence, other.invitee.head.sequence),
            inviterCount: min(one.inviter.head.sequence, other.inviter.head.sequence),
            isComplete: one.invitee.head == other.invitee.head && one.inviter.head == other.inviter.head)
    }
}
