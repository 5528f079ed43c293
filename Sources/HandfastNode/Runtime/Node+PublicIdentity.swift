public import Handfast
internal import HandfastStore

extension Node {
    /// Makes the public identity of a vendor's node, tied to a domain. Once in the life of a vault.
    ///
    /// - Parameter domain: an A-label of at most 253 characters.
    /// - Returns: its key log, which `https://DOMAIN/.well-known/handfast` is to serve.
    /// - Throws: ``NodeError/badData(_:)`` when there is one already, ``NodeError/channel(_:)``,
    ///   ``NodeError/store(_:)``
    public func makePublicIdentity(domain: String) async throws(NodeError) -> KeyLog {
        if let known = try await publicIdentity() {
            throw .badData("this vault holds the public identity \(known.id) of \(known.domain ?? "no domain") already")
        }
        return try await keeper.createIdentity(.public, domain: domain)
    }

    /// The key log of the public identity; `nil` for a person's node.
    public func publicIdentity() async throws(NodeError) -> KeyLog? {
        let identities: [StoredIdentity]
        do {
            // It is made before any relationship, so that it stands among the first.
            identities = try await store.identities(after: 0, limit: 10)
        } catch {
            throw .store(error)
        }
        for stored in identities {
            let kept = try Row.decode(KeptIdentity.self, stored.bytes)
            if kept.use == .public {
                return try NodeError.reading("public identity") { try Identity.decode(kept.secret.bytes).log }
            }
        }
        return nil
    }

    /// Replaces the keys of the public identity, and tells every relationship that it vouches for.
    ///
    /// From the first commit on the new key signs bundles, welcomes and broadcasts. The relationships are told in commits
    /// of bounded size; those that are left when the process ends, or the task is cancelled, are told while ``run()``
    /// runs.
    ///
    /// - Returns: the log that `https://DOMAIN/.well-known/handfast` is to serve from now on, and how many
    ///   relationships were told.
    /// - Throws: ``NodeError/notConfigured(_:)`` in a person's vault, ``NodeError/channel(_:)`` when the log is full,
    ///   ``NodeError/store(_:)``
    /// - Source: Spec/02 §2.2, Spec/05 §5.9
    public func rotatePublicIdentity() async throws(NodeError) -> (log: KeyLog, told: Int) {
        guard let known = try await publicIdentity() else {
            throw .notConfigured(
                "this vault holds no public identity; `handfast rotate RELATIONSHIP` replaces your key in a relationship"
            )
        }
        return try await rotatePublicIdentity(known.id, revealing: nil, promising: nil)
    }

    /// As ``rotatePublicIdentity()``, with the next key that the recovery root gave.
    @discardableResult
    func rotatePublicIdentity(
        _ id: IdentityID, revealing seed: [UInt8]?, promising promise: PromisedKey?
    ) async throws(NodeError) -> (log: KeyLog, told: Int) {
        let log = try await keeper.rotatePublicIdentity(id, revealing: seed, promising: promise)
        if isRunning {
            for (stored, kept) in try await steward.services() where kept.signer == id.digest.array {
                try await exchange.tend(stored.key)
            }
        }
        return (log, try await tellKeyEvents(of: log))
    }

    /// Tells the relationships that have not been told yet of key events of the public identity.
    ///
    /// - Returns: how many were told.
    @discardableResult
    func tellKeyEvents(of log: KeyLog) async throws(NodeError) -> Int {
        var told = 0
        while !Task.isCancelled, let count = try await keeper.tellKeyEvents(of: log.id) { told += count }
        return told
    }

    /// Whether the own relay has what it should have for the services of the public identity.
    func hasPublishedBundles(of log: KeyLog) async throws(NodeError) -> Bool {
        for (stored, kept) in try await steward.services() where kept.signer == log.id.digest.array && !kept.isClosed {
            guard await exchange.session(of: stored.key)?.isReady == true else { return false }
        }
        return true
    }
}
