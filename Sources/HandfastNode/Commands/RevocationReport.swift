internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

/// Something that no longer holds.
public struct RevocationReport: Codable, Hashable, Sendable {
    /// `key`, `invitation`, `queue`, `relationship`, `credential`, or `copy` for one of the own wallet whose time is over.
    public var subject: String
    /// Which one: the identity of a key, a relationship's id, a queue's, what a relay sees of an invitation's ticket,
    /// the URI of a credential's status list, or the own credential that it is a copy of.
    public var id: String
    /// The number of the key event that made the key, the place in the list, or the copy's; `nil` for what has none.
    public var number: UInt64?
    /// `replaced`, `revoked`, `suspended`, `spent`, `expired`, `closed`, `ended`, `ending`, `blocked` or `frozen`.
    public var kind: String
    /// When, seconds since 1970, by the clock of who said so; `nil` if nobody has written it down.
    public var time: UInt64?
    /// `own`, `peer` or `issuer`; `nil` where time or both sides have ended it.
    public var party: String?
    /// Why, in the words of who said so.
    public var reason: String?
    /// The relationship that it belongs to; `nil` for what belongs to none.
    public var relationship: String?
    /// The own note on who or what it is.
    public var label: String?

    init(_ revoked: Revoked, relationship: RelationshipID? = nil, label: String? = nil) {
        switch revoked.subject {
        case .key(let identity, let sequence):
            (subject, id, number) = ("key", identity.description, UInt64(sequence))
        case .invitation(let knock): (subject, id) = ("invitation", Base32.encode(knock.digest.array))
        case .queue(let queue): (subject, id) = ("queue", Base32.encode(queue.array))
        case .relationship(let relationship): (subject, id) = ("relationship", relationship.description)
        case .credential(let reference):
            (subject, id, number) = ("credential", reference.uri, reference.index)
        case .copy(let credential, let copy):
            (subject, id, number) = ("copy", credential.description, UInt64(copy))
        }
        kind = revoked.kind.rawValue
        time = revoked.time?.seconds
        party = revoked.party?.rawValue
        reason = revoked.reason
        self.relationship = relationship?.description
        self.label = label
    }
}
