internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Node {
    /// How things stand with the recovery root.
    ///
    /// - Source: Spec/02 §2.4
    public func recovery() async throws(NodeError) -> RecoveryReport {
        var report = RecoveryReport()
        if let kept = try await keeper.walletRow(KeptRecovery.self, KeptRecovery.key) {
            report.name = kept.name
            report.created = kept.created
        }
        report.promises = try await keeper.promiseCount()
        (report.identities, report.inVault) = try await keeper.nextKeys()
        return report
    }

    /// Keeps promises of a recovery root's keys: identities that are made or rotated from now on commit to them.
    ///
    /// - Parameters:
    ///   - name: the root's name, 16 bytes.
    ///   - promises: at most 100,000 at once.
    ///   - isNew: whether the root takes the place of another one.
    /// - Throws: ``NodeError/badData(_:)`` for promises of another root than the one that is known
    public func keep(
        _ promises: [RecoveryAction.Promise], ofRoot name: [UInt8], isNew: Bool
    ) async throws(NodeError) -> RecoveryReport {
        guard name.count == RecoveryRoot.nameCount, promises.count <= 100_000 else {
            throw .badData("a recovery root has a name of 16 bytes, and gives at most 100,000 promises at once")
        }
        var keys: [PromisedKey] = []
        for promise in promises { keys.append(try promise.promisedKey) }
        try await keeper.keep(keys, ofRoot: name, isNew: isNew)
        return try await recovery()
    }

    /// Rotates identities whose next keys lie in the vault, so that the next ones are the recovery root's.
    ///
    /// - Parameter limit: so many at most.
    public func adoptIntoRecovery(limit: Int) async throws(NodeError) -> RecoveryReport {
        var rotated = 0
        var refusals: [String] = []
        if let log = try await publicIdentity(), try await keeper.hasNextKeyInVault(log.id),
            try await keeper.promiseCount() > 0
        {
            _ = try await rotatePublicIdentity()
            rotated += 1
        }
        for id in try await keeper.relationshipsToAdopt(limit: limit) {
            guard try await keeper.promiseCount() > 0 else { break }
            do {
                try await rotate(id)
                rotated += 1
            } catch {
                refusals.append("\(id.description.prefix(8)): \(error)")
            }
        }
        var report = try await recovery()
        report.rotated = rotated
        report.refusals = refusals
        return report
    }

    /// Rotates identities with keys that the recovery root gave, tells every peer, and begins the channels anew.
    ///
    /// Afterwards whoever holds a copy of this vault, or of a backup, can neither send, read nor rotate anything.
    public func rotate(
        revealing keys: [RecoveryAction.Key], ofRoot name: [UInt8]
    ) async throws(NodeError) -> RecoveryReport {
        guard try await keeper.walletRow(KeptRecovery.self, KeptRecovery.key)?.name == name else {
            throw .badData("the words are of another recovery root than the one that this vault knows")
        }
        var rotated = 0
        var refusals: [String] = []
        for key in keys {
            do {
                let promise = try key.promise.promisedKey
                if let relationship = key.identity.relationship {
                    let id = try NodeError.reading("the id") { try RelationshipID(text: relationship) }
                    try await keeper.rotate(id, revealing: key.seed, promising: promise)
                } else if let log = try await publicIdentity() {
                    try await rotatePublicIdentity(log.id, revealing: key.seed, promising: promise)
                    try await replaceSharedServices()
                }
                rotated += 1
            } catch {
                refusals.append("\(key.identity.relationship?.prefix(8) ?? "public identity"): \(error)")
            }
        }
        var report = try await recovery()
        report.rotated = rotated
        report.refusals = refusals
        return report
    }
}
