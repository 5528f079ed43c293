internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    // MARK: Rows

    /// A row of the wallet as this batch leaves it, or `nil`.
    func walletRow<T: Decodable>(_ type: T.Type, _ key: WalletKey) async throws(NodeError) -> T? {
        let bytes: [UInt8]?
        if let row = uncommitted.wallet[key] {
            bytes = row.bytes
        } else {
            do {
                bytes = try await store.walletRow(key)?.bytes
            } catch {
                throw .store(error)
            }
        }
        guard let bytes else { return nil }
        return try Row.decode(type, bytes)
    }

    /// The rows of a table that are stored.
    nonisolated func walletRows(_ table: WalletTable) async throws(NodeError) -> [StoredWalletRow] {
        try await Steward.pages({ after, limit throws(StoreError) in
            try await self.store.walletRows(table, after: after, limit: limit)
        }) { $0.position }
    }

    /// Stores a row of the wallet with a relationship's change, or with none; nil removes it.
    func keep(
        _ value: (some Encodable)?, at key: WalletKey, in relationship: LoadedRelationship? = nil, _ draft: Draft
    ) throws(NodeError) {
        var row = WalletRow(key: key, bytes: nil)
        if let value { row.bytes = try Row.encode(value) }
        draft.earlierWallet.append((key, uncommitted.wallet[key]))
        uncommitted.wallet[key] = row
        if let relationship {
            draft.touch(relationship)
            draft.add(relationship.id) { $0.wallet.append(row) }
        } else {
            draft.general.wallet.append(row)
        }
    }

    /// Removes a row of the wallet.
    func removeWalletRow(
        at key: WalletKey, in relationship: LoadedRelationship? = nil, _ draft: Draft
    ) throws(NodeError) {
        try keep(Optional<UInt64>.none, at: key, in: relationship, draft)
    }

    // MARK: Credentials

    /// All credentials of the wallet.
    func wallet() async throws(NodeError) -> Wallet {
        var wallet = Wallet()
        for row in try await walletRows(.credential) {
            if let credential = try await credential(row.key) { wallet.credentials.append(credential) }
        }
        return wallet
    }

    /// A credential of the wallet, or `nil`.
    func credential(_ key: WalletKey) async throws(NodeError) -> WalletCredential? {
        guard let kept = try await walletRow(KeptCredential.self, key) else { return nil }
        do {
            let id = CredentialID(try FixedBytes(copying: key.bytes))
            var copies: [WalletCredential.Copy] = []
            for number in 0..<kept.count {
                guard let copy = try await walletRow(KeptCopy.self, .copy(number, of: id)) else {
                    throw NodeError.damaged("credential \(id) has lost copy \(number)")
                }
                copies.append(try WalletCredential.Copy(copy))
            }
            return WalletCredential(
                id: id, label: kept.label, created: Timestamp(seconds: kept.created),
                content: try kept.content.map { try WalletCredential.Content($0) }, copies: copies)
        } catch {
            throw NodeError(error)
        }
    }

    /// Makes the holder keys of a new credential, one for each copy.
    func makeCredential(_ label: String, count: Int) async throws(NodeError) -> CredentialID {
        try await perform { keeper, draft in
            let id = CredentialID.random(using: &keeper.entropy)
            try keeper.keep(
                KeptCredential(label: label, created: draft.now.seconds, count: count), at: .credential(id), draft)
            for number in 0..<count {
                let key = SigningKey.generate(using: &keeper.entropy)
                let seed = FixedBytes<32>(key.seed, at: 0).array
                try keeper.keep(
                    KeptCopy(seed: seed, key: key.publicKey.array), at: .copy(number, of: id), draft)
            }
            return id
        }
    }

    /// Takes copies that an issuer has issued for keys of this wallet, all or none.
    ///
    /// - Returns: The credentials that they are copies of.
    func importCopies(
        _ copies: [(bytes: [UInt8], format: VerifiedCredential.Format)]
    ) async throws(NodeError) -> [CredentialID] {
        try await perform { keeper, draft in
            let issuers = try await keeper.trustedIssuers(at: draft.now)
            var wallet = try await keeper.wallet()
            var changed: [CredentialID] = []
            for copy in copies {
                let held = try HeldCredential(decoding: copy.bytes, as: copy.format)
                let says = try held.verified(by: issuers, at: draft.now.seconds)
                guard case .ed25519(let key) = says.holderKey,
                    let index = wallet.credentials.firstIndex(where: { credential in
                        credential.copies.contains { $0.holderKey == key }
                    })
                else { throw NodeError(WalletError.unknownHolderKey) }
                guard let type = says.type else { throw NodeError.badData("the credential names no type (vct)") }
                let content = WalletCredential.Content(
                    format: says.format, issuer: says.issuer, type: type,
                    claims: HeldClaims(claims: says.claims, redacted: says.disclosed))
                let number = try wallet.credentials[index].take(
                    content, holderKey: key, issuedAt: says.issuedAt, expires: says.expires)
                let id = wallet.credentials[index].id
                guard var kept = try await keeper.walletRow(KeptCopy.self, .copy(number, of: id)),
                    var row = try await keeper.walletRow(KeptCredential.self, .credential(id))
                else { throw NodeError.damaged("credential \(id) has lost copy \(number)") }
                kept.credential = copy.bytes
                kept.issuedAt = says.issuedAt
                kept.expires = says.expires
                kept.statusURI = says.status?.uri
                kept.statusIndex = says.status?.index
                if let status = says.status {
                    kept.revoked = try await keeper.statusToken(status.uri, issuers.keys(of: says.issuer))?
                        .revocation(of: status)
                }
                try keeper.keep(kept, at: .copy(number, of: id), draft)
                if row.content == nil {
                    row.content = KeptCredential.Content(
                        format: content.format, issuer: content.issuer, type: content.type,
                        claims: try CBORValue.map(says.claims).encoded(),
                        redacted: content.claims.redacted.sorted { $0.text < $1.text })
                    try keeper.keep(row, at: .credential(id), draft)
                }
                if !changed.contains(id) { changed.append(id) }
            }
            return changed
        }
    }

    // MARK: Status lists

    /// Keeps the token of a status list in which credentials of the wallet stand, to be shown with them.
    ///
    /// - Throws: ``NodeError/credential(_:)`` with ``CredentialError/unknownIssuerKey`` where that is all that is wrong,
    ///   ``NodeError/badData(_:)``
    func importStatusToken(_ bytes: [UInt8]) async throws(NodeError) {
        try await perform { keeper, draft in
            let trusted = try await keeper.trustedIssuers(at: draft.now)
            var (isKept, lacksKey) = (false, false)
            for credential in try await keeper.wallet().credentials {
                guard let issuer = credential.content?.issuer else { continue }
                for uri in Set(credential.copies.compactMap { $0.status?.uri }).sorted() {
                    let keys = trusted.keys(of: issuer)
                    switch Self.verified(bytes, of: uri, by: keys) {
                    case .success(let token):
                        try await keeper.keep(token, bytes, of: issuer, draft)
                        isKept = true
                    case .failure(.token(.unknownIssuerKey)): lacksKey = true
                    case .failure: continue
                    }
                }
            }
            if isKept { return }
            if lacksKey { throw NodeError.credential(.unknownIssuerKey) }
            throw NodeError.badData(
                "no credential of the wallet stands in this status list, or its issuer has not signed it")
        }
    }

    private static func verified(
        _ bytes: [UInt8], of uri: String, by keys: [IssuerKey]
    ) -> Result<StatusListToken, StatusListError> {
        do {
            return .success(try StatusListToken(verifying: bytes, uri: uri, issuerKeys: keys))
        } catch {
            return .failure(error)
        }
    }

    /// The token of a status list that is kept, or `nil`.
    func statusToken(_ uri: String, _ keys: [IssuerKey]) async throws(NodeError) -> StatusListToken? {
        guard let bytes = try await walletRow([UInt8].self, .status(uri)) else { return nil }
        return try? StatusListToken(verifying: bytes, uri: uri, issuerKeys: keys)
    }

    /// Keeps a token that was verified, and notes what it says of copies in the wallet.
    func keep(
        _ token: StatusListToken, _ bytes: [UInt8], of issuer: String, _ draft: Draft
    ) async throws(NodeError) {
        try keep(bytes, at: .status(token.uri), draft)
        for credential in try await wallet().credentials where credential.content?.issuer == issuer {
            var changed = 0
            for (number, copy) in credential.copies.enumerated() {
                guard let status = copy.status, status.uri == token.uri else { continue }
                let key = WalletKey.copy(number, of: credential.id)
                guard var kept = try await walletRow(KeptCopy.self, key) else { continue }
                let revocation = token.revocation(of: status)
                // That it was revoked is known since the first list that said so.
                guard revocation?.status != kept.revoked?.status else { continue }
                kept.revoked = revocation
                try keep(kept, at: key, draft)
                changed += 1
            }
            guard changed > 0 else { continue }
            draft.event(
                .credentialStatus,
                .init(
                    name: credential.label,
                    reason: "its issuer says something new of \(changed) of \(credential.copies.count) copies"))
        }
    }

    /// Gives no free copy away any more, because this vault was taken back to an older state.
    func retireFreeCopies() async throws(NodeError) {
        try await perform { keeper, draft in
            for var credential in try await keeper.wallet().credentials {
                for number in credential.retireFreeCopies() {
                    let key = WalletKey.copy(number, of: credential.id)
                    guard var kept = try await keeper.walletRow(KeptCopy.self, key) else { continue }
                    kept.isRetired = true
                    try keeper.keep(kept, at: key, draft)
                }
            }
        }
    }

    // MARK: Rules

    /// The rules by which requests are answered.
    func policy() async throws(NodeError) -> ClaimPolicy {
        do {
            return ClaimPolicy(
                try await walletRows(.rule).map { try Row.decode(KeptClaimRule.self, $0.bytes).rule() })
        } catch {
            throw NodeError(error)
        }
    }
}

extension StatusListToken {
    /// What it says of a credential, where that is not that it is valid.
    fileprivate func revocation(of reference: StatusReference) -> KeptCopy.Revocation? {
        guard let status = try? status(of: reference), status != .valid else { return nil }
        return KeptCopy.Revocation(status: status.value, time: issuedAt)
    }
}

extension WalletCredential.Copy {
    init(_ kept: KeptCopy) throws {
        let status = kept.statusURI.flatMap { uri in
            kept.statusIndex.map { StatusReference(uri: uri, index: $0) }
        }
        self.init(
            holderKey: try VerificationKey(kept.key.bytes), isIssued: kept.credential != nil, issuedAt: kept.issuedAt,
            expires: kept.expires,
            relationship: try kept.relationship.map { RelationshipID(try Digest($0.bytes)) },
            isRetired: kept.isRetired, status: status,
            revocation: kept.revoked.flatMap { revoked in
                status?.revoked(CredentialStatus(revoked.status), at: Timestamp(seconds: revoked.time))
            })
    }
}

extension WalletCredential.Content {
    init(_ kept: KeptCredential.Content) throws {
        guard case .map(let claims) = try CBORValue(decoding: kept.claims) else {
            throw NodeError.damaged("the claims of a credential cannot be read")
        }
        self.init(
            format: kept.format, issuer: kept.issuer, type: kept.type,
            claims: HeldClaims(claims: claims, redacted: kept.redacted))
    }
}
