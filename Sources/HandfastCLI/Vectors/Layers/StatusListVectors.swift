internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// Lists of the status of credentials, their tokens, and when these may be used.
///
/// - Source: Spec/10 §10.8
enum StatusListVectors: VectorLayer {
    static let name = "status-list"

    static let operations: [String: VectorOperation] = [
        "list": list, "inflate": inflate, "status": status, "sign": sign, "verify": verify, "use": use,
    ]

    private static func list(_ input: VectorFields) throws -> VectorFields {
        var list = try StatusList(count: input.count("count"), bits: input.count("bits"))
        for entry in try input.fieldsList("entries") {
            let status = UInt8(try entry.count("status", maximum: 255))
            try list.set(CredentialStatus(status), at: entry.number("index"))
        }
        return ["bytes": .hex(list.bytes), "compressed": .hex(list.compressed)]
    }

    private static func inflate(_ input: VectorFields) throws -> VectorFields {
        let list = try StatusList(compressed: input.bytes("compressed"), bits: input.count("bits"))
        return ["bytes": .hex(list.bytes), "count": .number(list.count)]
    }

    private static func status(_ input: VectorFields) throws -> VectorFields {
        let list = try StatusList(bytes: input.bytes("bytes"), bits: input.count("bits"))
        return ["status": .number(try list.status(at: input.number("index")).value)]
    }

    private static func sign(_ input: VectorFields) throws -> VectorFields {
        let key = CredentialSigningKey.ed25519(try input.signingKey("seed"))
        guard let format = StatusListToken.Format(rawValue: try input.text("format")) else {
            throw VectorFault.kind("cwt or jwt").at("format")
        }
        let list = try StatusList(bytes: input.bytes("bytes"), bits: input.count("bits"))
        let token = try StatusListToken(
            uri: input.text("uri"), issuedAt: input.number("issuedAt"), expires: input.optionalNumber("expires"),
            timeToLive: input.optionalNumber("timeToLive"), list: list)
        let keyID = try input.optionalText("keyID")
        return ["token": .hex(try token.signed(as: format, keyID: keyID, with: key))]
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let keys = try input.fieldsList("keys").map(key)
        let token = try StatusListToken(verifying: input.bytes("token"), uri: input.text("uri"), keys: keys)
        return [
            "issuedAt": .number(token.issuedAt), "expires": token.expires.map { .number($0) },
            "timeToLive": token.timeToLive.map { .number($0) }, "bits": .number(token.list.bits),
            "bytes": .hex(token.list.bytes),
        ]
    }

    private static func key(_ fields: VectorFields) throws -> CredentialVerificationKey {
        let bytes = try fields.bytes("key")
        return switch try fields.text("algorithm") {
        case "EdDSA": .ed25519(try VerificationKey(bytes.bytes))
        case "ES256": .p256(try P256VerificationKey(bytes.bytes))
        case "ES384": .p384(try P384VerificationKey(bytes.bytes))
        default: throw VectorFault.kind("EdDSA, ES256 or ES384").at("algorithm")
        }
    }

    private static func use(_ input: VectorFields) throws -> VectorFields {
        let token = try StatusListToken(
            uri: "https://issuer.example/1", issuedAt: input.number("issuedAt"),
            expires: input.optionalNumber("expires"), timeToLive: input.optionalNumber("timeToLive"),
            list: StatusList(count: 8, bits: 1))
        let policy = try StatusPolicy(
            maximumAge: input.optionalNumber("maximumAge"), clockSkew: input.number("clockSkew"))
        let origin = try input.optionalNumber("fetchedAt").map { StatusPolicy.Origin.fetched(at: $0) } ?? .stapled
        try policy.check(token, from: origin, now: input.number("now"))
        return ["usableUntil": policy.usableUntil(token, from: origin).map { .number($0) }]
    }
}
