internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    // MARK: Promises

    /// A next key of the recovery root for an identity, taken out of the pool with this commit; nil where there is none.
    func takePromise(_ draft: Draft) async throws(NodeError) -> PromisedKey? {
        if promises == nil { promises = try await storedPromises() }
        guard let promise = promises?.popLast() else { return nil }
        try removeWalletRow(at: KeptPromise.key(promise.salt), draft)
        return promise
    }

    private func storedPromises() async throws(NodeError) -> [PromisedKey] {
        var promises: [PromisedKey] = []
        for row in try await walletRows(.recovery) where KeptPromise.isPromise(row.key) {
            if let change = uncommitted.wallet[row.key], change.bytes == nil { continue }
            promises.append(try Row.decode(KeptPromise.self, row.bytes).promise(of: row.key))
        }
        return promises
    }

    /// How many promises are left.
    func promiseCount() async throws(NodeError) -> Int {
        if promises == nil { promises = try await storedPromises() }
        return promises?.count ?? 0
    }

    /// Names the recovery root and keeps promises of its keys.
    ///
    /// - Parameter isNew: whether the promises that are left are another root's.
    func keep(_ added: [PromisedKey], ofRoot name: [UInt8], isNew: Bool) async throws(NodeError) {
        try await perform { keeper, draft in
            let known = try await keeper.walletRow(KeptRecovery.self, KeptRecovery.key)
            if isNew {
                for promise in try await keeper.storedPromises() {
                    try keeper.removeWalletRow(at: KeptPromise.key(promise.salt), draft)
                }
                try keeper.keep(KeptRecovery(name: name, created: draft.now.seconds), at: KeptRecovery.key, draft)
            } else if known?.name != name {
                throw NodeError.badData("the words are of another recovery root than the one that this vault knows")
            }
            for promise in added {
                let kept = KeptPromise(commitment: promise.commitment.array)
                try keeper.keep(kept, at: KeptPromise.key(promise.salt), draft)
            }
            // Read anew once they are stored.
            keeper.promises = nil
        }
        promises = nil
    }

    // MARK: Identities

    /// Whose next keys derive from the recovery root, and how many in use do not.
    func nextKeys() async throws(NodeError) -> (offline: [RecoveryReport.Identity], inVault: Int) {
        var offline: [RecoveryReport.Identity] = []
        var inVault = 0
        func count(_ salt: FixedBytes<16>?, of relationship: RelationshipID?) {
            guard let salt else { return inVault += 1 }
            offline.append(RecoveryReport.Identity(relationship: relationship?.description, salt: salt.array))
        }
        do {
            // The public identity is made before any relationship, so that it stands among the first.
            for stored in try await store.identities(after: 0, limit: 10) {
                let kept = try Row.decode(KeptIdentity.self, stored.bytes)
                if kept.use == .public { count(try Identity.decode(kept.secret.bytes).nextSalt, of: nil) }
            }
            var after: Int64 = 0
            while let page = try await relationships(after: after, limit: 1_000) {
                for row in page {
                    let relationship = try KeptRelationship(decoding: row.state).relationship
                    guard relationship.mayRejoin, let kept = try await identity(relationship.ownLog.id) else {
                        continue
                    }
                    count(try Identity.decode(kept.secret.bytes).nextSalt, of: row.id)
                }
                after = page.last?.position ?? after
            }
        } catch {
            throw NodeError(error)
        }
        return (offline, inVault)
    }

    /// The next relationships in which a rotation can be said and whose next key lies in the vault.
    func relationshipsToAdopt(limit: Int) async throws(NodeError) -> [RelationshipID] {
        var found: [RelationshipID] = []
        var after: Int64 = 0
        while found.count < limit, let page = try await relationships(after: after, limit: 1_000) {
            for row in page where found.count < limit {
                let kept = try KeptRelationship(decoding: row.state)
                guard [.welcomed, .live].contains(kept.relationship.state), kept.stop == nil, !kept.isRejoining,
                    kept.policy.cause == nil, let stored = try await identity(kept.relationship.ownLog.id)
                else { continue }
                let identity = try NodeError.reading("identity") {
                    try Identity.decode(stored.secret.bytes).nextSalt == nil
                }
                if identity { found.append(row.id) }
            }
            after = page.last?.position ?? after
        }
        return found
    }

    /// Rotates the own keys of a relationship with the key that the recovery root gave, and begins the channel anew: what
    /// a thief of the old keys holds is worth nothing then.
    func rotate(_ id: RelationshipID, revealing seed: [UInt8], promising promise: PromisedKey) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let kept = relationship.kept
            guard [.welcomed, .live].contains(kept.relationship.state), kept.stop == nil else {
                throw NodeError.stopped(
                    "the relationship is \(kept.relationship.state): its keys are of no use any more")
            }
            guard kept.relationship.ownLog.matches(relationship.identity.log) else {
                throw NodeError.unavailable(
                    "the rotation before is not said yet: try again once the channel has begun anew")
            }
            draft.touch(relationship)
            let key = try SigningKey(seed: SecretBytes(copying: seed.bytes))
            try relationship.identity.reveal(key)
            // The rejoin shows it, so that the peer changes its queue as well; the record follows once the epoch stands.
            _ = try relationship.identity.rotate(
                at: draft.now, keepingSealingKey: true, promising: promise, using: &keeper.entropy)
            try keeper.storeIdentity(of: relationship, draft)
            draft.event(.ownRotated, of: id)
            // The relays know the thief's keys as well.
            try await keeper.renewQueues(of: relationship, withNewServices: true, draft)
            try await keeper.rejoin(relationship, because: .person, draft)
        }
    }
}
