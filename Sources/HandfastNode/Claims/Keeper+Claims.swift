internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    // MARK: Asking

    /// Asks the peer for claims.
    func ask(_ request: ClaimRequest, of id: RelationshipID) async throws(NodeError) -> UInt64 {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            try keeper.checkDelivery(of: relationship)
            var copy = relationship.kept.relationship
            let entry = try copy.append(
                request, at: draft.now, with: relationship.identity, using: &keeper.entropy)
            draft.touch(relationship)
            relationship.kept.relationship = copy
            let number = entry.record.sequence
            try keeper.keep(
                KeptClaimRequest(request: request, asked: draft.now.seconds, stage: .open),
                at: .request(.request, id, copy.role, number), in: relationship, draft)
            try keeper.publish([entry], of: relationship, draft)
            return number
        }
    }

    // MARK: Receiving

    /// Decides on a request of the peer.
    func receive(_ request: ClaimRequest, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let id = relationship.id
        let number = relationship.kept.relationship.peerHead.sequence
        let asked = relationship.uncommittedPeer(number)?.record.time ?? draft.now
        var row = KeptClaimRequest(request: request, asked: asked.seconds, stage: .open)
        let key = WalletKey.request(.request, id, relationship.kept.relationship.role.other, number)
        var decision = try await policy().decision(on: request, from: id)
        if !canAnswer(in: relationship) { decision = .ask }
        switch decision {
        case .refuse:
            try refuse(row, number, reason: nil, in: relationship, draft)
        case .answer:
            do {
                let plan = try await wallet().plan(request, for: id, at: draft.now)
                try await present(row, number, plan, in: relationship, draft)
            } catch let error as WalletError {
                row.reason = error.description
                try wait(row, at: key, number, in: relationship, draft)
            }
        case .ask:
            try wait(row, at: key, number, in: relationship, draft)
        }
    }

    private func wait(
        _ row: KeptClaimRequest, at key: WalletKey, _ number: UInt64, in relationship: LoadedRelationship,
        _ draft: Draft
    ) throws {
        try keep(row, at: key, in: relationship, draft)
        draft.event(
            .claimRequested, of: relationship.id,
            .init(sequence: number, text: row.request.purpose, reason: row.reason))
    }

    /// Whether records can be signed and sent.
    private func canAnswer(in relationship: LoadedRelationship) -> Bool {
        let kept = relationship.kept
        return kept.stop == nil && !kept.isRejoining && relationship.channel != nil
            && (kept.relationship.state == .welcomed || kept.relationship.state == .live)
    }

    /// Takes the peer's answer to a request of ours.
    func receive(
        _ presentation: ClaimPresentation, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let own = relationship.kept.relationship
        let key = WalletKey.request(.request, relationship.id, own.role, presentation.request)
        guard var row = try await walletRow(KeptClaimRequest.self, key), row.stage == .open else { return }
        row.answer = own.peerHead.sequence
        row.answered = draft.now.seconds
        guard presentation.isRefusal else {
            if relationship.kept.isRejoining {
                // What we told the other side comes back, or can be told once all has come back.
                let reason = "own records are still to come back"
                return try wait(row, presentation.request, for: [], because: reason, in: relationship, draft)
            }
            return try await judge(presentation, row, mayWait: true, in: relationship, draft)
        }
        row.stage = .refused
        row.reason = presentation.reason
        try close(row, presentation.request, in: relationship, draft)
        draft.event(
            .claimRefused, of: relationship.id, .init(sequence: presentation.request, reason: row.reason))
    }

    /// Checks what the peer has presented, and tells it what came of it.
    ///
    /// - Parameter mayWait: whether an issuer may be asked first for a key that is not known.
    private func judge(
        _ presentation: ClaimPresentation, _ row: KeptClaimRequest, mayWait: Bool,
        in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let (id, own) = (relationship.id, relationship.kept.relationship)
        guard let number = row.answer, let peerLog = own.peerLog, let peerKey = own.peerKey(at: number) else { return }
        let found: Result<[TrustedIssuer], NodeError>
        do {
            found = .success(try await trustedIssuers(at: draft.now))
        } catch {
            found = .failure(error)
        }
        switch found {
        case .failure(.file(let path, let reason)), .failure(.malformedFile(let path, let reason)):
            // Who mends the file has what came meanwhile judged then.
            return try wait(row, presentation.request, for: [], because: "\(path): \(reason)", in: relationship, draft)
        case .success, .failure: break
        }
        let trusted = try found.get()
        let verifier = ClaimVerifier(
            audience: own.ownLog.id, peer: peerLog.id, peerKey: peerKey, issuers: trusted, now: draft.now.seconds)
        var verdict = verifier.judge(presentation, to: row.request, asked: row.asked)
        if mayWait {
            let asked = try await want(keysOf: verdict.issuersOfUnknownKeys, draft)
            if !asked.isEmpty {
                let reason = "\(asked.joined(separator: ", ")) is asked for a key that is not known yet"
                return try wait(row, presentation.request, for: asked, because: reason, in: relationship, draft)
            }
        }
        try await heed(presentation, &verdict, trusted, draft)
        let result = ClaimResult(request: presentation.request, presentation: number, checks: verdict.checks)
        var row = row
        row.stage = result.isAccepted ? .accepted : .rejected
        row.awaits = nil
        row.reason = nil
        row.checks = verdict.checks
        // Of a request that failed nothing is kept as learned.
        row.shown = result.isAccepted ? verdict.shown.map(KeptClaimRequest.Shown.init) : []
        row.refused =
            verdict.refused.isEmpty ? nil : verdict.refused.map { KeptClaimRequest.Refused($0, of: row.request) }
        if canAnswer(in: relationship) {
            let entry = try relationship.kept.relationship.append(
                result, at: draft.now, with: relationship.identity, using: &entropy)
            try publish([entry], of: relationship, draft)
        }
        try close(row, presentation.request, in: relationship, draft)
        let failure = result.failure
        draft.event(
            result.isAccepted ? .claimAccepted : .claimRejected, of: id,
            .init(sequence: presentation.request, reason: failure.map { "\($0.check): \($0.reason ?? "")" }))
    }

    /// Keeps an answer that cannot be judged yet.
    private func wait(
        _ row: KeptClaimRequest, _ request: UInt64, for issuers: [String], because reason: String,
        in relationship: LoadedRelationship, _ draft: Draft
    ) throws {
        var row = row
        row.stage = .presented
        row.awaits = issuers
        row.reason = reason
        let key = WalletKey.request(.request, relationship.id, relationship.kept.relationship.role, request)
        try keep(row, at: key, in: relationship, draft)
        waitingAnswers.insert(key)
    }

    /// Ends a request of ours.
    func close(
        _ row: KeptClaimRequest, _ number: UInt64, in relationship: LoadedRelationship, _ draft: Draft
    ) throws {
        let (id, role) = (relationship.id, relationship.kept.relationship.role)
        try removeWalletRow(at: .request(.request, id, role, number), in: relationship, draft)
        try keep(row, at: .request(.answer, id, role, number), in: relationship, draft)
    }

    /// Finds the answers that could not be judged when they came.
    func findWhatWaits() async throws(NodeError) {
        for row in try await walletRows(.request)
        where try Row.decode(KeptClaimRequest.self, row.bytes).awaits != nil {
            waitingAnswers.insert(row.key)
        }
    }

    /// Judges the answers whose issuers have been asked for their keys, whatever these said.
    func judgeWhatWaits() async throws(NodeError) {
        for key in waitingAnswers {
            let outcome: Result<Void, NodeError>
            do {
                outcome = .success(try await judgeWaiting(key))
            } catch {
                outcome = .failure(error)
            }
            // One that cannot be judged now keeps none of the others waiting.
            if case .failure = outcome { waitingAnswers.insert(key) }
            if case .failure(.store(let error)) = outcome { throw .store(error) }
        }
    }

    private func judgeWaiting(_ key: WalletKey) async throws(NodeError) {
        try await perform { keeper, draft in
            guard let row = try await keeper.walletRow(KeptClaimRequest.self, key), let issuers = row.awaits,
                let number = row.answer
            else {
                keeper.waitingAnswers.remove(key)
                return
            }
            guard try await !keeper.isAsking(issuers) else { return }
            let (id, _, request) = try key.place()
            let relationship = try await keeper.load(id)
            guard !relationship.kept.isRejoining else { return }
            let role = relationship.kept.relationship.role.other
            let entry = try await keeper.entries(of: relationship, role, numbers: [number])[number]
            let presentation = try entry?.body(as: ClaimPresentation.self) ?? ClaimPresentation(to: request, [])
            keeper.waitingAnswers.remove(key)
            try await keeper.judge(presentation, row, mayWait: false, in: relationship, draft)
        }
    }

    /// Holds what was shown against the latest token of each status list that has been seen here, and keeps the latest.
    private func heed(
        _ presentation: ClaimPresentation, _ verdict: inout ClaimVerdict, _ trusted: [TrustedIssuer], _ draft: Draft
    ) async throws {
        let shown = verdict.shown.compactMap { shown in
            shown.credential.status.map { (shown.query, shown.credential.issuer, $0.uri) }
        }
        let refused = verdict.refused.map { ($0.query, $0.issuer, $0.reference.uri) }
        for (query, issuer, uri) in shown + refused {
            let presented = presentation.presentations.first { $0.query == query }
            let keys = trusted.keys(of: issuer)
            guard let bytes = presented?.statusToken,
                let token = try? StatusListToken(verifying: bytes, uri: uri, issuerKeys: keys)
            else { continue }
            if let known = try await statusToken(uri, keys), known.issuedAt >= token.issuedAt {
                verdict.take(known)
            } else {
                try await keep(token, bytes, of: issuer, draft)
            }
        }
    }

    /// Takes what the peer says of what was presented to it.
    func receive(_ result: ClaimResult, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let id = relationship.id
        let key = WalletKey.request(.answer, id, relationship.kept.relationship.role.other, result.request)
        guard var row = try await walletRow(KeptClaimRequest.self, key), row.stage == .presented,
            row.answer == result.presentation
        else { return }
        row.stage = result.isAccepted ? .accepted : .rejected
        row.checks = result.checks
        try keep(row, at: key, in: relationship, draft)
        draft.event(
            result.isAccepted ? .claimAccepted : .claimRejected, of: id,
            .init(
                sequence: result.request, reason: result.failure.map { "\($0.check): \($0.reason ?? "")" }))
    }

    // MARK: Answering

    /// Shows what a request asks for.
    ///
    /// - Parameter ownWords: what the holder says of itself, where that is enough.
    func present(
        _ number: UInt64, in id: RelationshipID, ownWords: CBORMap
    ) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            try keeper.checkDelivery(of: relationship)
            let row = try await keeper.openRequest(number, in: relationship)
            let plan = try await keeper.wallet().plan(
                row.request, for: id, at: draft.now, ownWords: row.request.ownWords(ownWords))
            try await keeper.present(row, number, plan, ownWords: ownWords, in: relationship, draft)
        }
    }

    /// Refuses a request.
    func refuse(_ number: UInt64, in id: RelationshipID, reason: String?) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            try keeper.checkDelivery(of: relationship)
            let row = try await keeper.openRequest(number, in: relationship)
            try keeper.refuse(row, number, reason: reason, in: relationship, draft)
        }
    }

    private func openRequest(
        _ number: UInt64, in relationship: LoadedRelationship
    ) async throws(NodeError) -> KeptClaimRequest {
        let role = relationship.kept.relationship.role.other
        if let row = try await walletRow(
            KeptClaimRequest.self, .request(.request, relationship.id, role, number))
        {
            return row
        }
        if let row = try await walletRow(KeptClaimRequest.self, .request(.answer, relationship.id, role, number)) {
            throw .badData("request \(number) was answered already: \(row.stage.rawValue)")
        }
        throw .badData("there is no request \(number) of the other side; `handfast claim requests` shows them")
    }

    private func refuse(
        _ row: KeptClaimRequest, _ number: UInt64, reason: String?, in relationship: LoadedRelationship,
        _ draft: Draft
    ) throws {
        var row = row
        row.stage = .refused
        row.reason = reason
        try answer(ClaimPresentation(refusing: number, reason: reason), row, number, in: relationship, draft)
        draft.event(.claimRefused, of: relationship.id, .init(sequence: number, reason: reason))
    }

    private func present(
        _ row: KeptClaimRequest, _ number: UInt64, _ plan: [PlannedPresentation], ownWords: CBORMap = CBORMap(),
        in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        guard let audience = relationship.kept.relationship.peerLog?.id else {
            throw NodeError.unavailable("the other side has not answered yet")
        }
        let id = relationship.id
        var reserved = try await wallet()
        try reserved.reserve(plan, for: id, at: draft.now)
        var presentations: [PresentedCredential] = []
        var copies: [(WalletKey, KeptCopy)] = []
        for planned in plan {
            switch planned.source {
            case .credential(let credential, let number):
                let key = WalletKey.copy(number, of: credential)
                guard var copy = try await walletRow(KeptCopy.self, key), let bytes = copy.credential,
                    let format = reserved.credentials.first(where: { $0.id == credential })?.content?.format
                else { throw NodeError.damaged("credential \(credential) has lost copy \(number)") }
                copy.relationship = id.digest.array
                copies.append((key, copy))
                var token: [UInt8]?
                if let uri = copy.statusURI { token = try await walletRow([UInt8].self, .status(uri)) }
                let signer = try SigningKey(seed: SecretBytes(copying: copy.seed.bytes))
                let presentation = try HeldCredential(decoding: bytes, as: format).present(
                    disclosing: planned.disclosing, audience: audience.description,
                    nonce: row.request.nonce.array, issuedAt: draft.now.seconds, with: .ed25519(signer))
                presentations.append(
                    PresentedCredential(
                        query: planned.query, format: format, presentation: presentation, statusToken: token))
            case .ownWord:
                presentations.append(
                    try ownWord(planned, row.request, ownWords, for: audience, in: relationship, at: draft.now))
            }
        }
        var row = row
        row.stage = .presented
        row.shown = plan.map { planned in
            KeptClaimRequest.Shown(
                type: row.request.credentials[planned.query].type, issuer: planned.issuer, claims: planned.learned)
        }
        try answer(ClaimPresentation(to: number, presentations), row, number, in: relationship, draft)
        for (key, copy) in copies { try keep(copy, at: key, in: relationship, draft) }
        draft.event(.claimPresented, of: id, .init(sequence: number, text: row.request.purpose))
        for credential in reserved.credentials where credential.isRunningLow(at: draft.now) {
            let isUsed = plan.contains { if case .credential(credential.id, _) = $0.source { true } else { false } }
            guard isUsed else { continue }
            draft.event(
                .claimLow,
                .init(
                    name: credential.label,
                    reason: "\(credential.freeCount(at: draft.now)) of \(credential.copies.count) copies are free; "
                        + "`handfast credential request` makes keys for more"))
        }
    }

    /// Signs the answer and ends the request.
    private func answer(
        _ answer: ClaimPresentation, _ row: KeptClaimRequest, _ number: UInt64, in relationship: LoadedRelationship,
        _ draft: Draft
    ) throws {
        var copy = relationship.kept.relationship
        let entry = try copy.append(answer, at: draft.now, with: relationship.identity, using: &entropy)
        draft.touch(relationship)
        relationship.kept.relationship = copy
        try publish([entry], of: relationship, draft)
        var row = row
        row.answer = entry.record.sequence
        row.answered = draft.now.seconds
        try removeWalletRow(at: .request(.request, relationship.id, copy.role.other, number), in: relationship, draft)
        try keep(row, at: .request(.answer, relationship.id, copy.role.other, number), in: relationship, draft)
    }

    /// What the holder says of itself: a credential that its pairwise identity issues to itself for this once.
    private func ownWord(
        _ planned: PlannedPresentation, _ request: ClaimRequest, _ words: CBORMap, for audience: IdentityID,
        in relationship: LoadedRelationship, at now: Timestamp
    ) throws -> PresentedCredential {
        let query = request.credentials[planned.query]
        let own = relationship.kept.relationship.ownLog.id.description
        var content = CredentialContent(issuer: own, type: query.type, claims: words.only(query))
        content.subject = own
        content.issuedAt = now.seconds
        let seed = Self.signingSeed(of: relationship.identity)
        let key = CredentialSigningKey.ed25519(try SigningKey(seed: seed))
        let bytes = try SDCWT.issue(content, holder: key.publicKey, with: key, using: &entropy)
        let presentation = try SDCWT(decoding: bytes).present(
            disclosing: [], audience: audience.description, nonce: request.nonce.array, issuedAt: now.seconds,
            with: key)
        return PresentedCredential(query: planned.query, format: .sdCWT, presentation: presentation)
    }

    private static func signingSeed(of identity: borrowing Identity) -> SecretBytes {
        SecretBytes(copying: identity.signingKey.seed)
    }
}

extension ClaimRequest {
    /// What the holder says of itself, for each query for which that is enough: the claims that are asked for and no
    /// others.
    func ownWords(_ words: CBORMap) -> [Int: HeldClaims] {
        var result: [Int: HeldClaims] = [:]
        for (place, query) in credentials.enumerated() where query.selfAsserted == true {
            result[place] = HeldClaims(claims: words.only(query), redacted: [])
        }
        return result
    }
}

extension CBORMap {
    /// The entries under names that a query asks for.
    fileprivate func only(_ query: CredentialQuery) -> CBORMap {
        let names = Set(query.claims.compactMap { $0.path.steps.first })
        let kept = entries.filter { if case .text(let name) = $0.key { names.contains(.name(name)) } else { false } }
        // What was a map stays one with fewer keys.
        return (try? CBORMap(kept)) ?? CBORMap()
    }
}

extension KeptClaimRequest.Refused {
    /// What is kept of a credential that was refused.
    init(_ refused: RefusedCredential, of request: ClaimRequest) {
        self.init(
            type: request.credentials[refused.query].type, issuer: refused.issuer, uri: refused.reference.uri,
            index: refused.reference.index,
            revocation: KeptCopy.Revocation(status: refused.status.value, time: refused.time))
    }

    /// The same in the vocabulary of revocation.
    var revoked: Revoked? {
        StatusReference(uri: uri, index: index).revoked(
            CredentialStatus(revocation.status), at: Timestamp(seconds: revocation.time))
    }
}

extension KeptClaimRequest.Shown {
    /// What a verified credential says.
    init(_ shown: ShownCredential) {
        self.init(
            type: shown.credential.type ?? "", issuer: shown.isOwnWord ? nil : shown.credential.issuer,
            claims: HeldClaims(claims: shown.credential.claims, redacted: []).learned(disclosing: []))
    }
}
