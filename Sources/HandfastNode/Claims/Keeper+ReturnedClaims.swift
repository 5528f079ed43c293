internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    /// Rebuilds what the vault keeps of requests for claims from an own record that came back.
    func restoreClaims(from entry: Entry, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        switch entry.record.type {
        case .claimRequest:
            guard let request = try entry.body(as: ClaimRequest.self) else { return }
            try await restore(request, of: entry, in: relationship, draft)
        case .claimPresentation:
            guard let presentation = try entry.body(as: ClaimPresentation.self) else { return }
            try await restore(presentation, of: entry, in: relationship, draft)
        case .claimResult:
            guard let result = try entry.body(as: ClaimResult.self) else { return }
            try await restore(result, of: entry, in: relationship, draft)
        default: return
        }
    }

    /// Takes back what the vault keeps of an own record that became void.
    func voidClaims(of entry: Entry, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let (id, role, number) = (relationship.id, relationship.kept.relationship.role, entry.record.sequence)
        switch entry.record.type {
        case .claimRequest:
            try removeWalletRow(at: .request(.request, id, role, number), in: relationship, draft)
            try removeWalletRow(at: .request(.answer, id, role, number), in: relationship, draft)
        case .claimPresentation:
            guard let presentation = try entry.body(as: ClaimPresentation.self) else { return }
            let key = WalletKey.request(.answer, id, role.other, presentation.request)
            guard var row = try await walletRow(KeptClaimRequest.self, key), row.answer == number else { return }
            // The other side has no answer: the request is as open as it was.
            row = KeptClaimRequest(request: row.request, asked: row.asked, stage: .open)
            try removeWalletRow(at: key, in: relationship, draft)
            try keep(row, at: .request(.request, id, role.other, presentation.request), in: relationship, draft)
        default: return
        }
    }

    private func restore(
        _ request: ClaimRequest, of entry: Entry, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let (id, role, number) = (relationship.id, relationship.kept.relationship.role, entry.record.sequence)
        guard try await claimRow(number, from: role, in: relationship) == nil else { return }
        try keep(
            KeptClaimRequest(request: request, asked: entry.record.time.seconds, stage: .open),
            at: .request(.request, id, role, number), in: relationship, draft)
    }

    /// What was shown is read from the presentation itself, as the other side has read it.
    private func restore(
        _ presentation: ClaimPresentation, of entry: Entry, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let own = relationship.kept.relationship
        let open = WalletKey.request(.request, relationship.id, own.role.other, presentation.request)
        guard var row = try await walletRow(KeptClaimRequest.self, open), let audience = own.peerLog?.id else { return }
        row.answer = entry.record.sequence
        row.answered = entry.record.time.seconds
        row.stage = presentation.isRefusal ? .refused : .presented
        row.reason = presentation.reason
        if !presentation.isRefusal {
            let verifier = ClaimVerifier(
                audience: audience, peer: own.ownLog.id, peerKey: own.ownKey(at: entry.record.sequence),
                issuers: try await knownIssuers(at: draft.now), now: entry.record.time.seconds)
            let verdict = verifier.judge(presentation, to: row.request, asked: row.asked)
            row.shown = presentation.presentations.compactMap { presented in
                guard row.request.credentials.indices.contains(presented.query) else { return nil }
                let shown = verdict.shown.first { $0.query == presented.query }
                return shown.map(KeptClaimRequest.Shown.init)
                    ?? KeptClaimRequest.Shown(unread: row.request.credentials[presented.query])
            }
            try await restoreCopies(verdict.shown, in: relationship, draft)
        }
        try removeWalletRow(at: open, in: relationship, draft)
        try keep(
            row, at: .request(.answer, relationship.id, own.role.other, presentation.request), in: relationship, draft)
    }

    /// Gives the relationship the copies that it has seen; nobody else sees them.
    private func restoreCopies(
        _ shown: [ShownCredential], in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        for credential in try await wallet().credentials {
            for (number, copy) in credential.copies.enumerated() {
                guard copy.relationship == nil,
                    shown.contains(where: { $0.credential.holderKey == .ed25519(copy.holderKey) })
                else { continue }
                let key = WalletKey.copy(number, of: credential.id)
                guard var kept = try await walletRow(KeptCopy.self, key) else { continue }
                kept.relationship = relationship.id.digest.array
                try keep(kept, at: key, in: relationship, draft)
            }
        }
    }

    /// What was told the other side stands; what was shown is judged as it was at that time.
    private func restore(
        _ result: ClaimResult, of entry: Entry, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let own = relationship.kept.relationship
        guard let found = try await claimRow(result.request, from: own.role, in: relationship) else { return }
        var row = found
        if row.answer == nil { row.answer = result.presentation }
        guard row.answer == result.presentation else { return }
        row.stage = result.isAccepted ? .accepted : .rejected
        row.checks = result.checks
        row.awaits = nil
        row.reason = nil
        let answer = try await entries(of: relationship, own.role.other, numbers: [result.presentation])
        if let shown = answer[result.presentation], let presentation = try shown.body(as: ClaimPresentation.self),
            let peer = own.peerLog?.id, let peerKey = own.peerKey(at: result.presentation)
        {
            let verifier = ClaimVerifier(
                audience: own.ownLog.id, peer: peer, peerKey: peerKey, issuers: try await knownIssuers(at: draft.now),
                now: entry.record.time.seconds)
            let verdict = verifier.judge(presentation, to: row.request, asked: row.asked)
            row.answered = row.answered ?? shown.record.time.seconds
            row.shown = result.isAccepted ? verdict.shown.map(KeptClaimRequest.Shown.init) : []
            if !verdict.refused.isEmpty {
                row.refused = verdict.refused.map { KeptClaimRequest.Refused($0, of: row.request) }
            }
        }
        waitingAnswers.remove(.request(.request, relationship.id, own.role, result.request))
        try close(row, result.request, in: relationship, draft)
    }

    /// The row of a request, answered or not.
    private func claimRow(
        _ number: UInt64, from sender: SenderRole, in relationship: LoadedRelationship
    ) async throws -> KeptClaimRequest? {
        for table in [WalletTable.request, .answer] {
            let key = WalletKey.request(table, relationship.id, sender, number)
            if let row = try await walletRow(KeptClaimRequest.self, key) { return row }
        }
        return nil
    }

    /// The issuers whose word is taken; none where their file cannot be read, which is no reason to lose a record.
    private func knownIssuers(at now: Timestamp) async throws(NodeError) -> [TrustedIssuer] {
        let found: Result<[TrustedIssuer], NodeError>
        do {
            found = .success(try await trustedIssuers(at: now))
        } catch {
            found = .failure(error)
        }
        switch found {
        case .failure(.file), .failure(.malformedFile): return []
        case .success, .failure: return try found.get()
        }
    }
}

extension KeptClaimRequest.Shown {
    /// What a presentation showed that cannot be read any more, since its issuer is not trusted now.
    fileprivate init(unread query: CredentialQuery) {
        self.init(
            type: query.type, issuer: "an issuer that is not trusted here now",
            claims: query.claims.map { claim in
                LearnedClaim(
                    claim: claim.path.text, value: claim.value.map { $0.item.jsonText } ?? "not known any more")
            })
    }
}
