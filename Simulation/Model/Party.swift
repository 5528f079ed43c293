@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto

/// One side at work on its vault, by the rules of a node: state, records and envelopes change in one commit, and
/// nothing leaves or counts as received before it.
final class Party {
    let name: String
    let observer: Observer
    var entropy: Randomness
    private(set) var vault: Vault

    private var identity: Identity
    private(set) var relationship: Relationship
    private(set) var policy: RejoinPolicy
    private var resumes: ResumeSecrets
    private var channel: Channel?
    private var pending: PendingRejoin?
    private var own: [Entry]
    private var peer: [Entry]
    private var void: Set<Digest>
    private var confirmed: Int
    private var confirmedDigest: Digest
    private var outbox: [Vault.Outgoing]
    /// Whether the identity is another than the vault's.
    private var hasNewIdentity = false
    /// Whether the queue was compared with the own numbers since the vault was opened.
    private var hasProbed = false
    /// Ephemeral texts that were committed as received.
    private(set) var heard: [String] = []
    private var heardUncommitted: [String] = []
    /// Ephemeral texts that were committed to be sent.
    private(set) var whispered: [String] = []
    private var whisperedUncommitted: [String] = []
    /// New epochs that this side has seen begin.
    private(set) var epochsBegun = 0
    private var plaintext: [UInt8] = []
    private var fault: BrokenPromise?

    init(name: String, vault: Vault, observer: Observer, seed: UInt64) throws {
        self.name = name
        self.observer = observer
        self.vault = vault
        var entropy = Randomness(seed: seed)
        identity = try Identity.decode(vault.identity.bytes)
        relationship = vault.relationship
        policy = vault.policy
        resumes = try ResumeSecrets.decode(vault.resumes.bytes)
        channel = try Self.channel(of: vault, using: &entropy)
        pending = try Self.pending(of: vault)
        own = vault.own
        peer = vault.peer
        void = vault.void
        confirmed = vault.confirmed
        confirmedDigest = vault.confirmedDigest
        outbox = vault.outbox
        self.entropy = entropy
    }

    private static func channel(of vault: Vault, using entropy: inout Randomness) throws -> Channel? {
        guard let state = vault.channel else { return nil }
        guard let auxiliary = vault.auxiliary else {
            return try Channel.decode(state.bytes, auxiliary: nil, using: &entropy)
        }
        return try Channel.decode(state.bytes, auxiliary: auxiliary.bytes, using: &entropy)
    }

    private static func pending(of vault: Vault) throws -> PendingRejoin? {
        guard let state = vault.pending else { return nil }
        return try PendingRejoin.decode(state.bytes)
    }

    // MARK: The vault

    /// The process ends; what was not committed is gone. Another vault may lie there when it starts again.
    func restart(with other: Vault? = nil) throws {
        let vault = other ?? vault
        // Deriving its keys is most of the work.
        if hasNewIdentity || vault.identity != self.vault.identity {
            identity = try Identity.decode(vault.identity.bytes)
        }
        self.vault = vault
        relationship = vault.relationship
        policy = vault.policy
        resumes = try ResumeSecrets.decode(vault.resumes.bytes)
        channel = try Self.channel(of: vault, using: &entropy)
        pending = try Self.pending(of: vault)
        own = vault.own
        peer = vault.peer
        void = vault.void
        confirmed = vault.confirmed
        confirmedDigest = vault.confirmedDigest
        outbox = vault.outbox
        hasProbed = false
        hasNewIdentity = false
        heardUncommitted = []
        whisperedUncommitted = []
    }

    /// Makes the present state durable.
    ///
    /// - Throws: ``BrokenPromise`` if a record that was there is lost otherwise than by becoming void.
    func commit() throws {
        if let fault { throw fault }
        try BrokenPromise.unless(
            peer.count >= vault.peer.count && zip(peer, vault.peer).allSatisfy { $0.hash == $1.hash },
            "\(name) forgets an accepted record")
        let kept = Set(own.map(\.hash))
        for entry in vault.own where !kept.contains(entry.hash) {
            try BrokenPromise.unless(void.contains(entry.hash), "\(name) forgets own record \(entry.record.sequence)")
        }
        vault = try snapshot()
        hasNewIdentity = false
        channel?.didCommit(using: &entropy)
        heard += heardUncommitted
        heardUncommitted = []
        whispered += whisperedUncommitted
        whisperedUncommitted = []
    }

    private func snapshot() throws -> Vault {
        var next = vault
        if hasNewIdentity {
            next.identity = [UInt8](identity.encoded())
            next.rotations = identity.log.events.count - 1
        }
        next.relationship = relationship
        next.policy = policy
        next.resumes = [UInt8](resumes.encoded())
        next.channel = channelState()
        next.auxiliary = auxiliaryState()
        next.pending = pendingState()
        next.own = own
        next.peer = peer
        next.void = void
        next.confirmed = confirmed
        next.confirmedDigest = confirmedDigest
        next.outbox = outbox
        return next
    }

    private func channelState() -> [UInt8]? {
        guard let state = channel?.encoded() else { return nil }
        return [UInt8](state)
    }

    private func auxiliaryState() -> [UInt8]? {
        switch channel {
        case .none: return nil
        case .some(let channel):
            guard let state = channel.auxiliary() else { return nil }
            return [UInt8](state)
        }
    }

    private func pendingState() -> [UInt8]? {
        guard let state = pending?.encoded() else { return nil }
        return [UInt8](state)
    }

    /// Everything but the notes that received bytes may change.
    var substance: [[UInt8]?] {
        [relationship.encoded(), channelState(), auxiliaryState(), pendingState()] + own.map { $0.hash.array }
            + peer.map { $0.hash.array }
    }

    // MARK: Saying

    /// Whether the rules let this side sign and seal.
    var maySpeak: Bool {
        !policy.isWaiting && channel != nil && relationship.awaited == nil
            && (relationship.state == .live || relationship.state == .welcomed)
            && relationship.ownLog.matches(identity.log)
    }

    func say(_ texts: [String], at now: Timestamp) throws {
        guard maySpeak else { return }
        var entries: [Entry] = []
        for text in texts {
            entries.append(
                try relationship.append(TextMessage(text: text), at: now, with: identity, using: &entropy))
        }
        own += entries
        try seal(.records, RecordContent.encode(entries), at: now)
    }

    func whisper(_ text: String, at now: Timestamp) throws {
        guard maySpeak, relationship.state == .live else { return }
        try seal(.ephemeral, Array(text.utf8), at: now)
        whisperedUncommitted.append(text)
    }

    func rotate(at now: Timestamp) throws {
        // One whose rotations were void twice could not go on (Spec/05 §5.10).
        let unseen = own.dropFirst(Int(relationship.peerLastSeen.sequence))
        guard maySpeak, identity.log.events.count < 20, !unseen.contains(where: { $0.record.type == .rotate }) else {
            return
        }
        let entry = try relationship.rotate(&identity, at: now, using: &entropy)
        observer.tell("\(name) rotates")
        hasNewIdentity = true
        own.append(entry)
        try seal(.records, RecordContent.encode([entry]), at: now)
    }

    /// While records are awaited nothing may be signed: the core itself refuses.
    func checkThatNothingIsSignedTooSoon(at now: Timestamp) throws {
        guard relationship.awaited != nil else { return }
        do {
            _ = try relationship.append(TextMessage(text: "too soon"), at: now, with: identity, using: &entropy)
        } catch { return }
        throw BrokenPromise(description: "\(name) signs before its own records are back")
    }

    private func seal(_ kind: PayloadKind, _ content: [UInt8], at now: Timestamp) throws {
        guard channel != nil else { throw BrokenPromise(description: "\(name) seals without a channel") }
        // The step is made first, so that the keys can be seen.
        if channel?.sealingKeys() == nil { try channel?.makeStep(now: now, using: &entropy) }
        guard let keys = channel?.sealingKeys() else { throw BrokenPromise(description: "\(name) has no chain") }
        try observer.willSeal(with: keys)
        var envelope: [UInt8] = []
        try channel?.seal(kind, content.bytes, now: now, into: &envelope, using: &entropy)
        observer.didSeal(envelope, with: keys)
        send(envelope)
    }

    private func send(_ bytes: [UInt8]) {
        let before = outbox.last?.digest ?? confirmedDigest
        outbox.append(Vault.Outgoing(bytes: bytes, digest: PeerQueue.digest(after: before, bytes)))
    }

    /// Sends entries of both directions after a rejoin.
    private func giveBack(_ plan: Reconciliation, at now: Timestamp) throws {
        let entries = RecordContent.merged(
            own: Self.slice(plan.resent, of: own), peer: Self.slice(plan.returned, of: peer))
        for batch in RecordContent.batches(of: entries) {
            try seal(.returned, RecordContent.encode(batch), at: now)
        }
    }

    private static func slice(_ numbers: ClosedRange<UInt64>?, of entries: [Entry]) -> [Entry] {
        guard let numbers else { return [] }
        return Array(entries[Int(numbers.lowerBound) - 1...Int(numbers.upperBound) - 1])
    }

    /// The peer's whole key log.
    private func peerLog() throws(RelationshipError) -> KeyLog {
        try relationship.keyLog(of: relationship.role.other, inception: vault.peerInception)
    }

    // MARK: Asking

    /// A person asks for a new epoch.
    func want(_ cause: RejoinCause) { policy.want(cause) }

    /// Asks for a new epoch if one is due.
    func askIfDue(at now: Timestamp) throws {
        guard policy.isDue(for: relationship, at: now) else { return }
        let heads = try relationship.heads { number throws(RelationshipError) in self.own[Int(number) - 1].hash }
        let plan = policy.plan(resumes)
        let rejoin = try Rejoin.make(
            relationship: relationship.id, epoch: plan.epoch, resume: plan.resume, resumes: resumes,
            heads: heads.encoded(), insteadOf: plan.insteadOf, identity: identity,
            peer: policy.sealingKey(of: peerLog()), now: now, using: &entropy)
        let cause = policy.cause.map { "\($0)" } ?? "no answer came"
        let resumed = plan.resume.map { "\($0)" } ?? "none"
        observer.tell("\(name) asks for epoch \(plan.epoch), resuming \(resumed): \(cause)")
        policy.asked(rejoin, at: now)
        send(rejoin.bytes)
        pending = try PendingRejoin.decode(rejoin.pending.encoded().bytes)
        channel = nil
    }

    // MARK: The relay

    /// Puts what is committed, after comparing numbers and digests on a new connection.
    func flush(to queue: PeerQueue, at now: Timestamp, isExcused: Bool) throws {
        if !hasProbed || !vault.outbox.isEmpty { try probe(queue, at: now) }
        while hasProbed, let next = vault.outbox.first {
            guard queue.put(next.bytes, number: vault.confirmed) else {
                hasProbed = false
                return
            }
            try observer.didLeave(next.bytes, isExcused: isExcused || queue.hasGoneBack)
            settle(one: next)
        }
    }

    private func settle(one next: Vault.Outgoing) {
        vault.outbox.removeFirst()
        vault.confirmed += 1
        vault.confirmedDigest = next.digest
        outbox.removeFirst()
        confirmed = vault.confirmed
        confirmedDigest = next.digest
    }

    /// Compares the queue with what is committed. On a difference this side takes the queue's number over and asks for a
    /// new epoch, in one transaction.
    private func probe(_ queue: PeerQueue, at now: Timestamp) throws {
        guard !hasProbed else { return }
        let (number, digest) = queue.end
        let end = vault.confirmed + vault.outbox.count
        let cause: RejoinCause? =
            if number > end {
                .ownStoreWentBack
            } else if number < vault.confirmed {
                .queueWentBack
            } else if self.digest(at: number) != digest {
                .queueDiffers
            } else {
                nil
            }
        guard let cause else {
            while vault.confirmed < number { settle(one: vault.outbox[0]) }
            hasProbed = true
            return
        }
        // Only what is committed counts: an adoption begins from the vault.
        try restart()
        (confirmed, confirmedDigest, outbox) = (number, digest, [])
        policy.want(cause)
        try askIfDue(at: now)
        try commit()
        hasProbed = true
    }

    private func digest(at number: Int) -> Digest {
        number == vault.confirmed ? vault.confirmedDigest : vault.outbox[number - vault.confirmed - 1].digest
    }

    // MARK: Receiving

    /// Takes what came by the own queue, in memory.
    func receive(_ bytes: [UInt8], at now: Timestamp) throws {
        if isRejoin(bytes) {
            if relationship.answersRejoin { try receiveRejoin(bytes, at: now) }
        } else if !relationship.mayRejoin {
            return
        } else if policy.isWaiting {
            try receiveAnswer(bytes, at: now)
        } else {
            try receiveEnvelope(bytes, at: now)
        }
    }

    /// What follows from a batch of what came.
    func follow(at now: Timestamp) throws {
        try restate(at: now)
        if relationship.peerHasSeenOwnKeys, identity.hasEarlierSealingKey {
            identity.forgetEarlierSealingKey()
            hasNewIdentity = true
        }
        if !policy.isWaiting, relationship.mayRejoin, channel?.turnIsDue(now: now) == true {
            try seal(.turn, [], at: now)
        }
        try askIfDue(at: now)
    }

    private func isRejoin(_ bytes: [UInt8]) -> Bool { Rejoin.isRejoin(bytes.bytes) }

    private func receiveRejoin(_ bytes: [UInt8], at now: Timestamp) throws {
        let peerLog = try peerLog()
        let hash = Rejoin.hash(of: bytes, relationship: relationship.id)
        let opened: ReceivedRejoin?
        do {
            opened = try ReceivedRejoin.open(
                bytes.bytes, relationship: relationship.id, identity: identity, peerLog: peerLog)
        } catch .keyLogFork(let fork) {
            if relationship.mayRejoin { try relationship.freeze(with: fork) }
            return
        } catch {
            opened = nil
        }
        guard let received = opened,
            let theirs = try? LedgerHeads(decoding: received.heads.bytes, of: relationship.id)
        else {
            observer.tell("\(name) cannot open a rejoin")
            return policy.couldNotOpen(hash)
        }
        let verdict = policy.judge(
            received, resumes: resumes, own: relationship.ownLog.id,
            knownLog: KeyLogOutline(peerLog))
        observer.tell("\(name) judges a rejoin for epoch \(received.epoch): \(verdict)")
        guard verdict == .answer else { return }
        let heads = try relationship.heads { number throws(RelationshipError) in self.own[Int(number) - 1].hash }
        let plan = try reconcile(with: theirs)
        let rejoined = try received.answer(
            resumes: resumes, heads: heads.encoded(), identity: identity, now: now, using: &entropy)
        resumes.insert(rejoined.resume, epoch: received.epoch)
        policy.answered(received, at: now)
        relationship.peerIsLive()
        pending = nil
        let envelope = rejoined.envelope
        channel = try Self.reload(rejoined.channel, using: &entropy)
        if let keys = channel?.sealingKeys() { try observer.didBegin(envelope, with: keys) }
        send(envelope)
        epochsBegun += 1
        try giveBack(plan, at: now)
    }

    private static func reload(_ channel: borrowing Channel, using entropy: inout Randomness) throws -> Channel {
        let state = channel.encoded()
        guard let auxiliary = channel.auxiliary() else {
            return try Channel.decode(state.bytes, auxiliary: nil, using: &entropy)
        }
        return try Channel.decode(state.bytes, auxiliary: auxiliary.bytes, using: &entropy)
    }

    private func receiveAnswer(_ bytes: [UInt8], at now: Timestamp) throws {
        let peerLog = try peerLog()
        let theirs: LedgerHeads
        let epoch: UInt64
        do {
            switch pending {
            case .none: throw BrokenPromise(description: "\(name) waits for nothing")
            case .some(let pending):
                let opened = try pending.open(bytes.bytes, peerLog: peerLog, now: now, using: &entropy)
                theirs = try LedgerHeads(decoding: opened.heads.bytes, of: relationship.id)
                epoch = pending.epoch
                resumes.insert(opened.resume, epoch: epoch)
                channel = try Self.reload(opened.channel, using: &entropy)
            }
        } catch let error as ChannelError {
            if case .keyLogFork(let fork) = error { try relationship.freeze(with: fork) }
            return
        }
        observer.tell("\(name) begins epoch \(epoch)")
        pending = nil
        policy.rejoined(at: now)
        relationship.peerIsLive()
        epochsBegun += 1
        let plan = try reconcile(with: theirs)
        try giveBack(plan, at: now)
        if plan.resent == nil, plan.returned == nil { try seal(.turn, [], at: now) }
    }

    private func reconcile(with theirs: LedgerHeads) throws -> Reconciliation {
        let needed = relationship.lookups(for: theirs)
        let (own, peer) = (own, peer)
        return try relationship.reconcile(
            with: theirs,
            ownHash: { number throws(RelationshipError) in
                try Self.lookUp(number, in: own, from: needed.own)?.hash
            },
            peerHash: { number throws(RelationshipError) in
                try Self.lookUp(number, in: peer, from: needed.peer)?.hash
            })
    }

    private func receiveEnvelope(_ bytes: [UInt8], at now: Timestamp) throws {
        let opening: Opening?
        do {
            opening = try channel?.open(bytes.bytes, now: now, into: &plaintext)
        } catch {
            observer.tell("\(name) refuses an envelope: \(error)")
            return policy.refused(error)
        }
        switch opening {
        case nil: throw BrokenPromise(description: "\(name) neither waits nor has a channel")
        case .held: policy.held()
        case .message(let kind, let content):
            policy.opened()
            relationship.peerIsLive()
            try take(kind, Array(plaintext[content]), at: now)
        }
        for released in channel?.takeReleasable() ?? [] { try receiveEnvelope(released, at: now) }
    }

    private func take(_ kind: PayloadKind, _ content: [UInt8], at now: Timestamp) throws {
        switch kind {
        case .turn: break
        case .ephemeral: heardUncommitted.append(String(decoding: content, as: UTF8.self))
        case .records: for entry in try RecordContent.decode(content.bytes) { judge(entry, isReturned: false) }
        case .returned: for entry in try RecordContent.decode(content.bytes) { judge(entry, isReturned: true) }
        case .welcome, .rejoined: throw BrokenPromise(description: "an epoch began within another")
        }
    }

    private func judge(_ entry: Entry, isReturned: Bool) {
        do throws(RelationshipError) {
            let (own, peer) = (own, peer)
            let outcome: ReturnedOutcome
            if isReturned {
                let needed = relationship.lookups(forReturned: entry)
                outcome = try relationship.receiveReturned(
                    entry,
                    ownEntry: { number throws(RelationshipError) in
                        try Self.lookUp(number, in: own, from: needed.own)
                    },
                    peerEntry: { number throws(RelationshipError) in
                        try Self.lookUp(number, in: peer, from: needed.peer)
                    })
            } else {
                outcome = .peer(
                    try relationship.receive(
                        entry,
                        ownHash: { number throws(RelationshipError) in Self.entry(number, of: own)?.hash },
                        peerEntry: { number throws(RelationshipError) in Self.entry(number, of: peer) }))
            }
            switch outcome {
            case .peer(.accepted): self.peer.append(entry)
            case .peer(.forked(let evidence)), .forked(let evidence): observer.tell("\(name) freezes: \(evidence)")
            case .peer(.duplicate), .known: break
            case .restored(let numbers):
                observer.tell("\(name) has record \(entry.record.sequence) back; void: \(numbers?.count ?? 0)")
                if let numbers {
                    void.formUnion(Self.slice(numbers, of: own).map(\.hash))
                    self.own.removeLast(own.count - Int(numbers.lowerBound) + 1)
                }
                void.remove(entry.hash)
                self.own.append(entry)
            }
        } catch {
            observer.tell("\(name) refuses record \(entry.record.sequence) of the \(entry.record.direction): \(error)")
            if case .inconsistent(let what) = error { fault = BrokenPromise(description: "\(name): \(what)") }
            policy.refused(error)
        }
    }

    /// Says again a rotation that became void, as soon as that is possible.
    private func restate(at now: Timestamp) throws {
        guard !policy.isWaiting, channel != nil, relationship.awaited == nil,
            !relationship.ownLog.matches(identity.log),
            relationship.state == .live || relationship.state == .welcomed,
            let entry = try relationship.restateRotation(at: now, with: identity, using: &entropy)
        else { return }
        own.append(entry)
        try seal(.records, RecordContent.encode([entry]), at: now)
    }

    /// A record that a step asked for beforehand, as who reads the ledger asynchronously must.
    private static func lookUp(
        _ number: UInt64, in entries: [Entry], from needed: [UInt64]
    ) throws(RelationshipError) -> Entry? {
        guard needed.contains(number) else { throw .inconsistent("record \(number) was not named beforehand") }
        return entry(number, of: entries)
    }

    private static func entry(_ number: UInt64, of entries: [Entry]) -> Entry? {
        number >= 1 && number <= UInt64(entries.count) ? entries[Int(number) - 1] : nil
    }
}
