internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

/// A relationship in memory with its channel and keys. Owned by the ``Keeper`` and used nowhere else.
final class LoadedRelationship {
    /// The row.
    var kept: KeptRelationship
    /// The ratchet; `nil` until the inviter's welcome opened.
    var channel: Channel?
    /// Whether the ratchet was never stored.
    var isChannelNew = false
    /// The own pairwise identity.
    var identity: Identity
    /// What the next update must expect; `nil` until the relationship is stored.
    var version: Int64?
    /// The number of the next envelope for the peer's queue.
    var nextNumber: UInt64
    /// The digest of the peer's queue once all envelopes made so far are in it.
    var chain: Digest
    /// Hashes of own records that are not committed yet, by number.
    var uncommittedOwn: [UInt64: Digest] = [:]
    /// The batch of the peer's records whose signature was verified last.
    var batches = BatchVerifier()
    /// Envelopes in a row for which the channel had no key.
    var unopened = 0
    /// Records of the peer that are not committed yet, by number.
    var uncommittedPeer: [UInt64: Entry] = [:]

    init(
        kept: KeptRelationship, channel: consuming Channel?, identity: consuming Identity, version: Int64?,
        nextNumber: UInt64 = 0, chain: Digest = QueueChain.start
    ) {
        self.kept = kept
        self.channel = channel
        self.identity = identity
        self.version = version
        isChannelNew = version == nil
        self.nextNumber = nextNumber
        self.chain = chain
    }

    var id: RelationshipID { kept.relationship.id }

    /// Where the peer receives, or `nil` before its welcome.
    var address: Address? { kept.relationship.peerAddresses.first }
}
