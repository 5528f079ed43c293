public import HandfastChannel
internal import HandfastClaims
public import HandfastCrypto

/// Checks what was presented in answer to queries.
///
/// - Source: Spec/10 §10.9
public struct ClaimVerifier: Sendable {
    /// For whom presentations must be made: in a relationship the own pairwise identity.
    public let audience: String
    /// Whose word is taken.
    public let issuers: [TrustedIssuer]
    /// The time, in seconds since 1970.
    public let now: UInt64
    /// The other side, whose own word may be enough; nil where nobody knows who presents.
    private let holder: (name: String, key: VerificationKey)?

    /// A verifier in one relationship, at one moment.
    ///
    /// - Parameters:
    ///   - audience: the own pairwise identity.
    ///   - peer: the other side's.
    ///   - peerKey: its key in force at the record of the presentation.
    public init(
        audience: IdentityID, peer: IdentityID, peerKey: VerificationKey, issuers: [TrustedIssuer], now: UInt64
    ) {
        self.audience = audience.description
        self.issuers = issuers
        self.now = now
        holder = (peer.description, peerKey)
    }

    /// A verifier outside of relationships, where nobody's own word counts.
    public init(audience: String, issuers: [TrustedIssuer], now: UInt64) {
        self.audience = audience
        self.issuers = issuers
        self.now = now
        holder = nil
    }

    private struct Refusal: Error {
        let check: ClaimCheck.Name
        let reason: String
        /// What the issuer has taken back.
        var refused: RefusedCredential?
        /// An issuer without the key that is named.
        var issuerOfUnknownKey: String?
    }

    /// Checks every query of a request.
    ///
    /// - Parameter asked: when the request was signed, in seconds since 1970; no holder can have answered before.
    public func judge(
        _ presentation: ClaimPresentation, to request: ClaimRequest, asked: UInt64
    ) -> ClaimVerdict {
        judge(
            presentation.presentations, to: request.credentials, nonce: VerifierNonce(request.nonce.array),
            maximumAge: request.maximumAge, asked: asked)
    }

    /// Checks every query of several.
    ///
    /// - Parameters:
    ///   - maximumAge: the most seconds since a credential was issued; nil where that does not matter.
    ///   - asked: when the nonce was made, in seconds since 1970; no holder can have answered before.
    public func judge(
        _ presentations: [PresentedCredential], to queries: [CredentialQuery], nonce: VerifierNonce,
        maximumAge: UInt64? = nil, asked: UInt64
    ) -> ClaimVerdict {
        var verdict = ClaimVerdict()
        for (place, query) in queries.enumerated() {
            do throws(Refusal) {
                guard let presented = presentations.first(where: { $0.query == place }) else {
                    throw Refusal(check: .form, reason: "nothing was presented for it")
                }
                let credential = try verify(presented, query, nonce, maximumAge: maximumAge, asked: asked)
                verdict.shown.append(credential)
                verdict.checks += ClaimCheck.Name.allCases.map { name in
                    let isAbsent =
                        name == .status && credential.credential.status == nil
                        || name == .issuer && credential.isOwnWord
                    return ClaimCheck(query: place, check: name, outcome: isAbsent ? .absent : .held)
                }
            } catch {
                verdict.checks += ClaimCheck.failing(error.check, of: place, because: error.reason)
                if let refused = error.refused { verdict.refused.append(refused) }
                if let issuer = error.issuerOfUnknownKey { verdict.issuersOfUnknownKeys.insert(issuer) }
            }
        }
        return verdict
    }

    private func verify(
        _ presented: PresentedCredential, _ query: CredentialQuery, _ nonce: VerifierNonce, maximumAge: UInt64?,
        asked: UInt64
    ) throws(Refusal) -> ShownCredential {
        let own = holder.map { TrustedIssuer(issuer: $0.name, keys: [IssuerKey(.ed25519($0.key))]) }
        let credential: VerifiedCredential
        var unknown: String?
        do {
            // The nonce is of this request: what answers it was signed since, however long it was on its way.
            credential = try HeldCredential.verify(
                presented.presentation, as: presented.format, for: audience, nonce: nonce, now: now,
                maximumAge: now - min(now, asked), by: issuers + (own.map { [$0] } ?? []), unknown: &unknown)
        } catch {
            throw Refusal(check: error.check, reason: error.reason, issuerOfUnknownKey: unknown)
        }
        guard credential.type?.utf8.elementsEqual(query.type.utf8) == true else {
            throw Refusal(check: .type, reason: "it is of another type")
        }
        let isOwnWord = holder.map { credential.issuer.utf8.elementsEqual($0.name.utf8) } ?? false
        try checkIssuer(of: credential, query, isOwnWord: isOwnWord)
        if let age = maximumAge, (credential.issuedAt ?? 0) < now - min(now, age) {
            throw Refusal(check: .time, reason: "it was issued longer ago than was asked for")
        }
        let statusIssuedAt = try checkStatus(of: credential, presented)
        guard HeldClaims(claims: credential.claims, redacted: []).satisfies(query.claims) else {
            throw Refusal(check: .query, reason: "a claim that was asked for is missing, or is not what it has to be")
        }
        return ShownCredential(
            query: presented.query, credential: credential, isOwnWord: isOwnWord, statusIssuedAt: statusIssuedAt)
    }

    private func checkIssuer(
        of credential: VerifiedCredential, _ query: CredentialQuery, isOwnWord: Bool
    ) throws(Refusal) {
        if isOwnWord {
            guard query.selfAsserted == true else {
                throw Refusal(check: .issuer, reason: "the holder's own word is not enough")
            }
            guard let holder, credential.holderKey == .ed25519(holder.key) else {
                throw Refusal(check: .holder, reason: "the holder's own word is bound to another key")
            }
            return
        }
        let isTrusted = issuers.contains {
            $0.issuer.utf8.elementsEqual(credential.issuer.utf8) && $0.vouches(for: query.type)
        }
        guard isTrusted else { throw Refusal(check: .issuer, reason: "its issuer is not trusted for its type") }
        guard query.issuers?.contains(where: { $0.utf8.elementsEqual(credential.issuer.utf8) }) != false else {
            throw Refusal(check: .issuer, reason: "its issuer is none of those that were named")
        }
    }

    /// - Returns: When the token was issued that says so; nil for what has no status.
    private func checkStatus(
        of credential: VerifiedCredential, _ presented: PresentedCredential
    ) throws(Refusal) -> UInt64? {
        guard let reference = credential.status else { return nil }
        guard let bytes = presented.statusToken else {
            throw Refusal(check: .status, reason: "no token of its status list came with it")
        }
        // The list is the issuer's: who vouches for the credential vouches for its status.
        let keys = issuers.keys(of: credential.issuer)
        let (token, status): (StatusListToken, CredentialStatus)
        do {
            token = try StatusListToken(verifying: bytes, uri: reference.uri, issuerKeys: keys)
            try StatusPolicy().check(token, from: .stapled, now: now)
            status = try token.status(of: reference)
        } catch {
            throw Refusal(
                check: .status, reason: "its status is not known: \(error)".asReason,
                issuerOfUnknownKey: error == .token(.unknownIssuerKey) ? credential.issuer : nil)
        }
        guard status == .valid else {
            throw Refusal(
                check: .status, reason: status.refusal,
                refused: RefusedCredential(
                    query: presented.query, issuer: credential.issuer, reference: reference, status: status,
                    time: token.issuedAt))
        }
        return token.issuedAt
    }
}

extension CredentialError {
    /// Which of the checks it is that did not hold.
    var check: ClaimCheck.Name {
        switch self {
        case .unknownIssuerKey: .issuer
        case .invalidSignature(in: .credential), .unsupportedAlgorithm(in: .credential),
            .wrongAlgorithm(_, in: .credential), .unsupportedHash, .duplicateDigest, .unreferencedDisclosure,
            .misplacedDisclosure, .undisclosedDigest, .claimExists, .notRedactable:
            .signature
        case .invalidSignature, .unsupportedAlgorithm, .wrongAlgorithm, .unsupportedKey, .invalidKey, .privateKey,
            .missingHolderKey, .missingKeyBinding, .wrongBinding, .wrongHolderKey:
            .holder
        case .expired, .notYetValid, .issuedInFuture, .contradictoryTimes, .keyBindingTooOld: .time
        case .wrongAudience, .wrongCredentialAudience: .audience
        case .wrongNonce: .nonce
        default: .form
        }
    }

    /// Why, in words that fit the result.
    var reason: String { description.asReason }
}

extension String {
    /// The words, shortened to what a result may hold.
    fileprivate var asReason: String {
        let words = String(prefix(ClaimLimits.reason / 4))
        return TextRule.fault(in: words, named: "", maximum: ClaimLimits.reason) == nil ? words : "it cannot be read"
    }
}
