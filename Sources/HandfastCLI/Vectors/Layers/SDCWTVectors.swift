internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// Credentials in CBOR: issued, held, presented, verified.
///
/// - Source: Spec/10 §10.2 to §10.4
enum SDCWTVectors: VectorLayer {
    static let name = "sd-cwt"

    static let operations: [String: VectorOperation] = [
        "key": key, "issue": issue, "hold": hold, "present": present, "verify": verify,
    ]

    private static func key(_ input: VectorFields) throws -> VectorFields {
        let key = try CredentialVerificationKey(coseKey: input.bytes("bytes"))
        return ["algorithm": .text(key.algorithm.rawValue), "encoded": .hex(key.coseKey)]
    }

    private static func issue(_ input: VectorFields) throws -> VectorFields {
        let claims = try CBORValue(
            decoding: input.bytes("claims"), limits: CBORLimits(size: SDCWT.maximumCount, allowsSimpleValues: true))
        guard case .map(let claims) = claims else { throw VectorFault.kind("an encoded map").at("claims") }
        var content = CredentialContent(
            issuer: try input.text("issuer"), type: try input.text("type"), claims: claims,
            redacting: try VectorClaims.paths("redacting", of: input),
            decoyCount: try input.count("decoyCount", maximum: 1_024))
        content.subject = try input.optionalText("subject")
        content.issuedAt = try input["issuedAt"] == nil ? nil : input.number("issuedAt")
        content.notBefore = try input["notBefore"] == nil ? nil : input.number("notBefore")
        content.expires = try input["expires"] == nil ? nil : input.number("expires")
        if let status = try input.optionalFields("status") {
            content.status = StatusReference(uri: try status.text("uri"), index: try status.number("index"))
        }
        let holder = try CredentialVerificationKey(coseKey: input.bytes("holderKey"))
        var random = VectorEntropy(try input.bytes("salts"))
        let credential = try SDCWT.issue(
            content, holder: holder, keyID: input.optionalBytes("keyID"),
            with: .ed25519(try input.signingKey("issuerSeed")), using: &random)
        guard !random.isExhausted, random.unusedCount == 0 else {
            throw VectorFault.kind("16 bytes for each disclosure").at("salts")
        }
        return ["credential": .hex(credential), "disclosures": .hexes(try VectorClaims.disclosures(of: credential))]
    }

    private static func hold(_ input: VectorFields) throws -> VectorFields {
        let holder = try CredentialVerificationKey(coseKey: input.bytes("holderKey"))
        let issuer = try VectorClaims.issuer(of: input)
        let credential = try SDCWT.hold(
            input.bytes("credential"), for: holder, issuerKey: issuer, now: input.number("now"))
        return try VectorClaims.fields(credential.full)
    }

    private static func present(_ input: VectorFields) throws -> VectorFields {
        let credential = try SDCWT(decoding: input.bytes("credential"))
        let presentation = try credential.present(
            disclosing: VectorClaims.paths("disclosing", of: input), audience: input.text("audience"),
            nonce: input.bytes("nonce"), issuedAt: input.number("issuedAt"),
            with: .ed25519(try input.signingKey("holderSeed")))
        return ["presentation": .hex(presentation)]
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let context = VerificationContext(
            audience: try input.text("audience"), nonce: try input.bytes("nonce"), now: try input.number("now"))
        let issuer = try VectorClaims.issuer(of: input)
        return try VectorClaims.fields(
            SDCWT.verify(input.bytes("presentation"), in: context, issuerKey: issuer))
    }
}
