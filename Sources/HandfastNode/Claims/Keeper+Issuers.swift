internal import Handfast
internal import HandfastStore

extension Keeper {
    /// The issuers whose word is taken, each with the keys that are known of it.
    ///
    /// - Throws: ``NodeError/file(path:reason:)`` for a file of issuers that cannot be read
    func trustedIssuers(at now: Timestamp) async throws(NodeError) -> [TrustedIssuer] {
        var trusted: [TrustedIssuer] = []
        for entry in try issuers.entries() {
            var keys = entry.keys
            if let kept = try await published(entry) { keys = try kept.usable(at: now) }
            trusted.append(TrustedIssuer(issuer: entry.issuer, keys: keys, types: entry.types))
        }
        return trusted
    }

    /// What is kept of the keys that an issuer publishes; nil where the file holds its keys.
    func published(_ entry: IssuerFile.Entry) async throws(NodeError) -> KeptIssuer? {
        guard let url = entry.url else { return nil }
        let kept = try await walletRow(KeptIssuer.self, .issuer(entry.issuer))
        // Keys from elsewhere are not those that the file means.
        return kept.flatMap { $0.url == url ? $0 : nil } ?? KeptIssuer(url: url)
    }

    /// The issuers whose keys are to be fetched by now.
    func issuersThatAreDue() async throws(NodeError) -> [IssuerFile.Entry] {
        var due: [IssuerFile.Entry] = []
        for entry in try issuers.entries() {
            if try await published(entry)?.isDue(at: time.now()) == true { due.append(entry) }
        }
        return due
    }

    /// Stores what an issuer answered; one that could not be asked is asked again later.
    func take(_ answer: Result<[IssuerKey], NodeError>, of entry: IssuerFile.Entry) async throws(NodeError) {
        try await perform { keeper, draft in
            guard var kept = try await keeper.published(entry) else { return }
            try kept.take(answer, at: draft.now)
            try keeper.keep(kept, at: .issuer(entry.issuer), draft)
        }
    }

    /// Notes that keys of issuers are wanted that are not known.
    ///
    /// - Returns: Those of the issuers that are asked for them.
    func want(keysOf names: Set<String>, _ draft: Draft) async throws(NodeError) -> [String] {
        guard !names.isEmpty else { return [] }
        var asked: [String] = []
        for entry in try issuers.entries() where names.contains(entry.issuer) {
            guard var kept = try await published(entry), kept.want(at: draft.now) else { continue }
            try keep(kept, at: .issuer(entry.issuer), draft)
            uncommitted.asksIssuer = true
            asked.append(entry.issuer)
        }
        return asked
    }

    /// Whether one of these issuers is still to be asked for its keys.
    func isAsking(_ names: [String]) async throws(NodeError) -> Bool {
        for entry in try issuers.entries() where names.contains(entry.issuer) {
            if try await published(entry)?.isWanted == true { return true }
        }
        return false
    }

    /// Trusts an issuer from now on, by the keys that are given or those that it publishes.
    func trust(_ entry: IssuerFile.Entry, _ published: [IssuerKey]?) async throws(NodeError) {
        try await perform { keeper, draft in
            try keeper.issuers.add(entry)
            guard let published, let url = entry.url else { return }
            var kept = KeptIssuer(url: url)
            try kept.take(.success(published), at: draft.now)
            try keeper.keep(kept, at: .issuer(entry.issuer), draft)
        }
    }

    /// Trusts an issuer no longer.
    func forgetIssuer(_ name: String) async throws(NodeError) {
        try await perform { keeper, draft in
            try keeper.issuers.remove(name)
            try keeper.removeWalletRow(at: .issuer(name), draft)
        }
    }
}
