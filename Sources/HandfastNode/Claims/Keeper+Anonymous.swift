internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    // MARK: Nonces

    /// Makes the nonce that what the peer sends next has to answer; an earlier one counts no more.
    func makeAnonymousNonce(of id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            _ = try keeper.openPeer(of: try await keeper.load(id))
            let kept = KeptAnonymousNonce(nonce: keeper.entropy.bytes(32), made: draft.now.seconds)
            try keeper.keep(kept, at: .anonymousNonce(id), draft)
        }
    }

    /// Takes a nonce back for ever.
    func spendAnonymousNonce(_ nonce: [UInt8], of id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            guard let kept = try await keeper.walletRow(KeptAnonymousNonce.self, .anonymousNonce(id)),
                kept.nonce == nonce
            else {
                throw NodeError.badData(
                    "something that answers this nonce was taken already; `handfast anonymous nonce` makes another")
            }
            try keeper.removeWalletRow(at: .anonymousNonce(id), draft)
        }
    }

    /// Takes all nonces back, because this vault was taken back to an older state: the newer one may have taken what
    /// answers them.
    func forgetAnonymousNonces() async throws(NodeError) {
        try await perform { keeper, draft in
            for row in try await keeper.walletRows(.anonymous) where row.key.anonymousRow == .nonce {
                try keeper.removeWalletRow(at: row.key, draft)
            }
        }
    }

    /// The identity of the peer, where something can still be exchanged with it.
    private func openPeer(of relationship: LoadedRelationship) throws(NodeError) -> IdentityID {
        if let stop = relationship.kept.stop { throw .stopped(stop.text) }
        let kept = relationship.kept.relationship
        guard let peer = kept.peerLog?.id, kept.state == .welcomed || kept.state == .live else {
            throw .unavailable("the relationship is not live; `handfast show` says how far it has come")
        }
        return peer
    }

    // MARK: Holding

    /// The secret from which all pseudonyms follow; made at the first request.
    private func anonymousHolder(_ draft: Draft) async throws -> AnonymousHolderSecret {
        if let kept = try await walletRow([UInt8].self, .anonymousHolder) { return try Self.holder(kept) }
        let master = entropy.bytes(32)
        try keep(master, at: .anonymousHolder, draft)
        return try Self.holder(master)
    }

    private static func holder(_ master: [UInt8]) throws -> AnonymousHolderSecret {
        try AnonymousHolderSecret(master: SecretBytes(copying: master.bytes))
    }

    /// Makes a request for a credential and keeps what belongs to it.
    func requestAnonymous(
        _ label: String, parameters encoded: [UInt8], nonce: FixedBytes<32>
    ) async throws(NodeError) -> [UInt8] {
        try await perform { keeper, draft in
            let parameters = try AnonymousParameters(decoding: encoded.bytes)
            let holder = try await keeper.anonymousHolder(draft)
            let pending = PendingAnonymousCredential.request(
                nonce: nonce, holder: holder, parameters: parameters, using: &keeper.entropy)
            let secret = pending.encoded()
            let kept = KeptAnonymousRequest(
                label: label, created: draft.now.seconds, parameters: encoded, pending: [UInt8](secret.bytes))
            try keeper.keep(kept, at: .anonymousRequest(.random(using: &keeper.entropy)), draft)
            return pending.request.encoded()
        }
    }

    /// Takes the issuer's answer to a request, which it finds by the issuer's proof.
    func takeAnonymous(_ bytes: [UInt8]) async throws(NodeError) -> CredentialID {
        try await perform { keeper, draft in
            let issuance = try AnonymousIssuance(decoding: bytes.bytes)
            var refusal = AnonymousClaimError.issuanceNotProven
            for row in try await keeper.walletRows(.anonymous) where row.key.anonymousRow == .request {
                guard let kept = try await keeper.walletRow(KeptAnonymousRequest.self, row.key) else { continue }
                let finished: [UInt8]
                switch Self.finish(kept, with: issuance, at: draft.now.seconds) {
                case .success(let credential): finished = credential
                case .failure(let error):
                    // Of a request with other parameters nothing fits; what is wrong with the right one is told.
                    if error != .issuanceNotProven { refusal = error }
                    continue
                }
                let id = CredentialID(try FixedBytes(copying: Array(row.key.bytes.dropFirst())))
                let credential = KeptAnonymousCredential(
                    label: kept.label, created: draft.now.seconds, parameters: kept.parameters, credential: finished)
                try keeper.removeWalletRow(at: row.key, draft)
                try keeper.keep(credential, at: .anonymousCredential(id), draft)
                return id
            }
            throw refusal
        }
    }

    private static func finish(
        _ kept: KeptAnonymousRequest, with issuance: AnonymousIssuance, at now: UInt64
    ) -> Result<[UInt8], AnonymousClaimError> {
        Result { () throws(AnonymousClaimError) -> [UInt8] in
            let parameters = try AnonymousParameters(decoding: kept.parameters.bytes)
            let pending = try PendingAnonymousCredential.decode(kept.pending.bytes)
            let credential = try pending.finish(issuance, parameters: parameters, now: now)
            let secret = credential.encoded()
            return [UInt8](secret.bytes)
        }
    }

    // MARK: Presenting

    /// Shows attributes of a credential to the peer, whom the pseudonym is made for: never for whom the peer says.
    func presentAnonymous(
        _ name: String, in id: RelationshipID, nonce: FixedBytes<32>, showing names: [String], isLinkable: Bool
    ) async throws(NodeError) -> AnonymousPresentationReport {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let vendor = try keeper.openPeer(of: relationship)
            let scope = try keeper.scope(of: vendor, in: relationship, isLinkable: isLinkable)
            var (key, kept) = try await keeper.anonymousCredential(name, at: draft.now.seconds)
            let parameters = try AnonymousParameters(decoding: kept.parameters.bytes)
            let holder = try await keeper.anonymousHolder(draft)
            let credential = try AnonymousCredential.decode(kept.credential.bytes)
            let binding = PresentationBinding(nonce: nonce, verifier: vendor.digest, relationship: id.digest)
            let presentation = try credential.present(
                showing: names, in: scope, for: binding, holder: holder, parameters: parameters,
                using: &keeper.entropy)
            let attributes = parameters.schema.attributes
            kept.note(
                KeptAnonymousCredential.Showing(
                    relationship: id.digest.array, names: attributes.filter(names.contains), isLinkable: isLinkable,
                    time: draft.now.seconds))
            try keeper.keep(kept, at: key, draft)
            return AnonymousPresentationReport(
                relationship: id.description,
                label: relationship.kept.label ?? relationship.kept.relationship.peerName,
                type: parameters.schema.type,
                claims: zip(attributes, credential.values).filter { names.contains($0.0) }.map(LearnedClaim.init),
                epoch: credential.epoch, expires: parameters.schema.end(ofEpoch: credential.epoch),
                scope: isLinkable ? "vendor" : "relationship",
                pseudonym: holder.pseudonym(in: scope).point.array, presentation: presentation.encoded())
        }
    }

    private func scope(
        of vendor: IdentityID, in relationship: LoadedRelationship, isLinkable: Bool
    ) throws(NodeError) -> PseudonymScope {
        guard isLinkable else { return .relationship(vendor.digest) }
        guard let publicIdentity = relationship.kept.relationship.peerEndorser?.id else {
            throw .badData(
                "no public identity vouches for the other side, so there is no pseudonym for all of its relationships; "
                    + "leave out --linkable")
        }
        return .vendor(publicIdentity.digest)
    }

    /// The credential of this name; of several with one label the one that holds longest.
    private func anonymousCredential(
        _ name: String, at now: UInt64
    ) async throws -> (key: WalletKey, kept: KeptAnonymousCredential) {
        var found: (key: WalletKey, kept: KeptAnonymousCredential, end: UInt64)?
        for row in try await walletRows(.anonymous) where row.key.anonymousRow == .credential {
            let kept = try await walletRow(KeptAnonymousCredential.self, row.key)
            guard let kept, kept.label == name || Base32.encode(Array(row.key.bytes.dropFirst())) == name else {
                continue
            }
            let schema = try AnonymousParameters(decoding: kept.parameters.bytes).schema
            let end = schema.end(ofEpoch: try AnonymousCredential.decode(kept.credential.bytes).epoch)
            if end > found?.end ?? 0 { found = (row.key, kept, end) }
        }
        guard let found else {
            throw NodeError.badData(
                "no anonymous credential is called \"\(name)\"; `handfast anonymous list` shows them")
        }
        guard found.end > now else {
            throw NodeError.badData(
                "\"\(name)\" has ended; ask its issuer for a new one with `handfast anonymous request`")
        }
        return (found.key, found.kept)
    }
}
