internal import HandfastClaims
internal import HandfastEncoding

/// Claims and paths to them as vectors write them.
///
/// A step of a path is a text (a name), a number (an element's place), null (each element), or a list with one number
/// (an integer key).
enum VectorClaims {
    /// The paths of a field.
    static func paths(_ name: String, of input: VectorFields) throws -> [ClaimPath] {
        try input.list(name).enumerated().map { index, value in
            guard case .list(let items) = value, let path = ClaimPath(try items.map(step)) else {
                throw VectorFault.kind("a list of 1 to \(ClaimPath.maximumCount) steps").at("\(name)[\(index)]")
            }
            return path
        }
    }

    private static func step(_ value: VectorValue) throws -> ClaimPath.Step {
        switch value {
        case .text(let name): return .name(name)
        case .number(let index): return .index(Int(index))
        case .null: return .every
        case .list(let items):
            guard items.count == 1, case .number(let number) = items[0] else { break }
            return .number(number)
        default: break
        }
        throw VectorFault.kind("a text, a number, null, or a list with one number").at("path")
    }

    /// A path.
    static func value(_ path: ClaimPath) -> VectorValue {
        .list(
            path.steps.map { step in
                switch step {
                case .name(let name): .text(name)
                case .number(let number): .list([.number(number)])
                case .index(let index): .number(index)
                case .every: .null
                }
            })
    }

    /// The one issuer whose key is accepted.
    static func issuer(
        of input: VectorFields
    ) throws -> (_ issuer: String, _ keyID: [UInt8]?) -> CredentialVerificationKey? {
        let name = try input.text("issuer")
        let key = try CredentialVerificationKey(coseKey: input.bytes("issuerKey"))
        return { issuer, _ in issuer.utf8.elementsEqual(name.utf8) ? key : nil }
    }

    /// What a verifier learns.
    static func fields(_ credential: VerifiedCredential) throws -> VectorFields {
        [
            "issuer": .text(credential.issuer), "type": credential.type.map { .text($0) },
            "subject": credential.subject.map { .text($0) },
            "claims": .hex(try CBORValue.map(credential.claims).encoded()),
            "disclosed": .list(credential.disclosed.map(value)), "issuedAt": credential.issuedAt.map { .number($0) },
            "notBefore": credential.notBefore.map { .number($0) }, "expires": credential.expires.map { .number($0) },
            "holderKey": .hex(credential.holderKey.coseKey),
            "status": credential.status.map { .object(["uri": .text($0.uri), "index": .number($0.index)]) },
        ]
    }

    /// The disclosures of a credential in CBOR.
    static func disclosures(of credential: [UInt8]) throws -> [[UInt8]] {
        guard case .tag(_, .array(let items)) = try CBORValue(decoding: credential), items.count == 4,
            case .map(let unprotected) = items[1], case .array(let disclosures)? = unprotected[17]
        else { return [] }
        return disclosures.compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
    }
}
