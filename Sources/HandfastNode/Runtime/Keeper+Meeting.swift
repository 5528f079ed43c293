internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    // MARK: The invitee

    /// Makes the pairwise identity, the hello and the relationship, and stores them with the knock in the outbox.
    ///
    /// - Parameters:
    ///   - bundle: checked against the invitation here.
    ///   - queues: own queues for the peer's envelopes, the preferred one first; the knock waits until its relay has
    ///     opened that.
    ///   - confirmsDomain: whether the signer's domain has just confirmed the signer.
    /// - Throws: ``NodeError``
    func greet(
        _ invitation: Invitation, _ bundle: Bundle, queues: [OwnQueue], label: String?, confirmsDomain: Bool
    ) async throws(NodeError) -> RelationshipID {
        try await perform { keeper, draft in
            let now = draft.now
            guard let queue = queues.first else {
                throw NodeError.notConfigured("this node has no relay to receive at")
            }
            let promise = try await keeper.takePromise(draft)
            let identity = try Identity.create(at: now, promising: promise, using: &keeper.entropy)
            let greeting = try Greeting.make(
                invitation: invitation, bundle: bundle, identity: identity, addresses: queues.map(\.address),
                entries: { _ in [] }, now: now, using: &keeper.entropy)
            // The name follows once the channel stands: hello has no forward secrecy against the bundle's key.
            let id = greeting.relationship
            let hello = greeting.hello
            let relationship = try Relationship.greeted(
                id: id, identity: identity, signer: bundle.signerLog, at: now, firstRecords: { _ in [] }
            ).relationship
            var kept = KeptRelationship(
                relationship: relationship, label: label, service: queue.service, queue: queue.id)
            if confirmsDomain { kept.domain = DomainCheck(confirmed: now) }
            kept.knocking = KeptRelationship.Knocking(
                relay: invitation.relay, knock: invitation.ticket.knock,
                pending: [UInt8](greeting.pending.encoded().bytes))
            let loaded = LoadedRelationship(kept: kept, channel: nil, identity: identity, version: nil)
            try keeper.adopt(loaded, queues: queues, draft)
            draft.add(id) {
                $0.outbox.append(
                    OutboxItem(
                        relationship: id, queue: invitation.knockQueue, number: 0,
                        chain: QueueChain.digest(QueueChain.start, extendedBy: hello), envelope: hello))
            }
            draft.event(.relationshipGreeted, of: id)
            return id
        }
    }

    /// Opens the first envelope that the inviter sends.
    func openWelcome(_ bytes: [UInt8], in relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard let knocking = relationship.kept.knocking else { return }
        let pending = try PendingWelcome.decode(knocking.pending.bytes)
        let welcome = try pending.open(bytes.bytes, now: draft.now, using: &entropy)
        let entries = try welcome.entries.map { try Entry(decoding: $0.bytes) }
        draft.touch(relationship)
        try relationship.kept.relationship.welcomeOpened(welcome)
        let proof = welcome.proof
        let resume = welcome.resume
        relationship.begin(welcome.channel, resume: resume, epoch: 0)
        // The bundle was signed before the latest key came into force, which the domain was not asked about.
        if !proof.signerEvents.isEmpty { askDomain(of: relationship, draft) }
        try await forgetKnock(of: relationship, draft)
        keep(proof, in: relationship, draft)
        draft.event(.relationshipLive, of: relationship.id)
        try await receive(entries, in: relationship, draft)
        // The inviter counts us as live once our first ratchet message opens.
        if let introduction {
            let entry = try relationship.kept.relationship.append(
                Introduction(name: introduction), at: draft.now, with: relationship.identity, using: &entropy)
            try publish([entry], of: relationship, draft)
        } else {
            try seal(.turn, [], in: relationship, draft)
        }
    }

    /// Stops knocking.
    func forgetKnock(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard relationship.kept.knocking != nil else { return }
        let id = relationship.id
        relationship.kept.knocking = nil
        guard let item = try await store.outbox(of: id, limit: 1).first else { return }
        draft.add(id) {
            $0.outboxConfirmed.append(OutboxConfirmation(relationship: id, queue: item.queue, through: item.number))
        }
    }

    // MARK: The inviter

    /// Opens a hello and answers it; a hello that cannot be answered is reported and nothing is stored.
    ///
    /// - Returns: whether a relationship began.
    func answer(_ hello: [UInt8], with queues: [OwnQueue], _ draft: Draft) async throws -> Bool {
        let hash = ReceivedHello.hash(of: hello)
        if uncommitted.hellos.contains(hash) { return false }
        // The same bytes again: their welcome is stored and on its way.
        if try await store.hello(hash) != nil { return false }
        do {
            try await welcome(hello, hash, with: queues, draft)
            return true
        } catch let error as StoreError {
            throw error
        } catch {
            draft.event(.helloRefused, .init(reason: NodeError(error).description))
            return false
        }
    }

    private func welcome(_ bytes: [UInt8], _ hash: Digest, with queues: [OwnQueue], _ draft: Draft) async throws {
        let now = draft.now
        guard let queue = queues.first else { return }
        guard let stored = try await store.bundle(try ReceivedHello.bundleHash(of: bytes.bytes)) else {
            throw NodeError.badData(
                "a hello was sealed to a bundle that this vault does not hold: it came more than a week late, or the "
                    + "vault was restored since; ask the sender to accept a new invitation")
        }
        let row = try Row.decode(KeptBundle.self, stored.bytes)
        let bundle = try Bundle(decoding: row.bytes.bytes)
        let seed = row.seed
        let key = try SealingPrivateKey(seed: SecretBytes(copying: seed.bytes))
        let hello = try ReceivedHello.open(bytes.bytes, bundle: bundle, key: key)
        let knock = hello.ticket.knock
        let invitation = try await unspentInvitation(knock, now: now)
        let promise = try await takePromise(draft)
        let identity = try Identity.create(at: now, promising: promise, using: &entropy)
        let signer = try await signingIdentity(row.signer)
        var relationship = try Relationship.welcomed(
            hello, identity: identity, signer: signer.log, at: now)
        let first = try hello.entries.map { try Entry(decoding: $0.bytes) }
        for entry in first {
            // A hello whose records are not in order is refused as a whole, before anything is stored.
            guard case .accepted = try relationship.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil })
            else {
                throw NodeError.badData("a hello carries records that contradict one another")
            }
        }
        let id = hello.relationship
        var own: [Entry] = []
        if let name = introduction {
            own.append(try relationship.append(Introduction(name: name), at: now, with: identity, using: &entropy))
        }
        let welcome = try hello.welcome(
            identity: identity, signer: signer, addresses: queues.map(\.address), entries: own.map { $0.encoded() },
            now: now, using: &entropy)
        let envelope = welcome.envelope
        let proof = welcome.proof
        let kept = KeptRelationship(
            relationship: relationship, label: invitation.label, service: queue.service, queue: queue.id)
        let name = relationship.peerName
        let loaded = LoadedRelationship(kept: kept, channel: nil, identity: identity, version: nil)
        let resume = welcome.resume
        loaded.begin(welcome.channel, resume: resume, epoch: 0)

        try adopt(loaded, queues: queues, draft)
        keep(proof, in: loaded, draft)
        draft.add(id) {
            $0.hellos.append(HelloRow(hash: hash, relationship: id, eraseAfter: stored.eraseAfter))
            $0.spentTickets.append(SpentTicket(knock: knock, relationship: id))
            $0.entries += first.map { NewEntry($0) }
        }
        uncommitted.hellos.insert(hash)
        uncommitted.tickets.insert(knock)
        keep(own: own, in: loaded, draft)
        post(envelope, in: loaded, draft)
        draft.event(.relationshipWelcomed, of: id)
        for entry in first { draft.event(.recordReceived, of: id, record: entry) }
        if let name { draft.event(.peerIntroduced, of: id, .init(name: name)) }
    }

    private func unspentInvitation(_ knock: Knock, now: Timestamp) async throws -> KeptInvitation {
        guard let stored = try await store.invitation(knock) else {
            throw NodeError.badData("a hello shows a ticket that this vault never gave out")
        }
        let invitation = try Row.decode(KeptInvitation.self, stored.bytes)
        if stored.spentBy != nil || uncommitted.tickets.contains(knock) {
            throw NodeError.badData(
                "a second party showed the ticket of the invitation\(invitation.label.map { " for \($0)" } ?? ""): it "
                    + "was refused. One of the two is not whom you invited: compare the six words of `handfast show` "
                    + "with the one you know before you trust the relationship")
        }
        guard now.seconds <= invitation.expires else {
            throw NodeError.badData("a hello came after its invitation had expired")
        }
        return invitation
    }

    func signingIdentity(_ id: [UInt8]) async throws -> Identity {
        guard let kept = try await identity(IdentityID(try Digest(id.bytes))) else {
            throw NodeError.damaged("identity that signs invitations is missing")
        }
        let secret = kept.secret
        return try Identity.decode(secret.bytes)
    }

    // MARK: Both

    /// Stores what a new relationship needs beside itself.
    private func adopt(
        _ loaded: LoadedRelationship, queues: [OwnQueue], _ draft: Draft
    ) throws(NodeError) {
        loaded.kept.places.others = queues.dropFirst().map { .init(service: $0.service, queue: $0.id) }
        draft.touch(loaded)
        remember(loaded)
        let id = loaded.id
        // At the other relays nobody may be there yet who opens them.
        if queues.count > 1 { uncommitted.toStart.insert(id) }
        let identity = try identityRow(of: loaded)
        draft.add(id) { $0.identities.append(identity) }
        for queue in queues {
            let row = try queue.row(of: id)
            forget(queue.id)
            draft.add(id) {
                if let service = queue.newService { $0.services.append(service) }
                $0.queues.append(row)
            }
        }
    }

    /// Writes the own identity.
    func storeIdentity(of relationship: LoadedRelationship, _ draft: Draft) throws(NodeError) {
        let row = try identityRow(of: relationship)
        draft.add(relationship.id) { $0.identities.append(row) }
    }

    private func identityRow(of relationship: LoadedRelationship) throws(NodeError) -> IdentityRow {
        let kept = KeptIdentity(use: .pairwise, secret: [UInt8](relationship.identity.encoded().bytes))
        return IdentityRow(id: relationship.identity.id, bytes: try Row.encode(kept))
    }

    /// The row of an own identity.
    func identity(_ id: IdentityID) async throws(NodeError) -> KeptIdentity? {
        if let kept = uncommitted.identities[id] { return kept }
        do {
            return try await store.identity(id).map { try Row.decode(KeptIdentity.self, $0.bytes) }
        } catch {
            throw NodeError(error)
        }
    }
}
