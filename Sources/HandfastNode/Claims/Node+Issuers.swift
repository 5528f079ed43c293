public import Handfast
internal import HandfastStore

extension Node {
    // MARK: The file of issuers

    /// The issuers whose word is taken for claims, and what is known of their keys.
    ///
    /// - Throws: ``NodeError/file(path:reason:)`` for a file of issuers that cannot be read
    public func issuers() async throws(NodeError) -> [IssuerReport] {
        let now = keeper.time.now()
        var reports: [IssuerReport] = []
        for entry in try keeper.issuers.entries() {
            var report = IssuerReport(issuer: entry.issuer, types: entry.types, keys: entry.keys)
            if let kept = try await keeper.published(entry) {
                report = IssuerReport(issuer: entry.issuer, types: entry.types, keys: try kept.issuerKeys())
                report.url = kept.url
                report.fetched = kept.fetched
                report.trouble = kept.trouble
                report.isUsable = kept.isUsable(at: now)
            }
            reports.append(report)
        }
        return reports
    }

    /// Trusts an issuer by keys that one has of it.
    ///
    /// - Parameter types: the types of credential for which its word is taken; nil for every type.
    /// - Throws: ``NodeError/badData(_:)`` without a key, ``NodeError/file(path:reason:)``
    public func trust(_ issuer: String, keys: [IssuerKey], types: [String]? = nil) async throws(NodeError) {
        guard !issuer.isEmpty, !keys.isEmpty, keys.count <= IssuerMetadata.maximumKeyCount else {
            throw .badData("an issuer has a name, and 1 to \(IssuerMetadata.maximumKeyCount) keys")
        }
        try await keeper.trust(IssuerFile.Entry(issuer: issuer, keys: keys, types: types), nil)
    }

    /// Trusts an issuer by the keys that it publishes, which are fetched now and from now on.
    ///
    /// - Parameter issuer: the issuer's name, an `https` URL.
    /// - Throws: ``NodeError/issuer(_:_:)``, ``NodeError/issuerUnasked(_:_:)``; nothing has changed then
    public func trust(publishing issuer: String, types: [String]? = nil) async throws(NodeError) {
        let keys = try await IssuerKeys.fetch(issuer, web: configuration.web)
        let entry = IssuerFile.Entry(issuer: issuer, url: try IssuerKeys.place(of: issuer), types: types)
        try await keeper.trust(entry, keys)
    }

    /// Trusts an issuer no longer.
    ///
    /// - Throws: ``NodeError/badData(_:)`` for one that is not trusted, ``NodeError/file(path:reason:)``
    public func forgetIssuer(_ issuer: String) async throws(NodeError) {
        try await keeper.forgetIssuer(issuer)
    }

    // MARK: Keys that issuers publish

    /// Fetches the keys of issuers where that is due, and checks what has waited for them.
    func fetchKeysThatAreDue() async throws(NodeError) {
        for entry in try await keeper.issuersThatAreDue() {
            guard let url = entry.url else { continue }
            let answer: Result<[IssuerKey], NodeError>
            do {
                answer = .success(try await IssuerKeys.fetch(entry.issuer, at: url, web: configuration.web))
            } catch {
                answer = .failure(error)
            }
            // A fetch that was given up says nothing about the issuer.
            guard !Task.isCancelled else { return }
            try await keeper.take(answer, of: entry)
        }
        try await keeper.judgeWhatWaits()
    }

    /// Does something for which keys of issuers are needed, once more where they have new ones.
    ///
    /// - Parameter issuers: who may have signed what it is about.
    func withNewKeys<Result: Sendable>(
        of issuers: Set<String>, _ work: () async throws(NodeError) -> Result
    ) async throws(NodeError) -> Result {
        let first: Swift.Result<Result, NodeError>
        do {
            first = .success(try await work())
        } catch {
            first = .failure(error)
        }
        guard case .failure(.credential(.unknownIssuerKey)) = first else { return try first.get() }
        let asked = try await keeper.perform { keeper, draft in try await keeper.want(keysOf: issuers, draft) }
        guard !asked.isEmpty else { return try first.get() }
        try await fetchKeysThatAreDue()
        return try await work()
    }
}

extension IssuerReport {
    init(issuer: String, types: [String]?, keys: [IssuerKey]) {
        self.init(
            issuer: issuer, types: types,
            keys: keys.map { key in
                Key(
                    name: key.keyID.map { String(decoding: $0, as: UTF8.self) },
                    algorithm: key.key.algorithm.rawValue)
            })
    }
}
