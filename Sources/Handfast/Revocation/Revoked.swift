public import HandfastChannel
public import HandfastClaims

/// Something that no longer holds: what, how it came to its end, when, by whose word, and why.
///
/// One vocabulary for everything that can be taken back, so that a person finds all of it in one place.
///
/// - Source: Spec/02 §2.2 (keys), Spec/05 §5.5 (end), Spec/10 §10.8 (credentials)
public struct Revoked: Hashable, Sendable {
    /// What no longer holds.
    public enum Subject: Hashable, Sendable {
        /// A signing key, by its place in the key log of its identity: the number of the event that made it the key.
        case key(IdentityID, sequence: Int)
        /// An invitation, by what a relay sees of its ticket.
        case invitation(Knock)
        /// A queue at a relay.
        case queue(QueueID)
        /// A whole relationship.
        case relationship(RelationshipID)
        /// A copy of a credential, by its place in its issuer's list.
        case credential(StatusReference)
        /// A copy of a credential of the own wallet, by its number.
        case copy(CredentialID, number: Int)
    }

    /// How it came to its end.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Another took its place.
        case replaced
        /// It was taken back, and nothing takes its place.
        case revoked
        /// It may come back.
        case suspended
        /// It was good for one use, and used.
        case spent
        /// Its time is over.
        case expired
        /// It was closed.
        case closed
        /// Both sides have ended it.
        case ended
        /// One side has ended it, and the other has not answered.
        case ending
        /// One side has shut the other out for good.
        case blocked
        /// What was signed contradicts itself, so that nothing more is believed.
        case frozen
    }

    /// By whose word.
    public enum Party: String, Hashable, Sendable, CaseIterable {
        /// This side.
        case own
        /// The other side of the relationship.
        case peer
        /// Who issued the credential.
        case issuer
    }

    /// What no longer holds.
    public let subject: Subject
    /// How it came to its end.
    public let kind: Kind
    /// When, by the clock of who said so; nil if nobody has written it down.
    public let time: Timestamp?
    /// By whose word; nil where time alone has ended it, or both sides have.
    public let party: Party?
    /// Why, in the words of who said so.
    public let reason: String?

    /// Something that came to its end.
    public init(_ subject: Subject, _ kind: Kind, at time: Timestamp?, by party: Party?, reason: String? = nil) {
        self.subject = subject
        self.kind = kind
        self.time = time
        self.party = party
        self.reason = reason
    }
}

extension KeyLog {
    /// The keys of the log that no longer sign, oldest first.
    /// - Parameter party: Whose log it is.
    public func revoked(by party: Revoked.Party) -> [Revoked] {
        events.dropFirst().map { Revoked(keyBefore: $0, by: party) }
    }
}

extension Relationship {
    /// The keys of both sides that no longer sign.
    public var revokedKeys: [Revoked] {
        own.keys.later.map { Revoked(keyBefore: $0, by: .own) }
            + (peer?.keys.later ?? []).map { Revoked(keyBefore: $0, by: .peer) }
    }
}

extension Revoked {
    /// The key that a rotation or revocation ended.
    fileprivate init(keyBefore event: KeyEvent, by party: Party) {
        self.init(
            .key(event.identity, sequence: event.sequence - 1), event.kind == .revocation ? .revoked : .replaced,
            at: event.created, by: party)
    }
}

extension StatusReference {
    /// What a status that is not valid is in the vocabulary of revocation; nil for one that is valid.
    public func revoked(_ status: CredentialStatus, at time: Timestamp?) -> Revoked? {
        switch status {
        case .valid: nil
        case .suspended: Revoked(.credential(self), .suspended, at: time, by: .issuer)
        case .invalid, .other: Revoked(.credential(self), .revoked, at: time, by: .issuer)
        }
    }
}
