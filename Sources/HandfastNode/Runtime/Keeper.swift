internal import Handfast
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastRelay
internal import HandfastStore

/// The one owner of the vault's state in memory: every change of state passes through here, one after another.
///
/// Group commit comes by itself: operations that arrive while a commit runs wait in line, are then done in memory
/// together and committed in one transaction. Only after it is durable do their callers get an answer, are envelopes
/// put and positions acknowledged. When a commit fails, all memory is dropped and read anew from the store; when one
/// operation fails, only the relationships that it had touched are.
///
/// Received messages are opened while the commit before is still under way: such an operation starts from memory that is
/// not durable yet, and falls with it. Before it reads the store it waits until the commit has come to its end.
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
        /// Whether it may begin while a commit is under way, because it calls ``settled()`` before it reads the store.
        let runsAhead: Bool
        let run: (isolated Keeper, Draft) async -> Settlement
    }

    /// Answers the operation's caller: with the failure, or with what the operation returned.
    private struct Settlement {
        let failure: NodeError?
        let settle: (NodeError?) -> Void
    }

    /// What was done in memory.
    private typealias Done = (draft: Draft, settlement: Settlement)

    /// One transaction, and what follows when it stands.
    private struct Commit {
        var operations: [Done]
        var batch: [VaultChange] = []
        /// The relationship of each change.
        var owners: [RelationshipID?] = []
        /// When relationships are to be looked at again, and when the domains of their peers are to be asked.
        var due: [RelationshipID: (check: Timestamp?, domain: Timestamp?)] = [:]
        var notice = Notice()
    }

    nonisolated let store: any VaultStore
    nonisolated let time: TimeSource
    /// Where new relationships receive.
    nonisolated let relays: RelayList
    nonisolated let network: RelayNetwork
    private let onCommit: @Sendable (Notice) -> Void
    /// The name by which we introduce ourselves in new relationships.
    let introduction: String?
    /// So many bytes of envelopes that wait are taken over to another address at once.
    let redirectedBytes: Int
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
    /// What was done in memory and is in no commit yet.
    private var done: [Done] = []
    private var isWorking = false
    private var underway: Commit?
    /// Resumed when the commit under way has come to its end.
    private var untilSettled: [CheckedContinuation<Void, Never>] = []
    /// Relationships whose memory is not what the store has: a commit that ended meanwhile left them out.
    private var lost: Set<RelationshipID> = []
    /// How often a commit has failed, and all memory was dropped.
    private var failures = 0
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
        relays: RelayList, settings: NodeConfiguration.Delivery,
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
        redirectedBytes = settings.redirectedBytes
        loaded = Recency(capacity: settings.loadedRelationships)
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
        try await begin(work).value
    }

    /// Puts `work` in line and returns at once.
    ///
    /// - Parameters:
    ///   - runsAhead: whether it may begin while a commit is under way; it calls ``settled()`` before it reads the store.
    ///   - work: as ``perform(_:)`` takes it.
    /// - Returns: what comes of it once everything it drafted is durable.
    func begin<Result: Sendable>(
        runsAhead: Bool = false, _ work: @escaping @Sendable (isolated Keeper, Draft) async throws -> Result
    ) -> OperationResult<Result> {
        let result = OperationResult<Result>()
        waiting.append(
            Operation(runsAhead: runsAhead) { keeper, draft in
                do {
                    let value = try await work(keeper, draft)
                    return Settlement(failure: nil) { failure in
                        result.give(failure.map { .failure($0) } ?? .success(value))
                    }
                } catch {
                    let own = NodeError(error)
                    return Settlement(failure: own) { _ in result.give(.failure(own)) }
                }
            })
        if !isWorking {
            isWorking = true
            Task(executorPreference: SimulatedTasks.executor) { await self.work() }
        }
        return result
    }

    /// Waits until the commit under way has come to its end: what is read from the store afterwards holds all that
    /// was done before. No other commit begins while an operation is being done.
    func settled() async {
        guard underway != nil else { return }
        await withCheckedContinuation { untilSettled.append($0) }
    }

    private func work() async {
        while !waiting.isEmpty {
            let operations = waiting
            waiting = []
            for operation in operations {
                if !operation.runsAhead { await settled() }
                let draft = Draft(now: time.now())
                let failuresBefore = failures
                let settlement = await operation.run(self, draft)
                guard failures == failuresBefore else {
                    // The memory that it began with is gone.
                    settlement.settle(.interrupted)
                    forgetBatch()
                    continue
                }
                if settlement.failure != nil {
                    // What follows in the batch reads the wallet as if it had not been.
                    for (key, row) in draft.earlierWallet.reversed() { uncommitted.wallet[key] = row }
                }
                done.append((draft, settlement))
            }
            if underway == nil { beginCommit() }
        }
        isWorking = false
    }

    private func beginCommit() {
        let operations = standing()
        let commit = commit(of: operations)
        done = []
        lost = []
        forgetBatch()
        guard !commit.batch.isEmpty else { return finish(commit, conflicts: []) }
        underway = commit
        Task(executorPreference: SimulatedTasks.executor) { await self.storeWhatIsUnderway() }
    }

    private func forgetBatch() {
        inBatch = [:]
        uncommitted = Uncommitted()
    }

    /// What was done and can stand. The other operations are answered, and the memory of relationships that they had
    /// touched is dropped: what failed, what rests on it, and what rests on a commit that left it out.
    private func standing() -> [Done] {
        var standing = done
        while let index = standing.firstIndex(where: falls) {
            let (draft, settlement) = standing.remove(at: index)
            lost.formUnion(draft.touched.keys)
            settlement.settle(.interrupted)
        }
        for id in lost { loaded.remove(id) }
        return standing
    }

    private func falls(_ operation: Done) -> Bool {
        operation.settlement.failure != nil || operation.draft.predecessor?.hasFailed == true
            || !lost.isDisjoint(with: operation.draft.touched.keys)
    }

    private func commit(of operations: [Done]) -> Commit {
        var commit = Commit(operations: operations)
        var touched: [RelationshipID: LoadedRelationship] = [:]
        var changes: [RelationshipID: VaultChange] = [:]
        for (draft, _) in operations {
            touched.merge(draft.touched) { _, new in new }
            for (id, change) in draft.changes where changes[id]?.append(change) == nil { changes[id] = change }
            if draft.general != .empty { commit.batch.append(draft.general) }
        }
        for (id, relationship) in touched {
            changes[id, default: VaultChange()].relationship = update(of: relationship)
            commit.due[id] = (relationship.kept.nextCheck, relationship.kept.domain?.due)
            // What follows begins with this memory.
            relationship.isBeingCommitted(using: &entropy)
            loaded.insert(relationship, for: id)
        }
        commit.owners = commit.batch.map { _ in nil }
        for (id, change) in changes {
            commit.batch.append(change)
            commit.owners.append(id)
        }
        commit.notice = Notice(
            adopted: uncommitted.redirected, asksIssuer: uncommitted.asksIssuer, heard: uncommitted.heard,
            toStart: uncommitted.toStart, retired: uncommitted.retired, tended: uncommitted.tended)
        return commit
    }

    private func storeWhatIsUnderway() async {
        guard let commit = underway else { return }
        do {
            finish(commit, try await store.commit(commit.batch))
        } catch {
            dropMemory(after: error, commit)
        }
        underway = nil
        for continuation in untilSettled { continuation.resume() }
        untilSettled = []
        if !isWorking, !done.isEmpty { beginCommit() }
    }

    /// Answers the operations of a commit that failed, and those that were done after them.
    private func dropMemory(after error: StoreError, _ commit: Commit) {
        failures += 1
        loaded.removeAll()
        queues.removeAll()
        forgetBatch()
        lost = []
        for (_, settlement) in commit.operations + done { settlement.settle(.store(error)) }
        done = []
        if error.isFinal { onCommit(Notice(failure: error)) }
    }

    private func finish(_ commit: Commit, _ outcomes: [ChangeOutcome]) {
        var commit = commit
        var conflicts: Set<RelationshipID> = []
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .committed(let events):
                commit.notice.outbox += commit.batch[index].outbox
                commit.notice.adopted.formUnion(commit.batch[index].adoptions.map(\.relationship))
                if let last = events.last { commit.notice.lastEvent = max(commit.notice.lastEvent ?? 0, last) }
            case .conflict:
                if let id = commit.owners[index] { conflicts.insert(id) }
            }
        }
        for (id, due) in commit.due where !conflicts.contains(id) {
            checks[id] = due.check
            domainChecks[id] = due.domain
            if let domain = due.domain, domain <= time.now() { commit.notice.asksDomain = true }
        }
        for id in conflicts { loaded.remove(id) }
        lost.formUnion(conflicts)
        finish(commit, conflicts: conflicts)
    }

    private func finish(_ commit: Commit, conflicts: Set<RelationshipID>) {
        for (draft, settlement) in commit.operations {
            let isLost = !conflicts.isDisjoint(with: draft.touched.keys)
            settlement.settle(isLost ? .interrupted : nil)
            if !isLost { for action in draft.afterCommit { action() } }
        }
        if !commit.operations.isEmpty { onCommit(commit.notice) }
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
        await settled()
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
        await settled()
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
