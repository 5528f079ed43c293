internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    /// So many relationships are told of a key event in one commit.
    private static let toldPerCommit = 64

    /// Replaces the keys of the public identity, and notes that its relationships are still to be told.
    ///
    /// - Parameters:
    ///   - seed: its next key, where the recovery root gave it.
    ///   - promise: the key after that; nil for one of the pool, or a random one.
    /// - Returns: its log from now on.
    func rotatePublicIdentity(
        _ id: IdentityID, revealing seed: [UInt8]? = nil, promising promise: PromisedKey? = nil
    ) async throws(NodeError) -> KeyLog {
        try await perform { keeper, draft in
            guard var kept = try await keeper.identity(id) else {
                throw NodeError.damaged("public identity is missing")
            }
            if seed == nil, try Identity.decode(kept.secret.bytes).nextSalt != nil {
                throw NodeError.channel(.nextKeyNotAtHand)
            }
            var next = promise
            if next == nil { next = try await keeper.takePromise(draft) }
            let rotated = try keeper.rotated(kept.secret, revealing: seed, promising: next, at: draft.now)
            kept.secret = rotated.secret
            kept.toldThrough = 0
            draft.event(.ownRotated, .init(name: rotated.log.domain))
            try keeper.keep(kept, as: id, draft)
            return rotated.log
        }
    }

    /// Whether an own identity's next key lies in the vault.
    func hasNextKeyInVault(_ id: IdentityID) async throws(NodeError) -> Bool {
        guard let kept = try await identity(id) else { return false }
        return try NodeError.reading("identity") { try Identity.decode(kept.secret.bytes).nextSalt == nil }
    }

    private func rotated(
        _ secret: [UInt8], revealing seed: [UInt8]?, promising promise: PromisedKey?, at now: Timestamp
    ) throws -> (secret: [UInt8], log: KeyLog) {
        let identity = try Self.rotated(
            try Identity.decode(secret.bytes), revealing: seed, promising: promise, at: now, using: &entropy)
        let encoded = identity.encoded()
        return ([UInt8](encoded.bytes), identity.log)
    }

    private static func rotated(
        _ identity: consuming Identity, revealing seed: [UInt8]?, promising promise: PromisedKey?, at now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) throws -> Identity {
        if let seed { try identity.reveal(try SigningKey(seed: SecretBytes(copying: seed.bytes))) }
        _ = try identity.rotate(at: now, promising: promise, using: &random)
        return identity
    }

    /// Tells the next relationships that the public identity vouches for of its key events.
    ///
    /// Those in which nothing can be said now learn of them when their channel has begun anew, or with a broadcast.
    ///
    /// - Returns: how many were told; nil once all are through.
    func tellKeyEvents(of id: IdentityID) async throws(NodeError) -> Int? {
        try await perform { keeper, draft in
            guard var kept = try await keeper.identity(id), let after = kept.toldThrough else { return nil }
            let secret = kept.secret
            let log = try Identity.decode(secret.bytes).log
            let page = try await keeper.store.relationships(after: after, limit: Self.toldPerCommit)
            var told = 0
            for row in page {
                let known = try KeptRelationship(decoding: row.state).relationship.ownEndorser
                guard let known, known.id == id, known.count < log.events.count else { continue }
                if try keeper.tell(log, in: try await keeper.load(row.id), draft) { told += 1 }
            }
            kept.toldThrough = page.last?.position
            try keeper.keep(kept, as: id, draft)
            return page.isEmpty ? nil : told
        }
    }

    /// Tells the peer of key events of the public identity that it does not know.
    ///
    /// - Returns: whether there were any, and they could be told.
    @discardableResult
    func tell(_ log: KeyLog, in relationship: LoadedRelationship, _ draft: Draft) throws -> Bool {
        let state = relationship.kept.relationship.state
        guard state == .welcomed || state == .live, relationship.kept.stop == nil, !relationship.kept.isRejoining,
            relationship.channel != nil
        else { return false }
        var copy = relationship.kept.relationship
        let news: [Entry]
        do throws(RelationshipError) {
            news = try endorsements(of: log, in: &copy, with: relationship.identity, at: draft.now)
        } catch {
            // Its own identity is to be seen to first.
            return false
        }
        guard !news.isEmpty else { return false }
        try publish(news, leaving: copy, in: relationship, draft)
        return true
    }

    private func keep(_ kept: KeptIdentity, as id: IdentityID, _ draft: Draft) throws(NodeError) {
        draft.general.identities.append(IdentityRow(id: id, bytes: try Row.encode(kept)))
        uncommitted.identities[id] = kept
    }
}
