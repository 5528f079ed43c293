internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// One presentation for each rule, wrong in this one way.
enum SDCWTRefusals {
    /// Adds a presentation after a change.
    typealias Refuse = (
        _ name: String, _ error: String, _ change: (inout SDCWTForge, borrowing SDCWTForge.Keys) throws -> Void
    ) throws -> Void

    static func make(_ refuse: Refuse) throws {
        try makeCredentialRefusals(refuse)
        try makeClaimRefusals(refuse)
        try makeDisclosureRefusals(refuse)
        try makeBindingRefusals(refuse)
    }

    private static func makeCredentialRefusals(_ refuse: Refuse) throws {
        try refuse("credential: no COSE_Sign1", "malformed") { forge, _ in forge.changeBinding = { _ in .array([]) } }
        try refuse("credential: another tag", "malformed") { forge, _ in
            forge.changeCredential = { .tag(98, $0.content) }
        }
        try refuse("credential: no payload", "malformed") { forge, _ in
            forge.changeCredential = { $0.changing(2) { _ in .null } }
        }
        try refuse("credential: no protected header", "missingHeader") { forge, _ in
            forge.changeCredential = { $0.changing(0) { _ in .bytes([]) } }
        }
        try refuse("credential: payload that is no map", "malformed") { forge, _ in
            forge.changePayload = { _ in [0x80] }
        }
        try refuse("credential: payload not deterministic", "cbor/nonMinimal") { forge, _ in
            forge.changePayload = { [0xb8] + [$0[0] & 0x1f] + $0.dropFirst() }
        }
        try refuse("credential: payload of indefinite length", "cbor/indefiniteLength") { forge, _ in
            forge.changePayload = { [0xbf] + $0.dropFirst() + [0xff] }
        }
        try refuse("credential: no algorithm", "missingHeader") { forge, _ in forge.header[1] = nil }
        try refuse("credential: algorithm that is not verified", "unsupportedAlgorithm") { forge, _ in
            forge.header[1] = -36
        }
        try refuse("credential: algorithm of another key", "wrongAlgorithm") { forge, _ in
            forge.header[1] = -7
        }
        try refuse("credential: critical header", "unsupportedHeader") { forge, _ in
            forge.header[2] = .array([16])
        }
        try refuse("credential: claims in the header", "unsupportedHeader") { forge, _ in
            forge.header[15] = .map(CBORMap())
        }
        try refuse("credential: key id that is a text", "unsupportedHeader") { forge, _ in
            forge.header[4] = "key"
        }
        try refuse("credential: encrypted disclosures", "unsupportedHeader") { forge, _ in
            forge.unprotected[171] = .array([])
        }
        try refuse("credential: no type", "missingHeader") { forge, _ in forge.header[16] = nil }
        try refuse("credential: type of a key binding", "wrongType") { forge, _ in
            forge.header[16] = 294
        }
        try refuse("credential: digests by SHA-384", "unsupportedHash") { forge, _ in forge.header[170] = -43 }
        try refuse("credential: changed signature", "invalidSignature") { forge, _ in
            forge.changeCredential = { $0.changing(3) { _ in .bytes([UInt8](repeating: 1, count: 64)) } }
        }
        try refuse("credential: changed payload", "invalidSignature") { forge, _ in
            forge.changeCredential = { $0.changing(2) { $0.flippingLastByte } }
        }
    }

    private static func makeClaimRefusals(_ refuse: Refuse) throws {
        try refuse("claim: no issuer", "missingClaim") { forge, _ in forge.claims[1] = nil }
        try refuse("claim: issuer of another type", "invalidClaim") { forge, _ in forge.claims[1] = 7 }
        try refuse("claim: issuer that nobody knows", "unknownIssuerKey") { forge, _ in
            forge.claims[1] = "https://other.example"
        }
        try refuse("claim: no subject, and no digest that could be its own", "missingClaim") { forge, _ in
            forge.claims[2] = nil
            forge.claims[.simple(59)] = .array([try SDCWTForge.digest(name: forge.disclosures[0])])
        }
        try refuse("claim: subject of another type", "invalidClaim") { forge, _ in forge.claims[2] = 1 }
        try refuse("claim: no holder", "missingHolderKey") { forge, _ in forge.claims[8] = nil }
        try refuse("claim: holder by thumbprint", "invalidClaim") { forge, _ in
            forge.claims[8] = try SDCWTForge.map([5: .bytes([1])])
        }
        try refuse("claim: holder's key with its private part", "privateKey") { forge, _ in
            forge.claims[8] = try SDCWTForge.map([
                1: SDCWTForge.map([1: 1, -1: 6, -2: .bytes([1]), -4: .bytes([1])])
            ])
        }
        try refuse("claim: holder's key on another curve", "unsupportedKey") { forge, _ in
            forge.claims[8] = try SDCWTForge.map([1: SDCWTForge.map([1: 1, -1: 7, -2: .bytes([1])])])
        }
        try refuse("claim: holder's point compressed", "malformed") { forge, _ in
            forge.claims[8] = try SDCWTForge.map([
                1: SDCWTForge.map([
                    1: 2, -1: 1, -2: .bytes([UInt8](repeating: 1, count: 32)), -3: .bool(true),
                ])
            ])
        }
        try refuse("claim: holder's point off its curve", "invalidKey") { forge, _ in
            let half = CBORValue.bytes([UInt8](repeating: 1, count: 32))
            forge.claims[8] = try SDCWTForge.map([1: SDCWTForge.map([1: 2, -1: 1, -2: half, -3: half])])
        }
        try refuse("claim: type beyond its range", "invalidClaim") { forge, _ in forge.claims[11] = 65_536 }
        try refuse("claim: type of another type", "invalidClaim") { forge, _ in forge.claims[11] = .null }
        try refuse("claim: expiry without end", "invalidClaim") { forge, _ in
            forge.claims[4] = .double(.infinity)
        }
        try refuse("claim: time beyond 2^53", "invalidClaim") { forge, _ in
            forge.claims[4] = .unsigned(1 << 53 + 1)
        }
        try refuse("claim: time before 1970", "invalidClaim") { forge, _ in forge.claims[5] = -1 }
        try refuse("claim: nbf after iat", "contradictoryTimes") { forge, _ in
            forge.claims[5] = .unsigned(SDCWTForge.issuedAt + 1)
        }
        try refuse("claim: nbf at exp", "contradictoryTimes") { forge, _ in
            forge.claims[6] = nil
            forge.claims[5] = .unsigned(SDCWTForge.expires)
        }
        try refuse("claim: iat at exp", "contradictoryTimes") { forge, _ in
            forge.claims[6] = .unsigned(SDCWTForge.expires)
        }
        try refuse("claim: expired", "expired") { forge, _ in
            forge.claims[4] = .unsigned(SDCWTForge.now - 60)
        }
        try refuse("claim: not yet valid", "notYetValid") { forge, _ in
            forge.claims[6] = nil
            forge.claims[5] = .unsigned(SDCWTForge.now + 61)
        }
        try refuse("claim: issued in the future", "issuedInFuture") { forge, _ in
            forge.claims[6] = .unsigned(SDCWTForge.now + 61)
        }
        try refuse("claim: for somebody else", "wrongCredentialAudience") { forge, _ in
            forge.claims[3] = "https://other.example"
        }
        try refuse("claim: audience of another type", "invalidClaim") { forge, _ in
            forge.claims[3] = .array([.text(SDCWTForge.audience)])
        }
        try refuse("claim: id of another type", "invalidClaim") { forge, _ in forge.claims[7] = 1 }
        try refuse("claim: nonce of another type", "invalidClaim") { forge, _ in forge.claims[39] = 1 }
        try refuse("claim: status without a list", "invalidClaim") { forge, _ in
            forge.claims[65_535] = .map(CBORMap())
        }
        try refuse("claim: status of a negative index", "invalidClaim") { forge, _ in
            forge.claims[65_535] = try SDCWTForge.map([
                "status_list": SDCWTForge.map(["idx": -1, "uri": "https://status.example"])
            ])
        }
        try refuse("claim: name of no bytes", "reservedName") { forge, _ in forge.claims[""] = 1 }
        try refuse("claim: name of 256 bytes", "reservedName") { forge, _ in
            forge.claims[.text(String(repeating: "a", count: 256))] = 1
        }
        try refuse("claim: name that is a byte string", "reservedName") { forge, _ in
            forge.claims[.bytes([1])] = 1
        }
        try refuse("claim: request to redact", "reservedName") { forge, _ in forge.claims["a"] = .tag(58, 1) }
        try refuse("claim: request for a decoy", "reservedName") { forge, _ in
            forge.claims["a"] = .array([.tag(62, 1)])
        }
        try refuse("claim: digest of an element outside an array", "reservedName") { forge, _ in
            forge.claims["a"] = .tag(60, .bytes([UInt8](repeating: 3, count: 32)))
        }
        try refuse("claim: mark of redaction as a value", "reservedName") { forge, _ in
            forge.claims["a"] = .simple(59)
        }
        try refuse("claim: digests that are no array", "reservedName") { forge, _ in
            forge.claims[.simple(59)] = 1
        }
        try refuse("claim: digest of 31 bytes", "reservedName") { forge, _ in
            forge.claims[.simple(59)] = .array([.bytes([UInt8](repeating: 3, count: 31))])
        }
    }

    private static func makeDisclosureRefusals(_ refuse: Refuse) throws {
        try refuse("disclosure: empty list", "malformed") { forge, _ in
            forge.disclosures = []
            forge.unprotected[17] = .array([])
        }
        try refuse("disclosure: 129 disclosures", "tooManyDisclosures") { forge, _ in
            forge.disclosures = Array(repeating: 1, count: 129)
        }
        try refuse("disclosure: no array", "malformed") { forge, _ in forge.disclosures[1] = 1 }
        try refuse("disclosure: no salt", "malformed") { forge, _ in forge.disclosures[1] = .array([]) }
        try refuse("disclosure: salt of 15 bytes", "malformed") { forge, _ in
            forge.disclosures[1] = .array([.bytes([UInt8](repeating: 1, count: 15)), "en"])
        }
        try refuse("disclosure: four parts", "malformed") { forge, _ in
            forge.disclosures[1] = .array([.bytes([UInt8](repeating: 1, count: 16)), 1, 2, 3])
        }
        try refuse("disclosure: twice the same", "duplicateDigest") { forge, _ in
            forge.disclosures.append(forge.disclosures[0])
        }
        try refuse("disclosure: twice the same digest", "duplicateDigest") { forge, _ in
            let digest = CBORValue.bytes([UInt8](repeating: 7, count: 32))
            forge.claims["more"] = .array([.tag(60, digest)])
        }
        try refuse("disclosure: one that no digest asks for", "unreferencedDisclosure") { forge, _ in
            forge.disclosures.append(SDCWTForge.disclosure("Oslo", "city"))
        }
        try refuse("disclosure: changed value", "unreferencedDisclosure") { forge, _ in
            forge.disclosures[0] = SDCWTForge.disclosure("Eve", "given_name")
        }
        try refuse("disclosure: element among names", "misplacedDisclosure") { forge, _ in
            try forge.redact(SDCWTForge.disclosure("Oslo"))
        }
        try refuse("disclosure: name among elements", "misplacedDisclosure") { forge, _ in
            let disclosure = SDCWTForge.disclosure("Oslo", "city")
            forge.claims["more"] = .array([.tag(60, try SDCWTForge.digest(name: disclosure))])
            forge.disclosures.append(disclosure)
        }
        try refuse("disclosure: claim that is there", "claimExists") { forge, _ in
            try forge.redact(SDCWTForge.disclosure(.bool(false), "age_over_18"))
        }
        try refuse("disclosure: redacted issuer", "notRedactable") { forge, _ in
            try forge.redact(SDCWTForge.disclosure("https://other.example", 1))
        }
        try refuse("disclosure: redacted expiry", "notRedactable") { forge, _ in
            try forge.redact(SDCWTForge.disclosure(1, 4))
        }
        try refuse("disclosure: redacted status", "notRedactable") { forge, _ in
            try forge.redact(SDCWTForge.disclosure(1, 65_535))
        }
        try refuse("disclosure: name that is none", "reservedName") { forge, _ in
            try forge.redact(SDCWTForge.disclosure(1, .null))
        }
        try refuse("disclosure: request to redact in a value", "reservedName") { forge, _ in
            try forge.redact(SDCWTForge.disclosure(.tag(58, 1), "a"))
        }
        try refuse("disclosure: depth of 17 with the claims around it", "depthExceeded") { forge, _ in
            var value = CBORValue.array([])
            for _ in 0..<13 { value = .array([value]) }
            let inner = SDCWTForge.disclosure(value)
            let outer = SDCWTForge.disclosure(
                .array([.array([.array([.tag(60, try SDCWTForge.digest(name: inner))])])]), "deep")
            try forge.redact(outer)
            forge.disclosures.append(inner)
        }
        try refuse("disclosure: not deterministic", "cbor/nonMinimal") { forge, _ in
            forge.disclosures = []
            forge.unprotected[17] = .array([.bytes([0x98, 0x01, 0x40])])
        }
    }

    private static func makeBindingRefusals(_ refuse: Refuse) throws {
        try refuse("key binding: no credential", "missingHeader") { forge, _ in forge.bindingHeader[13] = .null }
        try refuse("key binding: credential in a byte string", "malformed") { forge, keys in
            forge.bindingHeader[13] = .bytes(try forge.credential(keys).encoded())
        }
        try refuse("key binding: type of a credential", "wrongType") { forge, _ in
            forge.bindingHeader[16] = 293
        }
        try refuse("key binding: claims in the header", "unsupportedHeader") { forge, _ in
            forge.bindingHeader[15] = .map(CBORMap())
        }
        try refuse("key binding: unprotected header", "unsupportedHeader") { forge, _ in
            forge.bindingUnprotected[4] = .bytes([1])
        }
        try refuse("key binding: algorithm of another key", "wrongAlgorithm") { forge, _ in
            forge.bindingHeader[1] = -7
        }
        try refuse("key binding: changed signature", "invalidSignature") { forge, _ in
            forge.changeBinding = { $0.changing(3) { _ in .bytes([UInt8](repeating: 1, count: 64)) } }
        }
        try refuse("key binding: signed by another key", "invalidSignature") { forge, _ in
            var random = SystemEntropy()
            let other = SigningKey.generate(using: &random).publicKey
            let key = try CBORValue(decoding: CredentialVerificationKey.ed25519(other).coseKey)
            forge.claims[8] = try SDCWTForge.map([1: key])
        }
        try refuse("key binding: issuer", "forbiddenClaim") { forge, _ in forge.bindingClaims[1] = "holder" }
        try refuse("key binding: subject", "forbiddenClaim") { forge, _ in forge.bindingClaims[2] = "holder" }
        try refuse("key binding: no audience", "missingClaim") { forge, _ in forge.bindingClaims[3] = nil }
        try refuse("key binding: another audience", "wrongAudience") { forge, _ in
            forge.bindingClaims[3] = "https://other.example"
        }
        try refuse("key binding: audience of another type", "invalidClaim") { forge, _ in
            forge.bindingClaims[3] = 1
        }
        try refuse("key binding: no nonce", "missingClaim") { forge, _ in forge.bindingClaims[39] = nil }
        try refuse("key binding: another nonce", "wrongNonce") { forge, _ in forge.bindingClaims[39] = .bytes([1]) }
        try refuse("key binding: nonce of another type", "invalidClaim") { forge, _ in
            forge.bindingClaims[39] = "nonce"
        }
        try refuse("key binding: neither iat nor cti", "missingClaim") { forge, _ in forge.bindingClaims[6] = nil }
        try refuse("key binding: cti of another type", "invalidClaim") { forge, _ in forge.bindingClaims[7] = 1 }
        try refuse("key binding: exp without iat", "contradictoryTimes") { forge, _ in
            forge.bindingClaims[6] = nil
            forge.bindingClaims[7] = .bytes([1])
            forge.bindingClaims[4] = .unsigned(SDCWTForge.now + 1)
        }
        try refuse("key binding: exp after the credential's", "contradictoryTimes") { forge, _ in
            forge.bindingClaims[4] = .unsigned(SDCWTForge.expires + 1)
        }
        try refuse("key binding: nbf before the credential's", "contradictoryTimes") { forge, _ in
            forge.claims[5] = .unsigned(SDCWTForge.issuedAt)
            forge.bindingClaims[5] = .unsigned(SDCWTForge.issuedAt - 1)
        }
        try refuse("key binding: iat before the credential's", "contradictoryTimes") { forge, _ in
            forge.bindingClaims[6] = .unsigned(SDCWTForge.issuedAt - 1)
        }
        try refuse("key binding: iat before the credential's nbf", "contradictoryTimes") { forge, _ in
            forge.claims[6] = nil
            forge.claims[5] = .unsigned(SDCWTForge.now + 1)
        }
        try refuse("key binding: iat at the credential's exp", "contradictoryTimes") { forge, _ in
            forge.claims[4] = .unsigned(SDCWTForge.now)
        }
        try refuse("key binding: expired", "expired") { forge, _ in
            forge.bindingClaims[6] = .unsigned(SDCWTForge.now - 70)
            forge.bindingClaims[4] = .unsigned(SDCWTForge.now - 60)
        }
        try refuse("key binding: made in the future", "issuedInFuture") { forge, _ in
            forge.bindingClaims[6] = .unsigned(SDCWTForge.now + 61)
        }
        try refuse("key binding: made too long ago", "keyBindingTooOld") { forge, _ in
            forge.bindingClaims[6] = .unsigned(SDCWTForge.now - 661)
        }
        try refuse("key binding: mark of redaction", "reservedName") { forge, _ in
            forge.bindingClaims[.simple(59)] = .array([])
        }
    }
}
