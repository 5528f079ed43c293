public import Handfast
public import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

/// Anonymous claims are experimental: the scheme has had less analysis than the rest of Handfast.
extension Node {
    // MARK: Nonces

    /// Makes the nonce that what the other side sends next has to answer, a request or a presentation; an earlier one
    /// counts no more.
    public func makeAnonymousNonce(of id: RelationshipID) async throws(NodeError) -> AnonymousNonceReport {
        try await keeper.makeAnonymousNonce(of: id)
        return try await anonymousNonce(of: id)
    }

    /// The nonce that the other side was given, and for whom what answers it has to be made.
    public func anonymousNonce(of id: RelationshipID) async throws(NodeError) -> AnonymousNonceReport {
        guard let relationship = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        let row: StoredWalletRow?
        do {
            row = try await keeper.store.walletRow(.anonymousNonce(id))
        } catch {
            throw .store(error)
        }
        guard let row else {
            throw .badData(
                "the other side was given no nonce, or what answers it was taken; `handfast anonymous nonce` makes one")
        }
        let kept = try Row.decode(KeptAnonymousNonce.self, row.bytes)
        return AnonymousNonceReport(
            relationship: id.description, label: relationship.label ?? relationship.relationship.peerName,
            nonce: kept.nonce, made: kept.made, verifier: relationship.relationship.ownLog.id.description,
            publicIdentity: relationship.relationship.ownEndorser?.id.description)
    }

    /// Takes a nonce back for ever: what answers it was taken.
    ///
    /// - Throws: ``NodeError/badData(_:)`` if that was done before; then nothing that answers it counts.
    public func spendAnonymousNonce(_ nonce: [UInt8], of id: RelationshipID) async throws(NodeError) {
        try await keeper.spendAnonymousNonce(nonce, of: id)
    }

    // MARK: Credentials

    /// Makes a request for an anonymous credential, for its issuer.
    ///
    /// - Parameter parameters: what the issuer has published.
    public func requestAnonymousCredential(
        _ label: String, parameters: [UInt8], nonce: FixedBytes<32>
    ) async throws(NodeError) -> [UInt8] {
        try await keeper.requestAnonymous(label, parameters: parameters, nonce: nonce)
    }

    /// Takes the issuer's answer to a request of this wallet.
    public func importAnonymousCredential(
        _ issuance: [UInt8]
    ) async throws(NodeError) -> AnonymousCredentialReport {
        let id = try await keeper.takeAnonymous(issuance).description
        guard let report = try await anonymousCredentials().first(where: { $0.id == id }) else {
            throw .damaged("anonymous credential \(id) is gone")
        }
        return report
    }

    /// The anonymous credentials of the wallet, and the requests that no issuer has answered yet, the oldest first.
    public func anonymousCredentials() async throws(NodeError) -> [AnonymousCredentialReport] {
        var reports: [AnonymousCredentialReport] = []
        for row in try await keeper.walletRows(.anonymous) {
            do {
                switch row.key.anonymousRow {
                case .request:
                    reports.append(
                        try AnonymousCredentialReport(try Row.decode(KeptAnonymousRequest.self, row.bytes), row.key))
                case .credential:
                    let kept = try Row.decode(KeptAnonymousCredential.self, row.bytes)
                    var report = try AnonymousCredentialReport(kept, row.key)
                    for showing in kept.shown { report.shown.append(try await self.report(showing)) }
                    reports.append(report)
                case .holder, .nonce, nil: continue
                }
            } catch {
                throw NodeError(error)
            }
        }
        return reports.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    private func report(
        _ showing: KeptAnonymousCredential.Showing
    ) async throws -> AnonymousCredentialReport.Showing {
        let id = RelationshipID(try Digest(showing.relationship.bytes))
        let relationship = try await keeper.kept(id)
        return AnonymousCredentialReport.Showing(
            relationship: id.description, label: relationship?.label ?? relationship?.relationship.peerName,
            claims: showing.names, isLinkable: showing.isLinkable, time: showing.time)
    }

    /// Shows attributes of a credential to the other side of a relationship.
    ///
    /// - Parameters:
    ///   - name: the credential's label or whole name.
    ///   - nonce: what the other side gave.
    ///   - names: the attributes to show.
    ///   - isLinkable: whether the pseudonym is the same in all relationships with this vendor, which then links them.
    public func presentAnonymousCredential(
        _ name: String, in id: RelationshipID, nonce: FixedBytes<32>, showing names: [String], isLinkable: Bool = false
    ) async throws(NodeError) -> AnonymousPresentationReport {
        try await keeper.presentAnonymous(name, in: id, nonce: nonce, showing: names, isLinkable: isLinkable)
    }
}

extension AnonymousCredentialReport {
    fileprivate init(_ kept: KeptAnonymousRequest, _ key: WalletKey) throws {
        let parameters = try AnonymousParameters(decoding: kept.parameters.bytes)
        self.init(
            id: Base32.encode(Array(key.bytes.dropFirst())), label: kept.label, created: kept.created,
            type: parameters.schema.type, issuer: parameters.issuer.array, isIssued: false,
            attributes: parameters.schema.attributes)
    }

    fileprivate init(_ kept: KeptAnonymousCredential, _ key: WalletKey) throws {
        let parameters = try AnonymousParameters(decoding: kept.parameters.bytes)
        let credential = try AnonymousCredential.decode(kept.credential.bytes)
        self.init(
            id: Base32.encode(Array(key.bytes.dropFirst())), label: kept.label, created: kept.created,
            type: parameters.schema.type, issuer: parameters.issuer.array, isIssued: true,
            attributes: parameters.schema.attributes,
            claims: zip(parameters.schema.attributes, credential.values).map(LearnedClaim.init),
            epoch: credential.epoch, expires: parameters.schema.end(ofEpoch: credential.epoch))
    }
}
