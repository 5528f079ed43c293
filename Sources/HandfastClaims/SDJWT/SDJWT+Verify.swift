internal import HandfastCrypto
internal import HandfastEncoding

extension SDJWT {
    /// How far the clocks of two sides may differ unless a caller says otherwise, in seconds.
    public static let standardClockSkew: UInt64 = 60

    /// Finds the key of an issuer: by the issuer's name and, if the credential gives one, the key's name (`kid`) in
    /// UTF-8. Nil if the issuer or the key is not trusted.
    public typealias IssuerKeyLookup = (_ issuer: String, _ keyID: [UInt8]?) -> CredentialVerificationKey?

    /// Checks a presentation in every respect but the credential's status.
    /// - Parameters:
    ///   - presentation: The issuer's token, the disclosures and the holder's proof.
    ///   - audience: Who the holder's proof must be for.
    ///   - nonce: What the holder's proof must answer.
    ///   - now: The time, in seconds since 1970.
    ///   - clockSkew: How far clocks may differ, in seconds.
    ///   - issuerKey: Finds the key of an issuer.
    /// - Throws: ``CredentialError``
    public static func verify(
        _ presentation: String, audience: String, nonce: String, now: UInt64,
        clockSkew: UInt64 = standardClockSkew, issuerKey: IssuerKeyLookup
    ) throws(CredentialError) -> VerifiedCredential {
        let pieces = try SDJWTText(presentation, maximumCount: maximumPresentationCount)
        guard !pieces.keyBinding.isEmpty else { throw .missingKeyBinding }
        let token = try pieces.token()
        try checkSignature(of: token, issuerKey: issuerKey)
        let credential = try SDJWT(token: token, disclosures: pieces.disclosures)
        let verified = try credential.checkClaims(now: now, clockSkew: clockSkew)

        let binding = try JWS(
            String(pieces.keyBinding), type: bindingType, maximumSize: maximumPresentationCount, part: .keyBinding)
        try binding.verify(with: verified.holderKey)
        let claims = RegisteredClaims(binding.claims, in: .keyBinding)
        guard try claims.time("iat") != nil else { throw .missingClaim("iat", in: .keyBinding) }
        try claims.checkTimes(now: now, clockSkew: clockSkew)
        guard try claims.requiredText("aud") == audience else { throw .wrongAudience }
        guard try claims.requiredText("nonce") == nonce else { throw .wrongNonce }
        let digest = try SDJWTHash(of: token.claims).digest(of: pieces.bound)
        guard try claims.requiredText("sd_hash") == digest else { throw .wrongBinding }
        return verified
    }

    /// Checks, for its holder, that the credential is genuine and holds now, with everything disclosed. The holder's key
    /// is the one that the credential names.
    /// - Throws: ``CredentialError``
    public func verify(
        now: UInt64, clockSkew: UInt64 = standardClockSkew, issuerKey: IssuerKeyLookup
    ) throws(CredentialError) -> VerifiedCredential {
        try Self.checkSignature(of: token, issuerKey: issuerKey)
        return try checkClaims(now: now, clockSkew: clockSkew)
    }

    private static func checkSignature(of token: JWS, issuerKey: IssuerKeyLookup) throws(CredentialError) {
        let issuer = try RegisteredClaims(token.claims, in: .credential).requiredText("iss")
        guard let key = issuerKey(issuer, token.keyID.map { Array($0.utf8) }) else { throw .unknownIssuerKey }
        try token.verify(with: key)
    }

    /// What the claims say, if they may say it and hold now.
    private func checkClaims(now: UInt64, clockSkew: UInt64) throws(CredentialError) -> VerifiedCredential {
        for place in places {
            if case .name(let name)? = place.steps.first, RegisteredClaims.alwaysVisible.contains(name) {
                throw .notRedactable(name)
            }
        }
        let registered = RegisteredClaims(claims, in: .credential)
        let (issuer, type) = (try registered.requiredText("iss"), try registered.requiredText("vct"))
        let (status, subject) = (try registered.status(), try registered.text("sub"))
        try registered.checkTimes(now: now, clockSkew: clockSkew)
        return VerifiedCredential(
            format: .sdJWT, issuer: issuer, type: type, subject: subject,
            claims: claims.removing(RegisteredClaims.names), disclosed: places,
            issuedAt: try registered.time("iat"), notBefore: try registered.time("nbf"),
            expires: try registered.time("exp"), holderKey: try registered.holderKey(), status: status)
    }
}

extension CBORMap {
    /// The map without some of its text keys.
    fileprivate func removing(_ names: [String]) -> CBORMap {
        let kept = entries.filter { entry in !names.contains { entry.key == .text($0) } }
        return (try? CBORMap(kept)) ?? CBORMap()
    }
}
