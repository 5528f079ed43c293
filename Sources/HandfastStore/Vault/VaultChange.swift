public import HandfastChannel
public import HandfastCrypto

/// Everything that becomes true together in one commit: a step of one relationship, or of none.
///
/// - Source: Spec/08 §8.1
public struct VaultChange: Sendable, Equatable {
    /// The state of a relationship, guarded by its version.
    public var relationship: RelationshipUpdate?
    /// Records appended to a ledger.
    public var entries: [NewEntry] = []
    /// Records whose body is erased: stored again without it, under the same hash.
    public var erasedEntries: [NewEntry] = []
    /// Records taken out of a ledger again, before others are appended in their places.
    public var voided: [VoidedEntries] = []
    /// Queues whose numbering is taken over from their relay, before envelopes are appended.
    public var adoptions: [QueueAdoption] = []
    /// Envelopes to be put to a relay.
    public var outbox: [OutboxItem] = []
    /// Envelopes that a relay has confirmed.
    public var outboxConfirmed: [OutboxConfirmation] = []
    /// How far a service has been received.
    public var cursor: ServiceCursor?
    /// Identities made or advanced.
    public var identities: [IdentityRow] = []
    /// Invitations made or changed.
    public var invitations: [InvitationRow] = []
    /// Bundles made.
    public var bundles: [BundleRow] = []
    /// Hellos that began a relationship; one that is known already loses the change.
    public var hellos: [HelloRow] = []
    /// Tickets used up; one that was spent already loses the change.
    public var spentTickets: [SpentTicket] = []
    /// Services made or changed.
    public var services: [ServiceRow] = []
    /// The node's own queues, opened or changed.
    public var queues: [QueueRow] = []
    /// The node's own queues that it gave up.
    public var closedQueues: [QueueID] = []
    /// Attachments on their way, or come to their end.
    public var transfers: [TransferRow] = []
    /// Rows of the wallet, stored or removed in this order.
    public var wallet: [WalletRow] = []
    /// Positions of the feed that are left out before the events of this change, 0 in general.
    public var skippedPositions: Int64 = 0
    /// What readers of the feed are told.
    public var events: [EventDraft] = []
    /// Results kept under a caller's key; a key that is known already loses the change.
    public var idempotency: [IdempotencyRow] = []
    /// Relationships removed with ledger, channel and outbox. Replay entries and spent tickets stay.
    public var forgotten: [RelationshipID] = []

    /// A change without content.
    public static let empty = VaultChange()

    /// Makes a change without content, to be filled.
    public init() {}
}

/// What became of one change of a batch.
public enum ChangeOutcome: Sendable, Equatable {
    /// Durable; its events stand at these positions, in the order of the change.
    case committed(events: [Int64])
    /// Its compare-and-swap was lost: nothing of the change was stored.
    case conflict(Conflict)

    /// Which guard a change ran into.
    public enum Conflict: Sendable, Equatable {
        /// The relationship stands at another version; nil when it does not exist.
        case version(RelationshipID, stored: Int64?)
        /// The hello began a relationship already.
        case hello(Digest)
        /// The ticket was spent already.
        case ticket(Knock)
        /// The idempotency key has a result already.
        case idempotency(key: [UInt8])
    }
}

/// The new state of a relationship and its channel.
public struct RelationshipUpdate: Sendable, Equatable {
    /// A part of a relationship that is often left as it stands.
    public enum Part: Sendable, Equatable {
        /// As stored.
        case unchanged
        /// These bytes from now on.
        case set([UInt8])
        /// Erased.
        case erased
    }

    /// Which relationship.
    public var id: RelationshipID
    /// The version this step was computed from; nil for a new relationship. The first stored version is 1.
    public var expectedVersion: Int64?
    /// Everything about the relationship but its channel; cannot be erased, and is required for a new one.
    public var state: Part
    /// The ratchet's hot state, at most a few hundred bytes, written at every step.
    public var channel: Part
    /// The ratchet's rarely changing state: the peer's offered key, skipped keys.
    public var auxiliary: Part
    /// The secrets from which later epochs of the channel resume, written when one begins.
    public var resume: Part
    /// Whether the passing of time alone may give the node something to do for `state`, by which it is then listed; of
    /// no effect where `state` stays as it is.
    public var isTimed: Bool

    /// Makes an update; parts not named stay as they are.
    public init(
        id: RelationshipID, expectedVersion: Int64?, state: Part = .unchanged, channel: Part = .unchanged,
        auxiliary: Part = .unchanged, resume: Part = .unchanged, isTimed: Bool = false
    ) {
        self.id = id
        self.expectedVersion = expectedVersion
        self.state = state
        self.channel = channel
        self.auxiliary = auxiliary
        self.resume = resume
        self.isTimed = isTimed
    }
}

/// A record to append to a ledger.
public struct NewEntry: Sendable, Equatable {
    /// The relationship whose ledger it is.
    public var relationship: RelationshipID
    /// Who signed it.
    public var direction: SenderRole
    /// Its number in that direction, from 1.
    public var sequence: UInt64
    /// Its record hash.
    public var hash: Digest
    /// The encoded entry, opaque to the store.
    public var bytes: [UInt8]

    /// Makes a record to append.
    public init(
        relationship: RelationshipID, direction: SenderRole, sequence: UInt64, hash: Digest, bytes: [UInt8]
    ) {
        self.relationship = relationship
        self.direction = direction
        self.sequence = sequence
        self.hash = hash
        self.bytes = bytes
    }
}

/// Records that do not count any more: all of one direction from a number on.
public struct VoidedEntries: Sendable, Equatable {
    /// The relationship whose ledger it is.
    public var relationship: RelationshipID
    /// Whose records.
    public var direction: SenderRole
    /// The number of the first that is taken out.
    public var first: UInt64

    /// Names the records.
    public init(relationship: RelationshipID, direction: SenderRole, from first: UInt64) {
        self.relationship = relationship
        self.direction = direction
        self.first = first
    }
}

/// A relay's word on what a queue holds, taken over in place of one's own; every unconfirmed envelope to the queue is
/// dropped.
///
/// - Source: Spec/07 §7.2
public struct QueueAdoption: Sendable, Equatable {
    /// The relationship that sends there.
    public var relationship: RelationshipID
    /// The queue.
    public var queue: QueueID
    /// The number that the relay expects next.
    public var next: UInt64
    /// The queue digest at that number.
    public var chain: Digest

    /// Names the queue and what the relay told.
    public init(relationship: RelationshipID, queue: QueueID, next: UInt64, chain: Digest) {
        self.relationship = relationship
        self.queue = queue
        self.next = next
        self.chain = chain
    }
}

/// One sealed envelope on its way to a relay; put again with the same bytes until confirmed.
public struct OutboxItem: Sendable, Equatable {
    /// The relationship it belongs to.
    public var relationship: RelationshipID
    /// The peer's queue it goes to.
    public var queue: QueueID
    /// Its number in that queue, from 0.
    public var number: UInt64
    /// The queue digest after it (``QueueChain``).
    public var chain: Digest
    /// The bytes to put.
    public var envelope: [UInt8]

    /// Makes an item of the outbox.
    public init(relationship: RelationshipID, queue: QueueID, number: UInt64, chain: Digest, envelope: [UInt8]) {
        self.relationship = relationship
        self.queue = queue
        self.number = number
        self.chain = chain
        self.envelope = envelope
    }
}

/// A relay's word that it holds a queue's envelopes durably up to a number.
public struct OutboxConfirmation: Sendable, Equatable {
    /// The relationship that sent them.
    public var relationship: RelationshipID
    /// The queue they went to.
    public var queue: QueueID
    /// The last confirmed number.
    public var through: UInt64

    /// Makes a confirmation.
    public init(relationship: RelationshipID, queue: QueueID, through: UInt64) {
        self.relationship = relationship
        self.queue = queue
        self.through = through
    }
}

/// How far a service has been received; the cursor goes back only where that is said.
public struct ServiceCursor: Sendable, Equatable {
    /// The service's public key at the relay.
    public var service: VerificationKey
    /// The last position whose effect is in this change or an earlier one.
    public var position: UInt64
    /// Whether the relay was taken back to an older state, so that a lower position takes the place of a higher.
    public var goesBack: Bool

    /// Makes a cursor.
    public init(service: VerificationKey, position: UInt64, goesBack: Bool = false) {
        self.service = service
        self.position = position
        self.goesBack = goesBack
    }
}

/// An identity of this node.
public struct IdentityRow: Sendable, Equatable {
    /// Which identity.
    public var id: IdentityID
    /// Its encoded log and keys, opaque to the store.
    public var bytes: [UInt8]

    /// Makes a row.
    public init(id: IdentityID, bytes: [UInt8]) {
        self.id = id
        self.bytes = bytes
    }
}

/// An invitation that this node made.
public struct InvitationRow: Sendable, Equatable {
    /// What a relay sees of its ticket.
    public var knock: Knock
    /// Its encoded content, opaque to the store.
    public var bytes: [UInt8]

    /// Makes a row.
    public init(knock: Knock, bytes: [UInt8]) {
        self.knock = knock
        self.bytes = bytes
    }
}

/// A bundle with its private key.
public struct BundleRow: Sendable, Equatable {
    /// The bundle hash.
    public var hash: Digest
    /// The bundle and its key, encoded; opaque to the store.
    public var bytes: [UInt8]
    /// When bundle and key are erased.
    public var eraseAfter: Timestamp

    /// Makes a row.
    public init(hash: Digest, bytes: [UInt8], eraseAfter: Timestamp) {
        self.hash = hash
        self.bytes = bytes
        self.eraseAfter = eraseAfter
    }
}

/// The replay entry of a hello.
public struct HelloRow: Sendable, Equatable {
    /// The hello hash.
    public var hash: Digest
    /// The relationship it began.
    public var relationship: RelationshipID
    /// When the entry is erased: together with the bundle that the hello was sealed to, never before.
    public var eraseAfter: Timestamp

    /// Makes a row.
    public init(hash: Digest, relationship: RelationshipID, eraseAfter: Timestamp) {
        self.hash = hash
        self.relationship = relationship
        self.eraseAfter = eraseAfter
    }
}

/// A ticket used up.
public struct SpentTicket: Sendable, Equatable {
    /// The knock of the ticket.
    public var knock: Knock
    /// The relationship it admitted.
    public var relationship: RelationshipID

    /// Makes a row.
    public init(knock: Knock, relationship: RelationshipID) {
        self.knock = knock
        self.relationship = relationship
    }
}

/// A service that this node has at a relay.
public struct ServiceRow: Sendable, Equatable {
    /// The service's public key.
    public var key: VerificationKey
    /// Relay address, private key and purpose, encoded; opaque to the store.
    public var bytes: [UInt8]

    /// Makes a row.
    public init(key: VerificationKey, bytes: [UInt8]) {
        self.key = key
        self.bytes = bytes
    }
}

/// A queue of this node's own.
public struct QueueRow: Sendable, Equatable {
    /// The queue.
    public var id: QueueID
    /// The relationship it receives for; nil for a knock queue.
    public var relationship: RelationshipID?
    /// The service that has something to do for it at the relay, by which it is then listed; nil for most.
    public var tendedBy: VerificationKey?
    /// What else the node needs to know of it, opaque to the store.
    public var bytes: [UInt8]

    /// Makes a row.
    public init(
        id: QueueID, relationship: RelationshipID?, tendedBy service: VerificationKey? = nil, bytes: [UInt8]
    ) {
        self.id = id
        self.relationship = relationship
        tendedBy = service
        self.bytes = bytes
    }
}

/// Which attachment a transfer is of: the place of its record.
public struct TransferKey: Sendable, Hashable {
    /// The relationship whose record it is.
    public var relationship: RelationshipID
    /// Who signed the record.
    public var direction: SenderRole
    /// The record's number in that direction.
    public var sequence: UInt64

    /// Names a transfer.
    public init(relationship: RelationshipID, direction: SenderRole, sequence: UInt64) {
        self.relationship = relationship
        self.direction = direction
        self.sequence = sequence
    }

    /// Takes the key apart from what follows it in its row.
    ///
    /// - Throws: ``StoreError/corrupted(_:)``
    static func taking(from bytes: [UInt8]) throws(StoreError) -> (key: TransferKey, rest: [UInt8]) {
        var payload = Payload(bytes, of: "transfer")
        let relationship = RelationshipID(try payload.digest())
        guard let direction = SenderRole(rawValue: try payload.byte()) else {
            throw .corrupted("a row of table transfer")
        }
        var sequence: UInt64 = 0
        for _ in 0..<8 { sequence = sequence << 8 | UInt64(try payload.byte()) }
        return (TransferKey(relationship: relationship, direction: direction, sequence: sequence), payload.rest)
    }

    /// The key by which its row is found, 41 bytes.
    package var bytes: [UInt8] {
        relationship.digest.array + [direction.rawValue]
            + (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (56 - 8 * $0)) }
    }
}

/// How far an attachment has come.
public struct TransferRow: Sendable, Equatable {
    /// Which attachment.
    public var key: TransferKey
    /// What else the node needs to know of it, opaque to the store.
    public var bytes: [UInt8]
    /// Whether something is still to be done; what is not, is kept and left out of lists.
    public var isOpen: Bool

    /// Makes a row.
    public init(key: TransferKey, bytes: [UInt8], isOpen: Bool) {
        self.key = key
        self.bytes = bytes
        self.isOpen = isOpen
    }
}

/// An event for the feed; the store gives it its position.
public struct EventDraft: Sendable, Equatable {
    /// The relationship it is about.
    public var relationship: RelationshipID?
    /// Its encoded content, opaque to the store.
    public var payload: [UInt8]

    /// Makes an event.
    public init(relationship: RelationshipID?, payload: [UInt8]) {
        self.relationship = relationship
        self.payload = payload
    }
}

/// The result of a request kept under the key that its caller chose, so that the request takes effect once.
public struct IdempotencyRow: Sendable, Equatable {
    /// The caller's key; stored only as a keyed digest.
    public var key: [UInt8]
    /// The result to answer a repeat with.
    public var result: [UInt8]
    /// When the key is forgotten.
    public var eraseAfter: Timestamp

    /// Makes a row.
    public init(key: [UInt8], result: [UInt8], eraseAfter: Timestamp) {
        self.key = key
        self.result = result
        self.eraseAfter = eraseAfter
    }
}
