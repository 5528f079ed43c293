internal import HandfastCrypto
internal import HandfastEncoding

/// What a holder signs when it presents a credential: for whom, when, in answer to what.
/// - Source: draft-ietf-spice-sd-cwt-07 §8.1, §9; Spec/10 §10.4
struct KeyBindingToken {
    static let type: UInt64 = 294
    static let typeName = "application/kb+cwt"

    let token: COSEToken
    /// The credential inside.
    let credential: COSEToken

    /// Reads a presentation; nothing is verified.
    init(decoding bytes: [UInt8]) throws(CredentialError) {
        typealias Header = COSEToken.Header
        token = try COSEToken(decoding: bytes, limit: SDCWT.maximumPresentationCount, part: .keyBinding)
        try token.require(
            protected: [Header.algorithm, Header.keyBindingCredential, Header.type], unprotected: [],
            type: Self.type, Self.typeName)
        guard let credential = token.header[Header.keyBindingCredential] else {
            throw .missingHeader("kcwt", in: .keyBinding)
        }
        self.credential = try COSEToken(credential, part: .credential)
    }

    /// Checks the claims of the token, whose signature has been verified.
    func check(within times: CredentialTimes, in context: VerificationContext) throws(CredentialError) {
        let claims = try token.payloadMap()
        try SDCWTUnblinding.requirePlain(.map(claims), in: .keyBinding)
        for claim in [CWTClaim.issuer, CWTClaim.subject] where claims[claim] != nil {
            throw .forbiddenClaim(CWTClaim.name(of: claim), in: .keyBinding)
        }
        switch claims[CWTClaim.audience] {
        case nil: throw .missingClaim("aud", in: .keyBinding)
        case .text(let audience)?:
            guard audience.utf8.elementsEqual(context.audience.utf8) else { throw .wrongAudience }
        case _?: throw .invalidClaim("aud", in: .keyBinding)
        }
        switch claims[CWTClaim.nonce] {
        case nil: throw .missingClaim("cnonce", in: .keyBinding)
        case .bytes(let nonce)?: guard nonce == context.nonce else { throw .wrongNonce }
        case _?: throw .invalidClaim("cnonce", in: .keyBinding)
        }
        try checkTimes(claims, within: times, in: context)
    }

    private func checkTimes(
        _ claims: CBORMap, within credential: CredentialTimes, in context: VerificationContext
    ) throws(CredentialError) {
        let times = try CredentialTimes(claims, in: .keyBinding)
        switch claims[CWTClaim.identifier] {
        case nil: guard times.issuedAt != nil else { throw .missingClaim("iat", in: .keyBinding) }
        case .bytes?: break
        case _?: throw .invalidClaim("cti", in: .keyBinding)
        }
        try times.checkOrder(within: credential)
        try times.check(now: context.now, clockSkew: context.clockSkew, part: .keyBinding)
        if let issuedAt = times.issuedAtSeconds, issuedAt < context.oldestKeyBinding {
            throw .keyBindingTooOld(issuedAt: issuedAt)
        }
    }

    /// Signs a credential with its chosen disclosures for a verifier.
    static func sign(
        credential: [UInt8], audience: String, nonce: [UInt8], issuedAt: UInt64,
        with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> [UInt8] {
        var header = CBORWriter(reservingCapacity: credential.count + 16)
        let algorithm = key.publicKey.algorithm.coseNumber
        header.writeMap { writer in
            writer.writeKey(COSEToken.Header.algorithm)
            writer.writeInteger(Int64(algorithm))
            writer.writeKey(COSEToken.Header.keyBindingCredential)
            writer.writeEncoded(credential)
            writer.writeKey(COSEToken.Header.type)
            writer.writeUnsigned(type)
        }
        var payload = CBORWriter(reservingCapacity: audience.utf8.count + nonce.count + 32)
        payload.writeMap { writer in
            writer.writeKey(CWTClaim.audience)
            writer.writeText(audience)
            writer.writeKey(CWTClaim.issuedAt)
            writer.writeUnsigned(issuedAt)
            writer.writeKey(CWTClaim.nonce)
            writer.writeBytes(nonce)
        }
        let signature = try COSEToken.sign(protected: header.bytes, payload: payload.bytes, with: key)
        var writer = CBORWriter(reservingCapacity: header.bytes.count + payload.bytes.count + 96)
        COSEToken.write(
            protected: header.bytes, payload: payload.bytes, signature: signature.bytes, to: &writer)
        return writer.bytes
    }
}
