internal import HandfastEncoding

extension SDCWT {
    /// Checks a presentation in every respect and returns what it shows.
    ///
    /// The issuer's signature comes first, then the holder's, then what they say.
    /// - Parameters:
    ///   - presentation: A key binding token with the credential in it, at most 48 KiB.
    ///   - context: What was asked for, and the time.
    ///   - issuerKey: The key that the verifier accepts of an issuer, by the issuer's name and the id of the key, if the
    ///     credential gives one; nil for none.
    /// - Throws: ``CredentialError``
    public static func verify(
        _ presentation: [UInt8], in context: VerificationContext,
        issuerKey: (_ issuer: String, _ keyID: [UInt8]?) -> CredentialVerificationKey?
    ) throws(CredentialError) -> VerifiedCredential {
        let binding = try KeyBindingToken(decoding: presentation)
        let credential = binding.credential
        let disclosures = try readDisclosures(of: credential)
        let payload = try credential.payloadMap()
        try credential.verify(with: try key(of: credential, payload, issuerKey))
        try binding.token.verify(with: try SDCWTClaims.holderKey(of: payload))

        var unblinding = try SDCWTUnblinding(disclosures)
        let claims = try unblinding.reveal(payload)
        let mayHideSubject = unblinding.hiddenAtTop > 0
        let disclosed = try unblinding.finish()
        let content = try SDCWTClaims(claims, mayHideSubject: mayHideSubject)
        if let audience = content.audience, !audience.utf8.elementsEqual(context.audience.utf8) {
            throw .wrongCredentialAudience
        }
        try content.times.check(now: context.now, clockSkew: context.clockSkew, part: .credential)
        try binding.check(within: content.times, in: context)
        return content.verified(disclosed: disclosed.compactMap { $0 })
    }

    /// Takes over what an issuer sent: checks its signature, that it is for the holder's key and that it holds now.
    /// - Parameters:
    ///   - bytes: The credential with all its disclosures, at most 32 KiB.
    ///   - holder: The key that the credential was asked for.
    ///   - issuerKey: The key that is accepted of an issuer, by the issuer's name and the id of the key.
    ///   - now: The time, in seconds since 1970.
    ///   - clockSkew: How far clocks may differ, in seconds.
    /// - Throws: ``CredentialError``
    public static func hold(
        _ bytes: [UInt8], for holder: CredentialVerificationKey,
        issuerKey: (_ issuer: String, _ keyID: [UInt8]?) -> CredentialVerificationKey?, now: UInt64,
        clockSkew: UInt64 = VerificationContext.defaultClockSkew
    ) throws(CredentialError) -> SDCWT {
        let token = try COSEToken(decoding: bytes, limit: maximumCount, part: .credential)
        try token.verify(with: try key(of: token, try token.payloadMap(), issuerKey))
        let credential = try SDCWT(decoding: bytes)
        guard credential.content.holderKey == holder else { throw .wrongHolderKey }
        try credential.content.times.check(now: now, clockSkew: clockSkew, part: .credential)
        return credential
    }

    private static func key(
        of token: COSEToken, _ payload: CBORMap, _ issuerKey: (String, [UInt8]?) -> CredentialVerificationKey?
    ) throws(CredentialError) -> CredentialVerificationKey {
        guard let key = issuerKey(try SDCWTClaims.unverifiedIssuer(of: payload), token.keyID) else {
            throw .unknownIssuerKey
        }
        return key
    }
}
