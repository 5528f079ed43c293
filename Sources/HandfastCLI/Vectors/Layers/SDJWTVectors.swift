internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// SD-JWT VC: strict JSON, keys, what a holder reads and what a verifier finds.
///
/// - Source: Spec/10 §10.2, §10.5
enum SDJWTVectors: VectorLayer {
    static let name = "sd-jwt"

    static let operations: [String: VectorOperation] = [
        "json": json, "key": key, "read": read, "present": present, "verify": verify,
    ]

    /// The largest JSON text of `json`, in bytes.
    private static let maximumTextCount = 4_096

    private static func json(_ input: VectorFields) throws -> VectorFields {
        let text = try input.bytes("text")
        let value: CBORValue
        do {
            value = try JSON.decode(text, maximumSize: maximumTextCount)
        } catch {
            throw CredentialError.json(error, in: .credential)
        }
        return ["cbor": .hex(try value.encoded()), "written": .text(try jsonText(value))]
    }

    private static func key(_ input: VectorFields) throws -> VectorFields {
        let key = try verificationKey(input, "jwk")
        return ["algorithm": .text(key.algorithm.rawValue), "written": .text(try jsonText(.map(key.jwk())))]
    }

    private static func read(_ input: VectorFields) throws -> VectorFields {
        let credential = try SDJWT(decoding: input.text("credential"))
        return try fields(credential.full)
    }

    private static func present(_ input: VectorFields) throws -> VectorFields {
        let credential = try SDJWT(decoding: input.text("credential"))
        let paths = try input.list("disclose").enumerated().map { index, value in
            try path(value, at: "disclose[\(index)]")
        }
        let presentation = try credential.present(
            disclosing: paths, audience: input.text("audience"), nonce: input.text("nonce"),
            issuedAt: input.number("issuedAt"), with: holderKey(input))
        return ["presentation": .text(presentation)]
    }

    private static func holderKey(_ input: VectorFields) throws -> CredentialSigningKey {
        guard input["holderScalar"] != nil else { return .ed25519(try input.signingKey("holderSeed")) }
        return .p256(try P256SigningKey(scalar: input.secret("holderScalar")))
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let (issuer, key) = (try input.text("issuer"), try verificationKey(input, "issuerKey"))
        let shown = try SDJWT.verify(
            input.text("presentation"), audience: input.text("audience"), nonce: input.text("nonce"),
            now: input.number("now")
        ) { name, _ in
            name == issuer ? key : nil
        }
        return try fields(shown)
    }

    private static func fields(_ credential: VerifiedCredential) throws -> VectorFields {
        [
            "issuer": .text(credential.issuer), "type": credential.type.map { .text($0) },
            "subject": credential.subject.map { .text($0) }, "claims": .text(try jsonText(.map(credential.claims))),
            "disclosed": .list(credential.disclosed.map { .text($0.description) }),
            "issuedAt": credential.issuedAt.map { .number($0) },
            "notBefore": credential.notBefore.map { .number($0) }, "expires": credential.expires.map { .number($0) },
            "holderKey": .text(try jsonText(.map(credential.holderKey.jwk()))),
            "status": credential.status.map { .object(["index": .number($0.index), "uri": .text($0.uri)]) },
        ]
    }

    private static func verificationKey(_ input: VectorFields, _ name: String) throws -> CredentialVerificationKey {
        let text = Array(try input.text(name).utf8)
        guard case .map(let jwk)? = try? JSON.decode(text, maximumSize: maximumTextCount) else {
            throw VectorFault.kind("the text of a JSON object").at(name)
        }
        return try CredentialVerificationKey(jwk: jwk)
    }

    /// A path as JSON writes it: texts, whole numbers for elements, null for every element.
    private static func path(_ value: VectorValue, at place: String) throws -> ClaimPath {
        guard case .list(let items) = value else { throw VectorFault.kind("a list").at(place) }
        let steps = try items.map { item -> ClaimPath.Step in
            switch item {
            case .text(let name): .name(name)
            case .number(let index): .index(Int(index))
            case .null: .every
            default: throw VectorFault.kind("a text, a number or null").at(place)
            }
        }
        guard let path = ClaimPath(steps) else {
            throw VectorFault.kind("a list of 1 to \(ClaimPath.maximumCount) steps").at(place)
        }
        return path
    }

    static func jsonText(_ value: CBORValue) throws -> String {
        String(decoding: try JSON.encode(value), as: UTF8.self)
    }
}
