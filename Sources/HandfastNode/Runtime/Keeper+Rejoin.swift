internal import Handfast
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastStore

extension Keeper {
    // MARK: Asking

    /// Begins the channel anew because a person asks for it.
    func rejoin(_ id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let state = relationship.kept.relationship.state
            guard relationship.kept.relationship.mayRejoin else {
                throw NodeError.stopped("the relationship is \(state): there is no channel to begin anew")
            }
            if let stop = relationship.kept.stop { throw NodeError.stopped(stop.rejoinText) }
            try await keeper.rejoin(relationship, because: .person, draft)
        }
    }

    /// Begins the channel anew, in a state that allows it.
    func rejoin(
        _ relationship: LoadedRelationship, because cause: RejoinCause, _ draft: Draft
    ) async throws {
        guard relationship.kept.relationship.mayRejoin else { return }
        draft.touch(relationship)
        relationship.kept.policy.want(cause)
        try await rejoinIfDue(relationship, draft)
    }

    /// Asks the peer for a new epoch where one is due, and erases the old one.
    func rejoinIfDue(_ relationship: LoadedRelationship, _ draft: Draft) async throws {
        let policy = relationship.kept.policy
        guard policy.isDue(for: relationship.kept.relationship, at: draft.now), relationship.kept.stop == nil else {
            return
        }
        await settled()
        guard let peerLog = try await peerLog(of: relationship) else { return }
        try await prepareAddresses(of: relationship, draft)
        let heads = try await heads(of: relationship)
        let plan = policy.plan(relationship.resumes)
        let rejoin = try Rejoin.make(
            relationship: relationship.id, epoch: plan.epoch, resume: plan.resume, resumes: relationship.resumes,
            heads: heads.encoded(), insteadOf: plan.insteadOf,
            addresses: relationship.kept.places.told.map(\.address), identity: relationship.identity,
            peer: policy.sealingKey(of: peerLog), now: draft.now, using: &entropy)
        draft.touch(relationship)
        relationship.kept.policy.asked(rejoin, at: draft.now)
        relationship.kept.returning = .init()
        let bytes = rejoin.bytes
        relationship.wait(with: rejoin.pending)
        post(bytes, in: relationship, draft)
        let warning = plan.resume == nil ? "both share no secret of a channel before: \(Self.advice)" : nil
        let reasons = [policy.cause?.description, warning].compactMap(\.self)
        draft.event(
            .rejoinAsked, of: relationship.id,
            .init(reason: reasons.isEmpty ? nil : reasons.joined(separator: "; ")))
    }

    /// What a person is told of an epoch that resumes none.
    private static let advice =
        "compare the words of `handfast show` with the other side before you tell it anything new"

    /// Asks where time alone has made a rejoin due: after the hour in which only one is allowed, or after a day
    /// without an answer. Goes on where records are still to be returned.
    func rejoinWhatIsDue() async throws(NodeError) {
        let now = time.now()
        for (id, due) in checks where due <= now {
            try await perform { keeper, draft in
                let relationship = try await keeper.load(id)
                keeper.checks[id] = nil
                try await keeper.openAhead(in: relationship, draft)
                try await keeper.continueMove(of: relationship, draft)
                try await keeper.rejoinIfDue(relationship, draft)
                try await keeper.returnMore(in: relationship, draft)
                // Where nothing was due, the next round looks again.
                if draft.isEmpty { keeper.checks[id] = relationship.kept.nextCheck }
            }
        }
    }

    /// Reads from the store for which relationships time alone may make a rejoin due.
    ///
    /// - Returns: those in which a rejoin waits for its answer, and those that use another than the peer's first address.
    func scheduleRejoins() async throws(NodeError) -> [RelationshipID] {
        var waiting: [RelationshipID] = []
        var after: Int64 = 0
        while true {
            let page: [RelationshipSummary]
            do {
                page = try await store.timedRelationships(after: after, limit: 1_000)
            } catch {
                throw .store(error)
            }
            for row in page {
                let kept = try KeptRelationship(decoding: row.state)
                if let due = kept.nextCheck { checks[row.id] = due }
                if let due = kept.domain?.due { domainChecks[row.id] = due }
                if kept.policy.isWaiting || kept.sendingTo > 0 { waiting.append(row.id) }
            }
            guard let last = page.last else { return waiting }
            after = last.position
        }
    }

    // MARK: Answering

    /// Opens a peer's rejoin, and answers it unless what stands is newer.
    ///
    /// - Parameter isKnown: whether it came before, so that there is nothing to tell.
    /// - Returns: whether it was answered.
    func answer(
        rejoin bytes: [UInt8], in relationship: LoadedRelationship, isKnown: Bool, _ draft: Draft
    ) async throws -> Bool {
        guard let peerLog = try await peerLog(of: relationship) else { return false }
        let reason: String
        do {
            let received = try ReceivedRejoin.open(
                bytes.bytes, relationship: relationship.id, identity: relationship.identity, peerLog: peerLog)
            draft.touch(relationship)
            let theirs = try heads(decoding: received.heads, of: relationship)
            let verdict = relationship.kept.policy.judge(
                received, resumes: relationship.resumes, own: relationship.identity.id,
                knownLog: KeyLogOutline(peerLog))
            switch verdict {
            case .answer:
                try await answer(received, theirs, in: relationship, draft)
                return true
            case .leave(.answered):
                return false
            case .leave(let why):
                if relationship.kept.policy.showsAddresses(received),
                    try await turn(to: received.addresses, in: relationship, draft)
                {
                    try await rejoin(relationship, because: .peerElsewhere, draft)
                }
                reason = why.rawValue
            }
        } catch ChannelError.keyLogFork(let fork) {
            guard relationship.kept.relationship.mayRejoin else { return false }
            draft.touch(relationship)
            try relationship.kept.relationship.freeze(with: fork)
            draft.event(
                .relationshipFrozen, of: relationship.id,
                .init(reason: relationship.kept.relationship.evidence?.description))
            return false
        } catch let error as ChannelError {
            draft.touch(relationship)
            relationship.kept.policy.couldNotOpen(Rejoin.hash(of: bytes, relationship: relationship.id))
            reason = error.description
        }
        if !isKnown { draft.event(.rejoinRefused, of: relationship.id, .init(reason: reason)) }
        return false
    }

    /// - Throws: ``ChannelError`` for a rejoin that cannot be answered; nothing has changed then.
    private func answer(
        _ received: borrowing ReceivedRejoin, _ theirs: LedgerHeads, in relationship: LoadedRelationship,
        _ draft: Draft
    ) async throws {
        var copy = relationship.kept.relationship
        let plan = try await reconcile(&copy, with: theirs, in: relationship)
        let heads = try await heads(of: relationship)
        // Whoever held the peer's old keys holds leave to put here, too.
        if let known = copy.peerLog, received.peerLog.events.count > known.count {
            try await renewQueues(of: relationship, withNewServices: false, draft)
        }
        let answer = try received.answer(
            resumes: relationship.resumes, heads: heads.encoded(),
            addresses: relationship.kept.places.told.map(\.address), identity: relationship.identity, now: draft.now,
            using: &entropy)
        relationship.kept.relationship = copy
        try await turn(to: received.addresses, in: relationship, draft)
        relationship.kept.policy.answered(received, at: draft.now)
        let envelope = answer.envelope
        relationship.begin(answer.channel, resume: answer.resume, epoch: received.epoch)
        noteLive(relationship, draft)
        post(envelope, in: relationship, draft)
        try await send(plan, in: relationship, draft)
        renewTransfers(of: relationship, draft)
        draft.event(
            .rejoinAnswered, of: relationship.id,
            .init(
                reason: received.resume == nil
                    ? "the other side shows no secret of the channel before, as after the loss of its device: "
                        + Self.advice
                    : nil))
    }

    /// Opens the answer to our rejoin, takes what came back and sends what the peer lacks.
    ///
    /// - Returns: whether it was the answer. What the peer sent before it answered is not: it comes again, in the
    ///   answer or after it.
    func openAnswer(_ bytes: [UInt8], in relationship: LoadedRelationship, _ draft: Draft) async throws -> Bool {
        let epoch = relationship.pendingEpoch
        guard let peerLog = try await peerLog(of: relationship),
            let opened = relationship.openAnswer(bytes, peerLog: peerLog, now: draft.now, using: &entropy)
        else { return false }
        guard let theirs = try? heads(decoding: opened.heads, of: relationship) else { return false }
        draft.touch(relationship)
        relationship.begin(opened.channel, resume: opened.resume, epoch: epoch)
        relationship.kept.policy.rejoined(at: draft.now)
        var copy = relationship.kept.relationship
        let plan = try await reconcile(&copy, with: theirs, in: relationship)
        relationship.kept.relationship = copy
        try await turn(to: opened.addresses, in: relationship, draft)
        draft.event(.rejoinDone, of: relationship.id)
        renewTransfers(of: relationship, draft)
        // The first envelope of ours shows the peer that the epoch stands.
        if plan.resent == nil, plan.returned == nil { try seal(.turn, [], in: relationship, draft) }
        try await send(plan, in: relationship, draft)
        return true
    }

    /// Begins to send what the peer lacks, and what it lost of its own.
    private func send(_ plan: Reconciliation, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        relationship.kept.returning = .init(own: plan.resent, peer: plan.returned)
        try await returnMore(in: relationship, draft)
        try await restateKeys(of: relationship, draft)
    }

    /// So many records of each direction are returned in one commit.
    static let returnedPerCommit: UInt64 = 128

    /// Seals the next records that the peer lacks, in an order that is valid for both directions, and comes back for
    /// the rest once they are stored.
    private func returnMore(in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let rest = relationship.kept.returning
        guard !rest.isEmpty, relationship.channel != nil else { return }
        draft.touch(relationship)
        let role = relationship.kept.relationship.role
        func next(_ direction: SenderRole, _ numbers: ClosedRange<UInt64>?) async throws -> [Entry] {
            guard let numbers else { return [] }
            let last = min(numbers.upperBound, numbers.lowerBound + Self.returnedPerCommit - 1)
            return try await entries(of: relationship, direction, numbers.lowerBound...last)
        }
        func left(of numbers: ClosedRange<UInt64>?, after last: Entry?) -> ClosedRange<UInt64>? {
            guard let numbers, let number = last?.record.sequence, number < numbers.upperBound else { return nil }
            return max(number + 1, numbers.lowerBound)...numbers.upperBound
        }
        let (own, peer) = (try await next(role, rest.own), try await next(role.other, rest.peer))
        let merged = RecordContent.merged(
            own: own, ownIsAll: left(of: rest.own, after: own.last) == nil, peer: peer,
            peerIsAll: left(of: rest.peer, after: peer.last) == nil)
        for batch in RecordContent.batches(of: merged) {
            try seal(.returned, try RecordContent.encode(batch), in: relationship, draft)
        }
        func left(of numbers: ClosedRange<UInt64>?, _ page: [Entry]) -> ClosedRange<UInt64>? {
            guard let direction = page.first?.record.direction else { return nil }
            guard let last = merged.last(where: { $0.record.direction == direction }) else { return numbers }
            return left(of: numbers, after: last)
        }
        relationship.kept.returning = .init(own: left(of: rest.own, own), peer: left(of: rest.peer, peer))
        guard !relationship.kept.returning.isEmpty else { return }
        let id = relationship.id
        draft.afterCommit.append { [weak self] in
            // What fails now goes on with the next round that looks for what is due.
            Task(executorPreference: SimulatedTasks.executor) { try? await self?.returnMore(of: id) }
        }
    }

    /// Goes on returning records, in a commit of its own.
    func returnMore(of id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            try await keeper.returnMore(in: try await keeper.load(id), draft)
        }
    }

    /// Says again in a fresh record what a void one said: that the own key was replaced, or that of the public identity.
    private func restateKeys(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard relationship.kept.relationship.awaited == nil, relationship.kept.relationship.mayRejoin else { return }
        let again: Entry?
        do throws(RelationshipError) {
            again = try relationship.kept.relationship.restateRotation(
                at: draft.now, with: relationship.identity, using: &entropy)
        } catch {
            return refuse(error, in: relationship, draft)
        }
        if let again { try publish([again], of: relationship, draft) }
        try await tellMove(of: relationship, draft)
        guard let endorser = relationship.kept.relationship.ownEndorser else { return }
        let log = try await signingIdentity(endorser.id.digest.array).log
        try tell(log, in: relationship, draft)
    }

    // MARK: Records that come back

    /// Takes entries of either direction: what we lacked of the peer's, and what we lost of our own.
    func receive(returned entries: [Entry], in relationship: LoadedRelationship, _ draft: Draft) async throws {
        for entry in entries {
            let role = relationship.kept.relationship.role
            let numbers = relationship.kept.relationship.lookups(forReturned: entry)
            let own = try await self.entries(of: relationship, role, numbers: numbers.own)
            let peer = try await self.entries(of: relationship, role.other, numbers: numbers.peer)
            let outcome: ReturnedOutcome
            do throws(RelationshipError) {
                outcome = try relationship.kept.relationship.receiveReturned(
                    entry, ownEntry: { own[$0] }, peerEntry: { peer[$0] })
            } catch {
                refuse(error, in: relationship, draft)
                continue
            }
            switch outcome {
            case .known:
                break
            case .peer(let outcome):
                try await take(outcome, of: entry, in: relationship, draft)
            case .forked(let evidence):
                return noteFrozen(relationship, by: evidence, draft)
            case .restored(let void):
                if let void { try await self.void(void, in: relationship, draft) }
                keep(own: [entry], in: relationship, draft)
                try await restoreClaims(from: entry, in: relationship, draft)
                try await restoreMove(from: entry, in: relationship, draft)
                draft.event(.recordReturned, of: relationship.id, .init(entry))
            }
        }
        try await restateKeys(of: relationship, draft)
        // What came meanwhile is answered now that records can be signed again.
        if relationship.kept.relationship.awaited == nil, !waitingAnswers.isEmpty { uncommitted.asksIssuer = true }
    }

    /// Takes own records out that contradict what the peer holds, and tells what they said.
    private func void(_ numbers: ClosedRange<UInt64>, in relationship: LoadedRelationship, _ draft: Draft) async throws
    {
        let id = relationship.id
        for entry in try await entries(of: relationship, relationship.kept.relationship.role, numbers) {
            draft.event(.recordVoided, of: id, .init(entry))
            try await voidClaims(of: entry, in: relationship, draft)
            voidMove(entry, in: relationship)
        }
        let voided = VoidedEntries(
            relationship: id, direction: relationship.kept.relationship.role, from: numbers.lowerBound)
        draft.add(id) { $0.void(voided) }
        relationship.uncommittedOwn = relationship.uncommittedOwn.filter { $0.key < numbers.lowerBound }
        relationship.uncommittedVoid = min(relationship.uncommittedVoid ?? .max, numbers.lowerBound)
    }

    /// Erases the own X-Wing key that was in force before a rotation once the peer has seen that.
    func forgetEarlierKeyIfSeen(_ relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard relationship.identity.hasEarlierSealingKey, relationship.kept.relationship.peerHasSeenOwnKeys else {
            return
        }
        draft.touch(relationship)
        relationship.identity.forgetEarlierSealingKey()
        try storeIdentity(of: relationship, draft)
    }

    // MARK: The ledger

    /// The peer's whole key log, whose inception stands in the proof of the handshake; nil before its welcome.
    private func peerLog(of relationship: LoadedRelationship) async throws -> KeyLog? {
        let known = relationship.kept.relationship
        guard known.peerLog != nil else { return nil }
        let stored = try await proof(of: relationship.id)
        guard let proof = relationship.uncommittedProof ?? stored else {
            throw NodeError.damaged("proof of the handshake of \(relationship.id) is missing")
        }
        return try known.keyLog(of: known.role.other, inception: proof.inception(of: known.role.other))
    }

    private func heads(of relationship: LoadedRelationship) async throws -> LedgerHeads {
        let numbers = LedgerHeads.numbers(upTo: relationship.kept.relationship.ownHead.sequence)
        let hashes = try await hashes(of: relationship, relationship.kept.relationship.role, numbers)
        return try relationship.kept.relationship.heads { hashes[$0] }
    }

    private func heads(
        decoding bytes: [UInt8], of relationship: LoadedRelationship
    ) throws(ChannelError) -> LedgerHeads {
        do {
            return try LedgerHeads(decoding: bytes.bytes, of: relationship.id)
        } catch {
            throw .malformed("rejoin: heads of the ledger: \(error)")
        }
    }

    private func reconcile(
        _ copy: inout Relationship, with theirs: LedgerHeads, in relationship: LoadedRelationship
    ) async throws -> Reconciliation {
        let numbers = copy.lookups(for: theirs)
        let own = try await hashes(of: relationship, copy.role, numbers.own)
        let peer = try await hashes(of: relationship, copy.role.other, numbers.peer)
        do {
            return try copy.reconcile(with: theirs, ownHash: { own[$0] }, peerHash: { peer[$0] })
        } catch {
            throw ChannelError.malformed("rejoin: heads of the ledger: \(error)")
        }
    }
}
