public import HandfastChannel
public import HandfastCrypto

/// A relationship as stored, with its channel.
public struct StoredRelationship: Sendable, Equatable {
    /// Which relationship.
    public let id: RelationshipID
    /// What the next update must expect.
    public let version: Int64
    /// Everything but the channel.
    public let state: [UInt8]
    /// The ratchet's hot state; nil before the first or once erased.
    public let channel: [UInt8]?
    /// The ratchet's rarely changing state; nil when there is none.
    public let auxiliary: [UInt8]?
    /// The secrets from which later epochs of the channel resume; nil when there are none.
    public let resume: [UInt8]?

    package init(
        id: RelationshipID, version: Int64, state: [UInt8], channel: [UInt8]?, auxiliary: [UInt8]?, resume: [UInt8]?
    ) {
        self.id = id
        self.version = version
        self.state = state
        self.channel = channel
        self.auxiliary = auxiliary
        self.resume = resume
    }
}

/// A relationship in a list.
public struct RelationshipSummary: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// Which relationship.
    public let id: RelationshipID
    /// What the next update must expect.
    public let version: Int64
    /// Everything but the channel.
    public let state: [UInt8]

    package init(position: Int64, id: RelationshipID, version: Int64, state: [UInt8]) {
        self.position = position
        self.id = id
        self.version = version
        self.state = state
    }
}

/// A relationship's name in a list.
public struct RelationshipReference: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// Which relationship.
    public let id: RelationshipID

    package init(position: Int64, id: RelationshipID) {
        self.position = position
        self.id = id
    }
}

/// A record as stored.
public struct StoredEntry: Sendable, Equatable {
    /// Its number in its direction.
    public let sequence: UInt64
    /// Its record hash.
    public let hash: Digest
    /// The encoded entry.
    public let bytes: [UInt8]

    package init(sequence: UInt64, hash: Digest, bytes: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
        self.bytes = bytes
    }
}

/// How far a relationship's envelopes to one queue have come.
public struct OutboxHead: Sendable, Equatable {
    /// The queue they go to.
    public let queue: QueueID
    /// How many are confirmed; the relay's next number.
    public let confirmed: UInt64
    /// The queue digest after the confirmed ones.
    public let confirmedChain: Digest
    /// The number of the next envelope to make.
    public let next: UInt64
    /// The queue digest after all envelopes made so far.
    public let chain: Digest

    package init(queue: QueueID, confirmed: UInt64, confirmedChain: Digest, next: UInt64, chain: Digest) {
        self.queue = queue
        self.confirmed = confirmed
        self.confirmedChain = confirmedChain
        self.next = next
        self.chain = chain
    }
}

/// An identity as stored.
public struct StoredIdentity: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// Which identity.
    public let id: IdentityID
    /// Its encoded log and keys.
    public let bytes: [UInt8]

    package init(position: Int64, id: IdentityID, bytes: [UInt8]) {
        self.position = position
        self.id = id
        self.bytes = bytes
    }
}

/// An invitation as stored.
public struct StoredInvitation: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// What a relay sees of its ticket.
    public let knock: Knock
    /// Its encoded content.
    public let bytes: [UInt8]
    /// The relationship that its ticket admitted; nil while it is unspent.
    public let spentBy: RelationshipID?

    package init(position: Int64, knock: Knock, bytes: [UInt8], spentBy: RelationshipID?) {
        self.position = position
        self.knock = knock
        self.bytes = bytes
        self.spentBy = spentBy
    }
}

/// A bundle as stored.
public struct StoredBundle: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// The bundle hash.
    public let hash: Digest
    /// The bundle and its key, encoded.
    public let bytes: [UInt8]
    /// When bundle and key are erased.
    public let eraseAfter: Timestamp

    package init(position: Int64, hash: Digest, bytes: [UInt8], eraseAfter: Timestamp) {
        self.position = position
        self.hash = hash
        self.bytes = bytes
        self.eraseAfter = eraseAfter
    }
}

/// A service as stored.
public struct StoredService: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// The service's public key.
    public let key: VerificationKey
    /// Relay address, private key and purpose, encoded.
    public let bytes: [UInt8]
    /// The last position received; 0 before the first.
    public let cursor: UInt64

    package init(position: Int64, key: VerificationKey, bytes: [UInt8], cursor: UInt64) {
        self.position = position
        self.key = key
        self.bytes = bytes
        self.cursor = cursor
    }
}

/// A queue of this node's own, as stored.
public struct StoredQueue: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// The queue.
    public let id: QueueID
    /// The relationship it receives for; nil for a knock queue.
    public let relationship: RelationshipID?
    /// What else the node needs to know of it.
    public let bytes: [UInt8]

    package init(position: Int64, id: QueueID, relationship: RelationshipID?, bytes: [UInt8]) {
        self.position = position
        self.id = id
        self.relationship = relationship
        self.bytes = bytes
    }
}

/// A transfer as stored.
public struct StoredTransfer: Sendable, Equatable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// Which attachment.
    public let key: TransferKey
    /// What else the node needs to know of it.
    public let bytes: [UInt8]

    package init(position: Int64, key: TransferKey, bytes: [UInt8]) {
        self.position = position
        self.key = key
        self.bytes = bytes
    }
}

/// An event of the feed.
public struct StoredEvent: Sendable, Equatable {
    /// Its place in the feed; strictly increasing, never used again.
    public let position: Int64
    /// The relationship it is about.
    public let relationship: RelationshipID?
    /// Its encoded content.
    public let payload: [UInt8]

    package init(position: Int64, relationship: RelationshipID?, payload: [UInt8]) {
        self.position = position
        self.relationship = relationship
        self.payload = payload
    }
}
