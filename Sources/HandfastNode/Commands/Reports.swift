/// An invitation that was made.
public struct InvitationReport: Codable, Hashable, Sendable {
    /// The invitation, `handfast:…`, at most 200 characters. It holds a secret: whoever has it can accept once.
    public var uri: String
    /// The own note on whom it is for.
    public var label: String?
    /// The id that signs the bundles behind it, `hf:…`.
    public var signer: String
    /// After this time (seconds since 1970) nobody can accept it any more.
    public var expires: UInt64
    /// Whether the own relay has its bundles; until then nobody can accept it.
    public var isPublished: Bool
    /// What is still to be done, in words; `nil` when nothing is.
    public var notice: String?
}

/// A relationship as it stands.
public struct RelationshipReport: Codable, Hashable, Sendable {
    /// The relationship's id, 52 characters; the same on both sides.
    public var id: String
    /// The own note on who it is.
    public var label: String?
    /// The name that the peer gives itself.
    public var name: String?
    /// The domain that the peer's public identity names.
    public var domain: String?
    /// When the domain last confirmed the identity, seconds since 1970; `nil` while it is only a claim.
    public var domainConfirmed: UInt64?
    /// What the domain said against the identity since then; `nil` when all is well.
    public var domainFault: String?
    /// `greeted`, `welcomed`, `live`, `ending`, `ended`, `frozen`, or `blocked` where you blocked the other side.
    public var state: String
    /// `invitee` or `inviter`: the own part in the handshake.
    public var role: String
    /// When it began, seconds since 1970.
    public var created: UInt64
    /// The own pairwise identity, `hf:…`.
    public var ownIdentity: String
    /// The peer's pairwise identity, `hf:…`; `nil` before its welcome.
    public var peerIdentity: String?
    /// How often the channel was begun anew.
    public var epoch: UInt64
    /// Whether we asked for a new epoch of the channel and wait for the answer: nothing can be sent meanwhile.
    public var isRejoining: Bool
    /// The number of the own latest record.
    public var ownRecords: UInt64
    /// The number of the peer's latest record.
    public var peerRecords: UInt64
    /// The number of the own latest record that the peer is known to have had.
    public var peerHasSeen: UInt64
    /// Envelopes that no relay has confirmed yet.
    public var waiting: Int
    /// Six words that both sides compare to know that nobody is between them; `nil` before the welcome and in lists.
    public var words: String?
    /// Why nothing is sent, or nothing of the peer accepted, although the state would allow it; `nil` when all is well.
    public var trouble: String?
    /// The own relays to which the other side sends, `host:port`, the preferred one first.
    public var receivesAt: [String]
    /// How far this node has come in receiving from each of them, and from those that are being left; empty where no
    /// node runs.
    public var receiving: [ReceivingReport]
    /// The other side's relays, `host:port`, the preferred one first; none before its welcome.
    public var sendsTo: [String]
    /// Which of those is in use, from 0: a later one while those before it cannot be reached.
    public var sendingTo: Int
    /// How far a move to other relays has come, in words; `nil` where none is under way.
    public var moving: String?
    /// What this side lets come.
    public var reception: ReceptionReport
    /// Why the other side takes nothing for now: `paused`, `throttled`, `full` or `too-large`; `nil` when it does.
    public var heldBack: String?
    /// Since when, seconds since 1970; `nil` while it takes messages.
    public var heldBackSince: UInt64?
    /// Own messages that expired at the other side's relay before they were read.
    public var expiredUnread: UInt64
    /// Messages of the other side that expired at the own relay before they were read.
    public var lostUnread: UInt64
    /// What is still to be done, in words; `nil` when nothing is.
    public var notice: String?
}

/// What became of a `send`.
public struct SendReport: Codable, Hashable, Sendable {
    /// The relationship's id.
    public var relationship: String
    /// The numbers of the records in the own direction of the ledger; empty for ephemeral messages.
    public var sequences: [UInt64]
    /// The hashes of those records, base32.
    public var hashes: [String]
    /// Whether this is the answer to an earlier `send` with the same idempotency key.
    public var isRepeat: Bool
    /// Envelopes of this relationship that no relay has confirmed yet.
    public var waiting: Int
    /// Why some still wait, in words; `nil` when none does.
    public var notice: String?
}

/// What became of a broadcast.
public struct BroadcastReport: Codable, Hashable, Sendable {
    /// A relationship in which nothing was said.
    public struct Refusal: Codable, Hashable, Sendable {
        /// The relationship's id.
        public var relationship: String
        /// Why, in words.
        public var reason: String
    }

    /// The record in each relationship that has it; `isRepeat` where it had it before.
    public var sent: [SendReport] = []
    /// The relationships that do not.
    public var refused: [Refusal] = []
    /// Relationships of the vault with an envelope that no relay has confirmed yet.
    public var waiting = 0
    /// That some still wait, in words; `nil` when none does.
    public var notice: String?

    /// A broadcast that nobody has yet.
    public init() {}

    /// Adds what became of another part of it.
    public mutating func add(_ other: BroadcastReport) {
        sent += other.sent
        refused += other.refused
        waiting = other.waiting
        notice = other.notice
    }
}

/// The public identity after a rotation.
public struct PublicIdentityReport: Codable, Hashable, Sendable {
    /// Its id, `hf:…`, which does not change.
    public var identity: String
    /// Its domain.
    public var domain: String?
    /// The number of its key events, the inception among them; at most 64.
    public var keyEvents: Int
    /// Its key log, the CBOR array that `/.well-known/handfast` is to serve.
    public var keyLog: [UInt8]
    /// Relationships that were told.
    public var told: Int
    /// Relationships of the vault with an envelope that no relay has confirmed yet.
    public var waiting: Int
    /// What is still to be done, in words; `nil` when nothing is.
    public var notice: String?
}

/// One record of a ledger.
public struct EntryReport: Codable, Hashable, Sendable {
    /// Who signed a record.
    public enum Sender: String, Codable, Hashable, Sendable {
        /// This node.
        case own
        /// The other side.
        case peer
    }

    /// Who signed it.
    public var sender: Sender
    /// Its number in that direction, from 1.
    public var sequence: UInt64
    /// The signer's time, seconds since 1970.
    public var time: UInt64
    /// Its type, `family/name`.
    public var type: String
    /// Its thread, 32 hexadecimal digits.
    public var thread: String?
    /// The text of a `message/text`.
    public var text: String?
    /// Its body, a deterministic CBOR map; `nil` once erased.
    public var body: [UInt8]?
    /// The attachment that it names.
    public var attachment: AttachmentReport?
    /// Its hash, base32.
    public var hash: String
}

/// Counts and positions of a node.
public struct StatusReport: Codable, Hashable, Sendable {
    /// The public identity, `hf:…`; `nil` for a person's node.
    public var publicIdentity: String?
    /// The domain of the public identity.
    public var domain: String?
    /// The own relay, `host:port/key`.
    public var relay: String?
    /// Relationships by state.
    public var relationships: [String: Int]
    /// Envelopes that no relay has confirmed yet.
    public var waiting: Int
    /// The position of the latest event.
    public var lastEvent: Int64
    /// Whether the answer comes from a running node or from the command itself.
    public var isRunning: Bool
}

/// Something that `doctor` found.
public struct Finding: Codable, Hashable, Sendable {
    /// How bad it is.
    public enum Severity: String, Codable, Hashable, Sendable {
        /// Good to know; nothing to do now.
        case note
        /// Works, but something needs attention.
        case warning
        /// Something does not work.
        case error
    }

    /// How bad it is.
    public var severity: Severity
    /// What was found.
    public var what: String
    /// What to do about it.
    public var remedy: String

    /// A finding.
    public init(_ severity: Severity, _ what: String, remedy: String) {
        self.severity = severity
        self.what = what
        self.remedy = remedy
    }
}
