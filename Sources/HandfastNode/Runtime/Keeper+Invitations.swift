internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    /// Random bytes from the node's source.
    func randomBytes(_ count: Int) -> [UInt8] {
        entropy.bytes(count)
    }

    /// A new queue of the own, not opened yet.
    func newQueue(at relay: RelayAddress, service: VerificationKey, isTended: Bool) -> OwnQueue {
        OwnQueue(
            relay: relay, service: service, id: .random(using: &entropy), capability: .random(using: &entropy),
            isTended: isTended)
    }

    /// A new name for a queue.
    func newQueueID() -> QueueID {
        .random(using: &entropy)
    }

    /// What an own queue is for, asked by who is not part of a batch.
    func queueOutsideBatch(_ id: QueueID) async throws(NodeError) -> StoredQueue? {
        try await queue(id)
    }

    /// Those of own queues in which invitees knock.
    func knockQueues(among ids: Set<QueueID>) async throws(NodeError) -> Set<QueueID> {
        var knockQueues: Set<QueueID> = []
        for id in ids {
            guard let queue = try await queue(id), queue.relationship == nil else { continue }
            knockQueues.insert(id)
        }
        return knockQueues
    }

    /// Makes an identity and stores it.
    func createIdentity(_ use: KeptIdentity.Use, domain: String?) async throws(NodeError) -> KeyLog {
        try await perform { keeper, draft in
            // One that signs the bundles of an invitation alone is never rotated.
            let promise = use == .invitation ? nil : try await keeper.takePromise(draft)
            let identity = try Identity.create(
                domain: domain, at: draft.now, promising: promise, using: &keeper.entropy)
            let kept = KeptIdentity(use: use, secret: [UInt8](identity.encoded().bytes))
            draft.general.identities.append(IdentityRow(id: identity.id, bytes: try Row.encode(kept)))
            return identity.log
        }
    }

    /// Makes an invitation, stored with the service whose knock queue takes its ticket.
    ///
    /// - Parameter service: rows that are new with this invitation.
    func invite(
        at relay: RelayAddress, knockQueue: QueueID, signer: KeyLog, service key: VerificationKey, label: String?,
        newService: (service: ServiceRow, queue: QueueRow)?
    ) async throws(NodeError) -> (invitation: Invitation, expires: Timestamp) {
        try await perform { keeper, draft in
            let ticket = Ticket.random(using: &keeper.entropy)
            let invitation = try Invitation(
                relay: relay, knockQueue: knockQueue, signer: signer.id, eventCount: signer.events.count,
                ticket: ticket)
            let expires = draft.now.adding(seconds: Steward.invitationSeconds)
            let kept = KeptInvitation(
                uri: invitation.uri, label: label, created: draft.now.seconds, expires: expires.seconds,
                service: key.array)
            draft.general.invitations.append(InvitationRow(knock: ticket.knock, bytes: try Row.encode(kept)))
            if let newService {
                draft.general.services.append(newService.service)
                draft.general.queues.append(newService.queue)
            }
            return (invitation, expires)
        }
    }

    /// Makes open invitations of services void, and has their knock queues closed.
    ///
    /// - Parameter invitations: all that there are.
    /// - Returns: what those that are void now are called.
    func voidInvitations(
        _ invitations: [StoredInvitation], of left: [(stored: StoredService, kept: KeptService)]
    ) async throws(NodeError) -> [String] {
        return try await perform { keeper, draft in
            let keys = Set(left.map { $0.stored.key.array })
            var void: [String] = []
            for stored in invitations where stored.spentBy == nil {
                var kept = try Row.decode(KeptInvitation.self, stored.bytes)
                guard keys.contains(kept.service), draft.now.seconds <= kept.expires else { continue }
                void.append(kept.label ?? String(kept.uri.suffix(8)))
                kept.expires = 0
                draft.general.invitations.append(InvitationRow(knock: stored.knock, bytes: try Row.encode(kept)))
            }
            for (stored, service) in left {
                guard let bytes = service.knockQueue else { continue }
                var kept = service
                kept.knockQueue = nil
                draft.general.services.append(ServiceRow(key: stored.key, bytes: try Row.encode(kept)))
                let queue = try QueueID(row: bytes)
                keeper.forget(queue)
                let row = KeptQueue(service: stored.key.array, capability: nil, isClosing: true)
                draft.general.queues.append(
                    QueueRow(id: queue, relationship: nil, tendedBy: stored.key, bytes: try Row.encode(row)))
                keeper.uncommitted.tended.insert(stored.key)
            }
            return void
        }
    }

    /// How many key events an own identity has.
    func keyEventCount(of signer: [UInt8]) async throws(NodeError) -> Int {
        do {
            return try await signingIdentity(signer).log.events.count
        } catch {
            throw NodeError(error)
        }
    }

    /// Makes the bundles that are missing for the days ahead.
    ///
    /// - Parameter after: the start of the last bundle at hand.
    func makeBundles(
        for service: VerificationKey, signer: [UInt8], after last: Timestamp?
    ) async throws(NodeError) -> [PublishedBundle] {
        let now = time.now()
        let end = now.adding(seconds: (Steward.daysAhead - 1) * 86_400)
        var starts: [Timestamp] = []
        // A day early: the relay's or an invitee's clock may be behind by so much.
        var start = last.map { $0.adding(seconds: 86_400) } ?? now.subtracting(seconds: 86_400)
        while start <= end {
            starts.append(start)
            start = start.adding(seconds: 86_400)
        }
        guard !starts.isEmpty else { return [] }
        let missing = starts
        return try await perform { keeper, draft in
            guard let row = try await keeper.identity(IdentityID(try Digest(signer.bytes))) else {
                throw NodeError.damaged("identity that signs invitations is missing")
            }
            let identity = try Identity.decode(row.secret.bytes)
            var made: [PublishedBundle] = []
            for start in missing {
                let key = SealingPrivateKey.generate(using: &keeper.entropy)
                let bundle = try Bundle.make(
                    signer: identity, key: key.publicKey, notBefore: start,
                    expires: start.adding(seconds: Steward.bundleSeconds), families: Steward.families)
                let kept = KeptBundle(
                    bytes: bundle.bytes, seed: [UInt8](key.seed), service: service.array, signer: signer)
                draft.general.bundles.append(
                    BundleRow(
                        hash: bundle.hash, bytes: try Row.encode(kept),
                        eraseAfter: bundle.expires.adding(seconds: Steward.bundleGraceSeconds)))
                made.append(PublishedBundle(bundle))
            }
            return made
        }
    }
}

extension KeptService {
    /// The service's name: the public half of its key.
    var publicKey: VerificationKey {
        get throws(NodeError) {
            try NodeError.reading("service") {
                try SigningKey(seed: SecretBytes(copying: seed.bytes)).publicKey
            }
        }
    }
}
