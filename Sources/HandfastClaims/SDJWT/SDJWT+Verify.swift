internal import HandfastCrypto
internal import HandfastEncoding

extension SDJWT {
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
    ///   - maximumAge: How long ago the holder may have signed, in seconds.
    ///   - issuerKey: Finds the key of an issuer.
    /// - Throws: ``CredentialError``
    public static func verify(
        _ presentation: String, audience: String, nonce: String, now: UInt64,
        clockSkew: UInt64 = VerificationContext.defaultClockSkew,
        maximumAge: UInt64 = VerificationContext.defaultMaximumAge, issuerKey: IssuerKeyLookup
    ) throws(CredentialError) -> VerifiedCredential {
        let pieces = try SDJWTText(presentation, maximumCount: maximumPresentationCount)
        guard !pieces.keyBinding.isEmpty else { throw .missingKeyBinding }
        let token = try pieces.token()
        try checkSignature(of: token, issuerKey: issuerKey)
        let credential = try SDJWT(token: token, disclosures: pieces.disclosures)
        try credential.checkTimes(now: now, clockSkew: clockSkew)
        try RegisteredClaims(credential.claims, in: .credential).checkAudience(audience)

        let binding = try JWS(
            String(pieces.keyBinding), type: bindingType, maximumSize: maximumPresentationCount, part: .keyBinding)
        try binding.verify(with: credential.full.holderKey)
        let claims = RegisteredClaims(binding.claims, in: .keyBinding)
        let times = try claims.times()
        guard let issuedAt = times.issuedAt else { throw .missingClaim("iat", in: .keyBinding) }
        try times.check(now: now, clockSkew: clockSkew, part: .keyBinding)
        guard issuedAt + Double(maximumAge) + Double(clockSkew) >= Double(now) else {
            throw .keyBindingTooOld(issuedAt: UInt64(issuedAt))
        }
        guard try claims.hasText("aud", audience) else { throw .wrongAudience }
        guard try claims.hasText("nonce", nonce) else { throw .wrongNonce }
        let digest = try SDJWTHash(of: token.claims).digest(of: pieces.bound)
        guard try claims.hasText("sd_hash", digest) else { throw .wrongBinding }
        return credential.full
    }

    /// Checks, for its holder, that the credential is genuine and holds now, with everything disclosed. The holder's key
    /// is the one that the credential names.
    /// - Throws: ``CredentialError``
    public func verify(
        now: UInt64, clockSkew: UInt64 = VerificationContext.defaultClockSkew, issuerKey: IssuerKeyLookup
    ) throws(CredentialError) -> VerifiedCredential {
        try Self.checkSignature(of: token, issuerKey: issuerKey)
        try checkTimes(now: now, clockSkew: clockSkew)
        return full
    }

    private static func checkSignature(of token: JWS, issuerKey: IssuerKeyLookup) throws(CredentialError) {
        let issuer = try RegisteredClaims(token.claims, in: .credential).requiredText("iss")
        guard let key = issuerKey(issuer, token.keyID.map { Array($0.utf8) }) else { throw .unknownIssuerKey }
        try token.verify(with: key)
    }

    private func checkTimes(now: UInt64, clockSkew: UInt64) throws(CredentialError) {
        try RegisteredClaims(claims, in: .credential).times().check(
            now: now, clockSkew: clockSkew, part: .credential)
    }
}
