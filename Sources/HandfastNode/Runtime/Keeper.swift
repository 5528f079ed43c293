internal import Handfast
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastRelay
internal import HandfastStore

/// The one owner of the vault's state in memory: every change of state passes through here, one after another.
///
/// Group commit comes by itself: operations that arrive while a commit runs wait in line, are then done in memory
/// together and committed in one transaction. Only after it is durable do their callers get an answer, are envelopes
/// put and positions acknowledged. When a commit fails, the memory of everything in it is dropped and read anew from
/// the store; when one operation fails, only the relationships that it had touched are.
///
/// - Source: Spec/08 §8.1
actor Keeper {
    /// What the rest of the node is told after each commit.
    struct Notice: Sendable {
        /// New envelopes in outboxes.
        var outbox: [OutboxItem] = []
        /// Relationships whose queue was taken over from its relay.
        var adopted: Set<RelationshipID> = []
        /// The position of the latest event, if there are new ones.
        var lastEvent: Int64?
        /// Whether a domain is to be asked at once.
        var asksDomain = false
        /// Whether an issuer may have to be asked for its keys at once, or what waited for that can be judged.
        var asksIssuer = false
        /// Relationships whose peer takes nothing for now, and has spoken.
        var heard: Set<RelationshipID> = []
        /// Relationships of which a service has something new to do.
        var toStart: Set<RelationshipID> = []
        /// Services that are received no more.
        var retired: Set<VerificationKey> = []
        /// Services whose own queues changed.
        var tended: Set<VerificationKey> = []
        /// Why the vault can commit nothing more; the process must end.
        var failure: StoreError?
    }

    private struct Operation {
        let run: (isolated Keeper, Draft) async -> Settlement
    }

    /// Answers the operation's caller: with the failure, or with what the operation returned.
    private struct Settlement {
        let failure: NodeError?
        let settle: (NodeError?) -> Void
    }

    nonisolated let store: any VaultStore
    nonisolated let time: TimeSource
    /// Where new relationships receive.
    nonisolated let relays: RelayList
    nonisolated let network: RelayNetwork
    private let onCommit: @Sendable (Notice) -> Void
    /// The name by which we introduce ourselves in new relationships.
    let introduction: String?
    /// What attachments need; `nil` where the node keeps none.
    let attachments: AttachmentDesk?
    /// Whose word is taken for claims.
    let issuers: IssuerFile
    var entropy: any Entropy & Sendable

    private var loaded: Recency<RelationshipID, LoadedRelationship>
    /// Everything that the running batch has loaded; the cache alone might forget one that has changed.
    private var inBatch: [RelationshipID: LoadedRelationship] = [:]
    private var queues: Recency<QueueID, StoredQueue>
    private var waiting: [Operation] = []
    private var isDraining = false
    /// When time alone may make a rejoin due.
    var checks: [RelationshipID: Timestamp] = [:]
    /// Queues that are open and that their peers were not told of yet.
    var openedTargets: Set<QueueID> = []
    /// When the domain of the peer's public identity is to be asked.
    var domainChecks: [RelationshipID: Timestamp] = [:]
    /// Next keys of the recovery root that no identity has used; nil until they are read.
    var promises: [PromisedKey]?
    /// Answers to requests for claims that wait until an issuer has been asked for its keys.
    var waitingAnswers: Set<WalletKey> = []
    /// What the operations of the running batch made true and the store does not know yet.
    var uncommitted = Uncommitted()
    /// Reused for every envelope.
    var plaintext: [UInt8] = []
    var envelope: [UInt8] = []

    /// Facts of the batch that is being gathered.
    struct Uncommitted {
        var hellos: Set<Digest> = []
        var tickets: Set<Knock> = []
        var results: [[UInt8]: [UInt8]] = [:]
        var queues: [QueueID: StoredQueue] = [:]
        var transfers: [TransferKey: KeptTransfer] = [:]
        /// Rows of the wallet; those that were removed have no bytes.
        var wallet: [WalletKey: WalletRow] = [:]
        var identities: [IdentityID: KeptIdentity] = [:]
        /// Whether an issuer may have to be asked for its keys, or what waited for that can be judged.
        var asksIssuer = false
        /// Relationships whose peer takes nothing for now, and has spoken.
        var heard: Set<RelationshipID> = []
        /// Relationships whose envelopes leave by another address from now on.
        var redirected: Set<RelationshipID> = []
        /// Relationships of which a service has something new to do.
        var toStart: Set<RelationshipID> = []
        /// Services that are received no more.
        var retired: Set<VerificationKey> = []
        /// Services whose own queues changed.
        var tended: Set<VerificationKey> = []
    }

    init(
        store: any VaultStore, time: TimeSource, network: RelayNetwork, entropy: any Entropy & Sendable,
        relays: RelayList, capacity: Int,
        introduction: String?, attachments: AttachmentDesk?, issuers: IssuerFile,
        onCommit: @escaping @Sendable (Notice) -> Void
    ) {
        self.store = store
        self.time = time
        self.relays = relays
        self.network = network
        self.entropy = entropy
        self.onCommit = onCommit
        self.introduction = introduction
        self.attachments = attachments
        self.issuers = issuers
        loaded = Recency(capacity: capacity)
        queues = Recency(capacity: 4_096)
    }

    // MARK: Operations and commits

    /// Does `work` in memory and returns what it returned once everything it drafted is durable.
    ///
    /// - Parameter work: must leave state as it was when it throws before its first ``Draft/touch(_:)``; after that,
    ///   the relationships it touched are read anew.
    /// - Throws: what `work` throws, or ``NodeError/store(_:)``
    func perform<Result: Sendable>(
        _ work: @escaping @Sendable (isolated Keeper, Draft) async throws -> Result
    ) async throws(NodeError) -> Result {
        let outcome = await withCheckedContinuation {
            (continuation: CheckedContinuation<Swift.Result<Result, NodeError>, Never>) in
            waiting.append(
                Operation { keeper, draft in
                    do {
                        let result = try await work(keeper, draft)
                        return Settlement(failure: nil) { failure in
                            continuation.resume(returning: failure.map { .failure($0) } ?? .success(result))
                        }
                    } catch {
                        let own = NodeError(error)
                        return Settlement(failure: own) { _ in continuation.resume(returning: .failure(own)) }
                    }
                })
            if !isDraining {
                isDraining = true
                Task(executorPreference: SimulatedTasks.executor) { await self.drain() }
            }
        }
        return try outcome.get()
    }

    private func drain() async {
        while !waiting.isEmpty {
            let operations = waiting
            waiting = []
            await commit(operations)
        }
        isDraining = false
    }

    private func commit(_ operations: [Operation]) async {
        uncommitted = Uncommitted()
        inBatch = [:]
        var drafts: [(draft: Draft, settlement: Settlement)] = []
        for operation in operations {
            let draft = Draft(now: time.now())
            let settlement = await operation.run(self, draft)
            if settlement.failure != nil {
                // What follows in the batch reads the wallet as if it had not been.
                for (key, row) in draft.earlierWallet.reversed() { uncommitted.wallet[key] = row }
            }
            drafts.append((draft, settlement))
        }
        let doomed = doomedRelationships(drafts)
        for id in doomed { loaded.remove(id) }
        let standing = drafts.filter { $0.settlement.failure == nil && doomed.isDisjoint(with: $0.draft.touched.keys) }
        for (draft, settlement) in drafts
        where settlement.failure != nil || !doomed.isDisjoint(with: draft.touched.keys) {
            settlement.settle(.interrupted)
        }
        await store(standing)
    }

    /// Relationships whose memory cannot be trusted: those that a failed operation had touched, and those of
    /// operations that had touched one of them.
    private func doomedRelationships(_ drafts: [(draft: Draft, settlement: Settlement)]) -> Set<RelationshipID> {
        var doomed: Set<RelationshipID> = []
        for (draft, settlement) in drafts where settlement.failure != nil { doomed.formUnion(draft.touched.keys) }
        var grows = !doomed.isEmpty
        while grows {
            let before = doomed.count
            for (draft, _) in drafts where !doomed.isDisjoint(with: draft.touched.keys) {
                doomed.formUnion(draft.touched.keys)
            }
            grows = doomed.count > before
        }
        return doomed
    }

    private func store(_ standing: [(draft: Draft, settlement: Settlement)]) async {
        var touched: [RelationshipID: LoadedRelationship] = [:]
        var changes: [RelationshipID: VaultChange] = [:]
        var batch: [VaultChange] = []
        for (draft, _) in standing {
            touched.merge(draft.touched) { _, new in new }
            for (id, change) in draft.changes where changes[id]?.append(change) == nil { changes[id] = change }
            if draft.general != .empty { batch.append(draft.general) }
        }
        for (id, relationship) in touched {
            changes[id, default: VaultChange()].relationship = update(of: relationship)
        }
        var owners: [RelationshipID?] = batch.map { _ in nil }
        for (id, change) in changes {
            batch.append(change)
            owners.append(id)
        }
        guard !batch.isEmpty else { return finish(standing, conflicts: [], notice: Notice()) }
        let outcomes: [ChangeOutcome]
        do {
            outcomes = try await store.commit(batch)
        } catch {
            loaded.removeAll()
            queues.removeAll()
            for (_, settlement) in standing { settlement.settle(.store(error)) }
            if error.isFinal { onCommit(Notice(failure: error)) }
            return
        }
        var notice = Notice(
            adopted: uncommitted.redirected, asksIssuer: uncommitted.asksIssuer, heard: uncommitted.heard,
            toStart: uncommitted.toStart, retired: uncommitted.retired, tended: uncommitted.tended)
        var conflicts: Set<RelationshipID> = []
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .committed(let events):
                notice.outbox += batch[index].outbox
                notice.adopted.formUnion(batch[index].adoptions.map(\.relationship))
                if let last = events.last { notice.lastEvent = max(notice.lastEvent ?? 0, last) }
            case .conflict:
                if let id = owners[index] { conflicts.insert(id) }
            }
        }
        for (id, relationship) in touched where !conflicts.contains(id) {
            relationship.didCommit(using: &entropy)
            loaded.insert(relationship, for: id)
            checks[id] = relationship.kept.nextCheck
            domainChecks[id] = relationship.kept.domain?.due
            if let due = domainChecks[id], due <= time.now() { notice.asksDomain = true }
        }
        finish(standing, conflicts: conflicts, notice: notice)
    }

    private func finish(
        _ standing: [(draft: Draft, settlement: Settlement)], conflicts: Set<RelationshipID>, notice: Notice
    ) {
        for id in conflicts { loaded.remove(id) }
        for (draft, settlement) in standing {
            let isLost = !conflicts.isDisjoint(with: draft.touched.keys)
            settlement.settle(isLost ? .interrupted : nil)
            if !isLost { for action in draft.afterCommit { action() } }
        }
        if !standing.isEmpty { onCommit(notice) }
    }

    private func update(of relationship: LoadedRelationship) -> RelationshipUpdate {
        var update = RelationshipUpdate(id: relationship.id, expectedVersion: relationship.version)
        update.state = .set(relationship.kept.encoded())
        update.isTimed = relationship.kept.isTimed
        if relationship.resumesChanged {
            update.resume = .set([UInt8](relationship.resumes.encoded().bytes))
        }
        switch relationship.channel {
        case .none:
            guard relationship.isChannelNew, let pending = relationship.pendingBytes else { break }
            update.channel = .set(pending)
            update.auxiliary = .erased
        case .some(let channel):
            update.channel = .set([UInt8](channel.encoded().bytes))
            guard channel.auxiliaryChanged || relationship.isChannelNew else { break }
            switch channel.auxiliary() {
            case .some(let secret): update.auxiliary = .set([UInt8](secret.bytes))
            case .none: update.auxiliary = .erased
            }
        }
        return update
    }

    // MARK: Loading

    /// The row of a relationship as it is stored, or `nil`.
    nonisolated func kept(_ id: RelationshipID) async throws(NodeError) -> KeptRelationship? {
        do {
            return try await store.relationship(id).map { try KeptRelationship(decoding: $0.state) }
        } catch {
            throw NodeError(error)
        }
    }

    /// The relationship in memory, read from the store where it is not there yet.
    ///
    /// - Throws: ``NodeError/unknownRelationship(_:)``, ``NodeError/damaged(_:)``, ``NodeError/store(_:)``
    func load(_ id: RelationshipID) async throws(NodeError) -> LoadedRelationship {
        if let known = inBatch[id] { return known }
        if let known = loaded.value(for: id) {
            inBatch[id] = known
            return known
        }
        do {
            guard let stored = try await store.relationship(id) else {
                throw NodeError.unknownRelationship(id.description)
            }
            let kept = try KeptRelationship(decoding: stored.state)
            guard let row = try await store.identity(kept.relationship.ownLog.id) else {
                throw NodeError.damaged("relationship \(id) has lost its identity")
            }
            let secret = try Row.decode(KeptIdentity.self, row.bytes).secret
            let head = try await outboxHead(of: kept)
            let identity = try Identity.decode(secret.bytes)
            guard identity.id == kept.relationship.ownLog.id else {
                throw NodeError.damaged("identity of relationship \(id) is another")
            }
            let resumes = try resumes(decoding: stored.resume)
            // A rejoin that waits stands in place of the channel.
            let pending = try kept.policy.isWaiting ? pendingRejoin(decoding: stored.channel) : nil
            let channel =
                try kept.policy.isWaiting ? nil : channel(decoding: stored.channel, auxiliary: stored.auxiliary)
            let relationship = LoadedRelationship(
                kept: kept, channel: channel, pending: pending, resumes: resumes, identity: identity,
                version: stored.version, nextNumber: head?.next ?? 0, chain: head?.chain ?? QueueChain.start)
            relationship.sendingQueue = kept.peerAddress?.queue
            inBatch[id] = relationship
            loaded.insert(relationship, for: id)
            return relationship
        } catch {
            throw NodeError(error)
        }
    }

    private func outboxHead(of kept: KeptRelationship) async throws -> OutboxHead? {
        guard let queue = kept.peerAddress?.queue else { return nil }
        return try await store.outboxHeads(of: kept.relationship.id).first { $0.queue == queue }
    }

    private func channel(decoding bytes: [UInt8]?, auxiliary: [UInt8]?) throws(ChannelError) -> Channel? {
        guard let bytes else { return nil }
        if let auxiliary {
            return try Channel.decode(bytes.bytes, auxiliary: auxiliary.bytes, using: &entropy)
        }
        return try Channel.decode(bytes.bytes, auxiliary: nil, using: &entropy)
    }

    private func pendingRejoin(decoding bytes: [UInt8]?) throws(ChannelError) -> PendingRejoin? {
        guard let bytes else { return nil }
        return try PendingRejoin.decode(bytes.bytes)
    }

    private func resumes(decoding bytes: [UInt8]?) throws(ChannelError) -> ResumeSecrets {
        guard let bytes else { return ResumeSecrets() }
        return try ResumeSecrets.decode(bytes.bytes)
    }

    /// Lets the operations of this batch find a relationship that is not stored yet.
    func remember(_ relationship: LoadedRelationship) {
        inBatch[relationship.id] = relationship
    }

    /// What an own queue is for, or `nil`.
    func queue(_ id: QueueID) async throws(NodeError) -> StoredQueue? {
        if let known = uncommitted.queues[id] ?? queues.value(for: id) { return known }
        do {
            let stored = try await store.queue(id)
            if let stored { queues.insert(stored, for: id) }
            return stored
        } catch {
            throw .store(error)
        }
    }

    /// Forgets what is remembered of an own queue, because its row changes.
    func forget(_ queue: QueueID) {
        queues.remove(queue)
    }

    // MARK: Sealing

    /// Seals content for the peer and puts the envelope into the outbox.
    ///
    /// - Throws: ``NodeError/channel(_:)``; the channel is then as it was
    func seal(
        _ kind: PayloadKind, _ content: [UInt8], in relationship: LoadedRelationship, _ draft: Draft
    ) throws(NodeError) {
        guard relationship.channel != nil else { throw .unavailable("the other side has not answered yet") }
        do {
            try relationship.channel?.seal(kind, content.bytes, now: draft.now, into: &envelope, using: &entropy)
        } catch {
            throw .channel(error)
        }
        post(envelope, in: relationship, draft)
    }

    /// Puts a sealed envelope into the outbox.
    func post(_ envelope: [UInt8], in relationship: LoadedRelationship, _ draft: Draft) {
        guard let address = relationship.address else { return }
        draft.touch(relationship)
        relationship.sendingQueue = address.queue
        let chain = QueueChain.digest(relationship.chain, extendedBy: envelope)
        let item = OutboxItem(
            relationship: relationship.id, queue: address.queue, number: relationship.nextNumber, chain: chain,
            envelope: envelope)
        draft.add(relationship.id) { $0.outbox.append(item) }
        relationship.uncommittedOutbox.append(item)
        relationship.nextNumber += 1
        relationship.chain = chain
    }

    /// Stores own entries with the commit and remembers their hashes until then.
    func keep(own entries: [Entry], in relationship: LoadedRelationship, _ draft: Draft) {
        draft.touch(relationship)
        for entry in entries {
            relationship.uncommittedOwn[entry.record.sequence] = entry
            draft.add(relationship.id) { $0.entries.append(NewEntry(entry)) }
        }
    }
}

extension VaultChange {
    /// Takes over a queue's numbering; what was to be put there is dropped.
    mutating func adopt(_ adoption: QueueAdoption) {
        outbox.removeAll { $0.relationship == adoption.relationship && $0.queue == adoption.queue }
        adoptions.append(adoption)
    }

    /// Takes records out of a direction; those that were to be appended there are dropped.
    mutating func void(_ voiding: VoidedEntries) {
        entries.removeAll { $0.direction == voiding.direction && $0.sequence >= voiding.first }
        voided.append(voiding)
    }

    /// Adds what a later operation of the same batch wants.
    mutating func append(_ other: VaultChange) {
        for voiding in other.voided { void(voiding) }
        for adoption in other.adoptions { adopt(adoption) }
        entries += other.entries
        erasedEntries += other.erasedEntries
        outbox += other.outbox
        outboxConfirmed += other.outboxConfirmed
        cursor = other.cursor ?? cursor
        identities += other.identities
        invitations += other.invitations
        bundles += other.bundles
        hellos += other.hellos
        spentTickets += other.spentTickets
        services += other.services
        queues += other.queues
        closedQueues += other.closedQueues
        transfers += other.transfers
        wallet += other.wallet
        skippedPositions = max(skippedPositions, other.skippedPositions)
        events += other.events
        idempotency += other.idempotency
        forgotten += other.forgotten
    }
}

extension NewEntry {
    /// The row of an entry.
    ///
    /// - Parameter bytes: the entry's encoding, where it is at hand.
    init(_ entry: Entry, bytes: [UInt8]? = nil) {
        self.init(
            relationship: entry.record.relationship, direction: entry.record.direction,
            sequence: entry.record.sequence, hash: entry.hash, bytes: bytes ?? entry.encoded())
    }
}
