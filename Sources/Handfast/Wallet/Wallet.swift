public import HandfastChannel
public import HandfastClaims

/// What is to be shown for one query of a request.
public struct PlannedPresentation: Hashable, Sendable {
    /// Who vouches for what is shown.
    public enum Source: Hashable, Sendable {
        /// The issuer of this credential.
        case credential(CredentialID, copy: Int)
        /// Nobody but the holder.
        case ownWord
    }

    /// Which of the request's credentials, from 0.
    public let query: Int
    /// Who vouches for it.
    public let source: Source
    /// The issuer, as it names itself; nil for the holder's own word.
    public let issuer: String?
    /// The claims that are disclosed.
    public let disclosing: [ClaimPath]
    /// Everything that the other side will learn.
    public let learned: [LearnedClaim]
}

/// The credentials of a holder, and the choice among them.
///
/// - Source: Spec/10 §10.11
public struct Wallet: Hashable, Sendable {
    /// The credentials, the oldest first.
    public var credentials: [WalletCredential]

    /// A wallet of these credentials.
    public init(_ credentials: [WalletCredential] = []) {
        self.credentials = credentials
    }

    /// What would be shown in answer to a request: for each query the credential that this relationship has seen
    /// already, or else the latest one. Nothing changes.
    ///
    /// - Parameter ownWords: what the holder says of itself, by query, where that is enough.
    /// - Throws: ``WalletError/noCredential(query:)``, ``WalletError/noFreeCopy``, ``WalletError/revoked(query:_:)``
    public func plan(
        _ request: ClaimRequest, for relationship: RelationshipID, at now: Timestamp,
        ownWords: [Int: HeldClaims] = [:]
    ) throws(WalletError) -> [PlannedPresentation] {
        var plan: [PlannedPresentation] = []
        for (place, query) in request.credentials.enumerated() {
            if query.selfAsserted == true, let words = ownWords[place], words.satisfies(query.claims) {
                let disclosing = words.disclosing(query.claims)
                plan.append(
                    PlannedPresentation(
                        query: place, source: .ownWord, issuer: nil, disclosing: disclosing,
                        learned: words.learned(disclosing: disclosing)))
                continue
            }
            plan.append(try choose(query, place, maximumAge: request.maximumAge, for: relationship, at: now))
        }
        return plan
    }

    private func choose(
        _ query: CredentialQuery, _ place: Int, maximumAge: UInt64?, for relationship: RelationshipID,
        at now: Timestamp
    ) throws(WalletError) -> PlannedPresentation {
        var hasNoCopy = false
        var revocation: Revoked?
        var choice: (credential: WalletCredential, content: WalletCredential.Content, copy: Int)?
        for credential in credentials {
            guard let content = credential.content, content.answers(query) else { continue }
            guard let number = credential.number(for: relationship, at: now) else {
                hasNoCopy = true
                revocation = credential.revocation(for: relationship) ?? revocation
                continue
            }
            let copy = credential.copies[number]
            if let maximumAge, (copy.issuedAt ?? 0) < now.seconds - min(now.seconds, maximumAge) { continue }
            let isKnown = copy.relationship == relationship
            if let choice, choice.credential.copies[choice.copy].relationship == relationship, !isKnown { continue }
            choice = (credential, content, number)
        }
        guard let choice else {
            if let revocation { throw .revoked(query: place, revocation.kind) }
            throw hasNoCopy ? .noFreeCopy : .noCredential(query: place)
        }
        let disclosing = choice.content.claims.disclosing(query.claims)
        return PlannedPresentation(
            query: place, source: .credential(choice.credential.id, copy: choice.copy),
            issuer: choice.content.issuer, disclosing: disclosing,
            learned: choice.content.claims.learned(disclosing: disclosing))
    }

    /// Makes the copies of a plan the relationship's, for ever; what was free when it was planned may be another's now.
    ///
    /// - Throws: ``WalletError/noFreeCopy``; nothing has changed then.
    public mutating func reserve(
        _ plan: [PlannedPresentation], for relationship: RelationshipID, at now: Timestamp
    ) throws(WalletError) {
        var changed = credentials
        for planned in plan {
            guard case .credential(let id, let copy) = planned.source else { continue }
            guard let index = changed.firstIndex(where: { $0.id == id }),
                try changed[index].copy(for: relationship, at: now) == copy
            else { throw .noFreeCopy }
        }
        credentials = changed
    }
}

extension WalletCredential.Content {
    /// Whether it is what a query asks for.
    func answers(_ query: CredentialQuery) -> Bool {
        type == query.type && query.issuers?.contains(issuer) != false && claims.satisfies(query.claims)
    }
}
