public import Handfast
internal import HandfastCrypto
public import HandfastEncoding
internal import HandfastStore

extension Node {
    // MARK: Requests

    /// Asks the other side for claims.
    ///
    /// - Returns: The number of the request in the own direction.
    /// - Throws: ``NodeError/relationship(_:)`` for a request out of bounds
    public func requestClaims(
        _ credentials: [CredentialQuery], purpose: String, description: String? = nil, maximumAge: UInt64? = nil,
        of id: RelationshipID
    ) async throws(NodeError) -> UInt64 {
        let nonce = await keeper.randomBytes(16)
        do {
            let request = ClaimRequest(
                purpose: purpose, description: description, credentials: credentials, maximumAge: maximumAge,
                nonce: try FixedBytes(copying: nonce))
            return try await keeper.ask(request, of: id)
        } catch {
            throw NodeError(error)
        }
    }

    /// Shows what a request of the other side asks for.
    ///
    /// - Parameter ownWords: what the holder says of itself, by name, where a query takes that.
    /// - Throws: ``NodeError/wallet(_:)`` where the wallet has nothing to show
    public func presentClaims(
        _ number: UInt64, in id: RelationshipID, ownWords: CBORMap = CBORMap()
    ) async throws(NodeError) {
        try await keeper.present(number, in: id, ownWords: ownWords)
    }

    /// Refuses a request of the other side.
    public func refuseClaims(
        _ number: UInt64, in id: RelationshipID, reason: String? = nil
    ) async throws(NodeError) {
        try await keeper.refuse(number, in: id, reason: reason)
    }

    /// The requests for claims of both sides: those that are open, or all.
    public func claimRequests(
        in id: RelationshipID? = nil, all: Bool = false
    ) async throws(NodeError) -> [ClaimRequestReport] {
        let rows =
            try await keeper.walletRows(.request) + (all ? try await keeper.walletRows(.answer) : [])
        let wallet = try await keeper.wallet()
        var reports: [ClaimRequestReport] = []
        for row in rows {
            let report = try await report(row, wallet)
            if id == nil || report.relationship == id?.description { reports.append(report) }
        }
        return reports.sorted { ($0.asked, $0.number) < ($1.asked, $1.number) }
    }

    /// What others have learned from this wallet: their requests that were answered by showing something.
    public func learnedClaims(by id: RelationshipID? = nil) async throws(NodeError) -> [ClaimRequestReport] {
        try await claimRequests(in: id, all: true).filter {
            $0.sender == .peer && $0.answered != nil && !$0.shown.isEmpty
        }
    }

    private func report(_ row: StoredWalletRow, _ wallet: Wallet) async throws(NodeError) -> ClaimRequestReport {
        let kept = try Row.decode(KeptClaimRequest.self, row.bytes)
        let (id, direction, number) = try row.key.place()
        guard let relationship = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        let sender: EntryReport.Sender = direction == relationship.relationship.role ? .own : .peer
        var report = ClaimRequestReport(
            relationship: id.description, label: relationship.label ?? relationship.relationship.peerName,
            sender: sender, number: number, asked: kept.asked, purpose: kept.request.purpose,
            description: kept.request.description,
            queries: kept.request.credentials.map(ClaimRequestReport.Query.init),
            maximumAge: kept.request.maximumAge, state: kept.stage.rawValue, answered: kept.answered,
            shown: kept.shown.map { ShownReport(type: $0.type, issuer: $0.issuer, claims: $0.claims) },
            checks: kept.checks, reason: kept.reason)
        guard kept.stage == .open, sender == .peer else { return report }
        do throws(WalletError) {
            report.shown = try wallet.plan(kept.request, for: id, at: keeper.time.now()).map { planned in
                ShownReport(
                    type: kept.request.credentials[planned.query].type, issuer: planned.issuer,
                    claims: planned.learned)
            }
            report.reason = nil
        } catch {
            report.reason = error.description
        }
        return report
    }

    // MARK: Rules

    /// The rules by which requests are answered.
    public func claimRules() async throws(NodeError) -> [ClaimRuleReport] {
        var reports: [ClaimRuleReport] = []
        for row in try await keeper.walletRows(.rule) {
            do {
                let rule = try Row.decode(KeptClaimRule.self, row.bytes).rule()
                var report = ClaimRuleReport(
                    rule.decision, relationship: rule.relationship?.description, purpose: rule.purpose,
                    type: rule.type, claim: rule.claim?.text)
                report.id = Base32.encode(row.key.bytes)
                reports.append(report)
            } catch {
                throw NodeError(error)
            }
        }
        return reports
    }

    /// Adds a rule by which requests are answered from now on.
    public func add(_ rule: ClaimRule) async throws(NodeError) {
        try await keeper.perform { keeper, draft in
            let key = WalletKey(.rule, keeper.entropy.bytes(5))
            try keeper.keep(KeptClaimRule(rule), at: key, draft)
        }
    }

    /// Removes a rule by its name.
    public func removeClaimRule(_ id: String) async throws(NodeError) {
        try await keeper.perform { keeper, draft in
            guard let bytes = try? Base32.decode(id), bytes.count == 5,
                try await keeper.walletRow(KeptClaimRule.self, WalletKey(.rule, bytes)) != nil
            else { throw NodeError.badData("there is no rule \(id); `handfast claim rules` shows them") }
            try keeper.removeWalletRow(at: WalletKey(.rule, bytes), draft)
        }
    }

    // MARK: Credentials

    /// Makes holder keys for the copies of a new credential; their public halves go to its issuer.
    ///
    /// - Parameter count: 1 to 256.
    public func makeCredentialKeys(_ label: String, count: Int) async throws(NodeError) -> CredentialReport {
        guard (1...WalletCredential.maximumCopies).contains(count) else {
            throw .badData("a credential has 1 to \(WalletCredential.maximumCopies) copies")
        }
        let id = try await keeper.makeCredential(label, count: count)
        return try await credentials(id.description)[0]
    }

    /// Takes copies that an issuer has issued for keys of this wallet, all or none.
    ///
    /// - Throws: ``NodeError/credential(_:)`` for a copy that does not verify, ``NodeError/wallet(_:)``
    public func importCredentials(
        _ copies: [[UInt8]], format: VerifiedCredential.Format
    ) async throws(NodeError) -> [CredentialReport] {
        let issuers = Set(copies.compactMap { try? HeldCredential(decoding: $0, as: format).issuer })
        let ids = try await withNewKeys(of: issuers) { () throws(NodeError) in
            try await keeper.importCopies(copies.map { ($0, format) })
        }
        var reports: [CredentialReport] = []
        for id in ids { reports += try await credentials(id.description) }
        return reports
    }

    /// Keeps the token of a status list in which credentials of the wallet stand; copies that it says are revoked or
    /// suspended are not presented.
    ///
    /// - Throws: ``NodeError/credential(_:)`` where its issuer's key is not known, ``NodeError/badData(_:)``
    public func importStatusToken(_ token: [UInt8]) async throws(NodeError) {
        let issuers = Set(try await keeper.wallet().credentials.compactMap(\.content?.issuer))
        try await withNewKeys(of: issuers) { () throws(NodeError) in try await keeper.importStatusToken(token) }
    }

    /// The credentials of the wallet, or the one of this name.
    public func credentials(_ id: String? = nil) async throws(NodeError) -> [CredentialReport] {
        let now = keeper.time.now()
        let found = try await keeper.wallet().credentials.filter { credential in
            id == nil || credential.id.description == id || credential.label == id
        }
        if let id, found.isEmpty {
            throw .badData("no credential is called \"\(id)\"; `handfast credential list` shows them")
        }
        return found.map { CredentialReport($0, at: now) }
    }
}

extension ClaimRequestReport.Query {
    init(_ query: CredentialQuery) {
        self.init(
            type: query.type,
            claims: query.claims.map { claim in
                claim.path.text + (claim.value.map { "=\($0.item.jsonText)" } ?? "")
            }, issuers: query.issuers, selfAsserted: query.selfAsserted ?? false)
    }
}

extension CredentialReport {
    init(_ credential: WalletCredential, at now: Timestamp) {
        let content = credential.content
        let redacted = content?.claims.redacted.sorted { $0.text < $1.text } ?? []
        self.init(
            id: credential.id.description, label: credential.label, created: credential.created.seconds,
            format: content?.format.rawValue, issuer: content?.issuer, type: content?.type,
            claims: content?.claims.learned(disclosing: redacted) ?? [], redacted: redacted.map(\.text),
            copies: credential.copies.map { copy in
                Copy(
                    key: copy.holderKey.array, isIssued: copy.isIssued, expires: copy.expires,
                    relationship: copy.relationship?.description, isRetired: copy.isRetired,
                    revoked: copy.revocation?.kind.rawValue, revokedAt: copy.revocation?.time?.seconds)
            }, free: credential.freeCount(at: now), isRunningLow: credential.isRunningLow(at: now))
    }
}

extension WalletKey {
    /// The relationship, direction and number that the row of a request is of.
    func place() throws(NodeError) -> (RelationshipID, SenderRole, UInt64) {
        guard bytes.count == 41, let digest = try? FixedBytes<32>(copying: Array(bytes.prefix(32))),
            let direction = SenderRole(rawValue: bytes[32])
        else { throw .damaged("request for claims cannot be read") }
        let number = bytes[33...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (RelationshipID(Digest(digest)), direction, number)
    }
}
