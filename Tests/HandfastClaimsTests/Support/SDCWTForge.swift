import HandfastClaims
import HandfastCrypto
import HandfastEncoding

/// A presentation that is put together piece by piece, so that each piece can be wrong.
struct SDCWTForge {
    typealias Fields = [CBORValue: CBORValue]

    var header: Fields = [1: -8, 16: 293, 170: -16]
    var unprotected: Fields = [:]
    var claims: Fields
    var disclosures: [CBORValue]
    var bindingHeader: Fields = [1: -8, 16: 294]
    var bindingUnprotected: Fields = [:]
    var bindingClaims: Fields = [
        3: .text(ClaimsParty.audience), 6: .unsigned(ClaimsParty.now), 39: .bytes(ClaimsParty.nonce),
    ]
    /// What becomes of the credential's and of the binding's structure before they are encoded.
    var changeCredential: (CBORValue) -> CBORValue = { $0 }
    var changeBinding: (CBORValue) -> CBORValue = { $0 }
    /// What becomes of the encoded payload before it is signed.
    var changePayload: ([UInt8]) -> [UInt8] = { $0 }

    /// A presentation in which a name, an element and a decoy are redacted, and the first two disclosed.
    init(_ party: ClaimsParty) throws {
        let name = Self.disclosure("Ada", "given_name")
        let element = Self.disclosure("en")
        disclosures = [name, element]
        claims = [
            1: .text(ClaimsParty.issuerName), 2: "person", 4: .unsigned(ClaimsParty.expires),
            6: .unsigned(ClaimsParty.issuedAt),
            8: .map(try CBORMap([.init(1, try CBORValue(decoding: party.holder.publicKey.coseKey))])),
            11: "https://types.example/person", "age_over_18": .bool(true),
            "languages": .array(["no", .tag(60, try Self.digest(name: element))]),
            .simple(59): .array([try Self.digest(name: name), .bytes([UInt8](repeating: 7, count: 32))]),
        ]
    }

    /// A disclosure with a salt that follows from its value.
    static func disclosure(_ value: CBORValue, _ key: CBORValue? = nil) -> CBORValue {
        let salt = CBORValue.bytes([UInt8](repeating: UInt8(truncatingIfNeeded: key == nil ? 1 : 2), count: 16))
        return .array([salt, value] + (key.map { [$0] } ?? []))
    }

    /// The digest of a disclosure.
    static func digest(name disclosure: CBORValue) throws -> CBORValue {
        let encoded = try CBORValue.bytes(try disclosure.encoded()).encoded()
        return .bytes(SHA2.sha256(encoded.bytes).array)
    }

    /// Adds an entry to the digests at the top.
    mutating func redact(_ disclosure: CBORValue) throws {
        guard case .array(let digests)? = claims[.simple(59)] else { return }
        claims[.simple(59)] = .array(digests + [try Self.digest(name: disclosure)])
        disclosures.append(disclosure)
    }

    func credential(_ party: ClaimsParty) throws -> CBORValue {
        var unprotected = unprotected
        if !disclosures.isEmpty {
            unprotected[17] = .array(try disclosures.map { .bytes(try $0.encoded()) })
        }
        let payload = changePayload(try Self.map(claims).encoded())
        return changeCredential(
            try Self.signed(header, unprotected, payload, with: party.issuer))
    }

    func presentation(_ party: ClaimsParty) throws -> [UInt8] {
        var header = bindingHeader
        if header[13] == nil { header[13] = try credential(party) }
        if header[13] == .null { header[13] = nil }
        return try changeBinding(
            try Self.signed(header, bindingUnprotected, Self.map(bindingClaims).encoded(), with: party.holder)
        ).encoded()
    }

    static func map(_ fields: Fields) throws -> CBORValue {
        .map(try CBORMap(fields.map { CBORMap.Entry($0.key, $0.value) }))
    }

    private static func signed(
        _ header: Fields, _ unprotected: Fields, _ payload: [UInt8], with key: borrowing CredentialSigningKey
    ) throws -> CBORValue {
        let protected = try map(header).encoded()
        let message = try CBORValue.array(["Signature1", .bytes(protected), .bytes([]), .bytes(payload)]).encoded()
        let signature = try key.signature(for: message.bytes)
        return .tag(18, .array([.bytes(protected), try map(unprotected), .bytes(payload), .bytes(signature.array)]))
    }
}

extension CBORValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    init(stringLiteral value: String) {
        self = .text(value)
    }

    /// The item with one of its elements changed.
    func changing(_ index: Int, _ change: (CBORValue) -> CBORValue) -> CBORValue {
        switch self {
        case .tag(let number, let content): return .tag(number, content.changing(index, change))
        case .array(var items):
            items[index] = change(items[index])
            return .array(items)
        default: return self
        }
    }
}
