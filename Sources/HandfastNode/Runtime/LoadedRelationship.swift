internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

/// A relationship in memory with its channel and keys. Owned by the ``Keeper`` and used nowhere else.
final class LoadedRelationship {
    /// The row.
    var kept: KeptRelationship
    /// The ratchet; `nil` until the inviter's welcome opened, and while a rejoin waits for its answer.
    var channel: Channel?
    /// What opens the answer to our rejoin; the ratchet is erased then.
    var pending: PendingRejoin?
    /// Whether ratchet or pending rejoin were never stored.
    var isChannelNew = false
    /// The secrets of the latest epochs.
    var resumes: ResumeSecrets
    /// Whether they differ from what is stored.
    var resumesChanged = false
    /// The own pairwise identity.
    var identity: Identity
    /// What the next update must expect; `nil` until the relationship is stored.
    var version: Int64?
    /// The number of the next envelope for the peer's queue.
    var nextNumber: UInt64
    /// The digest of the peer's queue once all envelopes made so far are in it.
    var chain: Digest
    /// Own records that are not committed yet, by number.
    var uncommittedOwn: [UInt64: Entry] = [:]
    /// The proof of the handshake, where it is not committed yet.
    var uncommittedProof: HandshakeProof?
    /// The first own record that the store still holds and that is void.
    var uncommittedVoid: UInt64?
    /// The batch of the peer's records whose signature was verified last.
    var batches = BatchVerifier()
    /// Records of the peer that are not committed yet, each next to the one before.
    private(set) var uncommittedPeer: [Entry] = []
    /// Envelopes that are not committed yet.
    var uncommittedOutbox: [OutboxItem] = []
    /// The peer's queue that ``nextNumber`` and ``chain`` are of; nil before anything was sealed for one.
    var sendingQueue: QueueID?
    /// The own queue by which an envelope opened last.
    var lastOpened: QueueID?

    init(
        kept: KeptRelationship, channel: consuming Channel?, pending: consuming PendingRejoin? = nil,
        resumes: consuming ResumeSecrets = ResumeSecrets(), identity: consuming Identity, version: Int64?,
        nextNumber: UInt64 = 0, chain: Digest = QueueChain.start
    ) {
        self.kept = kept
        self.channel = channel
        self.pending = pending
        self.resumes = resumes
        self.identity = identity
        self.version = version
        isChannelNew = version == nil
        self.nextNumber = nextNumber
        self.chain = chain
    }

    /// Puts the ratchet of a new epoch in place of what there was.
    func begin(_ channel: consuming Channel, resume: borrowing SecretBytes, epoch: UInt64) {
        self.channel = .some(channel)
        pending = nil
        isChannelNew = true
        resumes.insert(resume, epoch: epoch)
        resumesChanged = true
    }

    /// Erases the ratchet: from here on only the answer to a rejoin opens.
    func wait(with pending: consuming PendingRejoin) {
        channel = nil
        self.pending = .some(pending)
        isChannelNew = true
    }

    /// The epoch that we asked for; 0 without a rejoin that waits.
    var pendingEpoch: UInt64 {
        switch pending {
        case .some(let pending): pending.epoch
        case .none: 0
        }
    }

    /// What opens the answer to our rejoin, as the vault keeps it.
    var pendingBytes: [UInt8]? {
        switch pending {
        case .some(let pending): [UInt8](pending.encoded().bytes)
        case .none: nil
        }
    }

    /// Opens the answer to our rejoin; nil for anything else.
    func openAnswer(
        _ bytes: [UInt8], peerLog: KeyLog, now: Timestamp, using entropy: inout some Entropy
    ) -> OpenedRejoined? {
        switch pending {
        case .some(let pending):
            do {
                return try pending.open(bytes.bytes, peerLog: peerLog, now: now, using: &entropy)
            } catch {
                return nil
            }
        case .none:
            return nil
        }
    }

    /// Remembers a record of the peer until the commit.
    func remember(_ entry: Entry) {
        if let last = uncommittedPeer.last, last.record.sequence >= entry.record.sequence {
            uncommittedPeer.removeAll { $0.record.sequence >= entry.record.sequence }
        }
        uncommittedPeer.append(entry)
    }

    /// A record of the peer that is not committed yet.
    func uncommittedPeer(_ number: UInt64) -> Entry? {
        guard let first = uncommittedPeer.first?.record.sequence, number >= first,
            number - first < UInt64(uncommittedPeer.count)
        else { return nil }
        return uncommittedPeer[Int(number - first)]
    }

    /// Forgets what is of use only until a commit has it: who needs it afterwards reads the store once that commit has
    /// come to its end.
    func isBeingCommitted(using entropy: inout some Entropy) {
        version = (version ?? 0) + 1
        isChannelNew = false
        resumesChanged = false
        channel?.didCommit(using: &entropy)
        uncommittedOwn.removeAll(keepingCapacity: true)
        uncommittedPeer.removeAll(keepingCapacity: true)
        uncommittedOutbox.removeAll(keepingCapacity: true)
        uncommittedVoid = nil
        uncommittedProof = nil
    }

    var id: RelationshipID { kept.relationship.id }

    /// Where the peer is sent to, or `nil` before its welcome.
    var address: Address? { kept.peerAddress }
}
