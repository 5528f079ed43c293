internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// A presentation of an SD-CWT that is put together piece by piece, so that each piece can be wrong.
struct SDCWTForge {
    typealias Fields = [CBORValue: CBORValue]

    /// The keys of issuer and holder.
    struct Keys: ~Copyable {
        let issuer: CredentialSigningKey
        let holder: CredentialSigningKey

        init() {
            var random = SystemEntropy()
            issuer = .ed25519(SigningKey.generate(using: &random))
            holder = .ed25519(SigningKey.generate(using: &random))
        }
    }

    static let issuerName = "https://issuer.example"
    static let audience = "https://shop.example"
    static let nonce: [UInt8] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6]
    static let issuedAt: UInt64 = 1_790_000_000
    static let now: UInt64 = issuedAt + 100_000
    static let expires: UInt64 = issuedAt + 10_000_000

    var header: Fields = [1: -8, 16: 293, 170: -16]
    var unprotected: Fields = [:]
    var claims: Fields
    var disclosures: [CBORValue]
    var bindingHeader: Fields = [1: -8, 16: 294]
    var bindingUnprotected: Fields = [:]
    var bindingClaims: Fields = [
        3: .text(Self.audience), 6: .unsigned(Self.now), 39: .bytes(Self.nonce),
    ]
    /// What becomes of the credential's and of the binding's structure before they are encoded.
    var changeCredential: (CBORValue) -> CBORValue = { $0 }
    var changeBinding: (CBORValue) -> CBORValue = { $0 }
    /// What becomes of the encoded payload before it is signed.
    var changePayload: ([UInt8]) -> [UInt8] = { $0 }

    /// A presentation in which a name, an element and a decoy are redacted, and the first two disclosed.
    init(_ keys: borrowing Keys) throws {
        let name = Self.disclosure("Ada", "given_name")
        let element = Self.disclosure("en")
        disclosures = [name, element]
        claims = [
            1: .text(Self.issuerName), 2: "person", 4: .unsigned(Self.expires),
            6: .unsigned(Self.issuedAt),
            8: .map(try CBORMap([.init(1, try CBORValue(decoding: keys.holder.publicKey.coseKey))])),
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

    func credential(_ keys: borrowing Keys) throws -> CBORValue {
        var unprotected = unprotected
        if !disclosures.isEmpty {
            unprotected[17] = .array(try disclosures.map { .bytes(try $0.encoded()) })
        }
        let payload = changePayload(try Self.map(claims).encoded())
        return changeCredential(
            try Self.signed(header, unprotected, payload, with: keys.issuer))
    }

    func presentation(_ keys: borrowing Keys) throws -> [UInt8] {
        var header = bindingHeader
        if header[13] == nil { header[13] = try credential(keys) }
        if header[13] == .null { header[13] = nil }
        return try changeBinding(
            try Self.signed(header, bindingUnprotected, Self.map(bindingClaims).encoded(), with: keys.holder)
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

/// What no honest side writes reads as what it is.
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

    /// What a tag is on.
    var content: CBORValue {
        if case .tag(_, let content) = self { content } else { self }
    }

    /// The bytes with one bit changed.
    var flippingLastByte: CBORValue {
        guard case .bytes(let bytes) = self else { return self }
        return .bytes(bytes.flipping(bytes.count - 1))
    }
}
