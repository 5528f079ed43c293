internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

extension SDCWTVectors {
    static func make(_ maker: inout VectorMaker) throws {
        let keys = SDCWTForge.Keys()
        let context: VectorFields = [
            "audience": .text(SDCWTForge.audience), "nonce": .hex(SDCWTForge.nonce), "now": .number(SDCWTForge.now),
            "issuer": .text(SDCWTForge.issuerName), "issuerKey": .hex(keys.issuer.publicKey.coseKey),
        ]
        for entry in context.entries { maker.share(entry.name, entry.value) }
        try makeKeys(&maker)
        try makeRoundTrip(&maker)
        let honest = try SDCWTForge(keys).presentation(keys)
        try maker.accept("verify", "verify", ["presentation": .hex(honest)])
        try makeOtherContexts(honest, &maker)
        try SDCWTRefusals.make { name, error, change in
            var forge = try SDCWTForge(keys)
            try change(&forge, keys)
            let presentation = try forge.presentation(keys)
            try maker.refuse(name, "verify", ["presentation": .hex(presentation)], error)
        }
    }

    private static func makeKeys(_ maker: inout VectorMaker) throws {
        let ed = CredentialVerificationKey.ed25519(SigningKey.generate(using: &maker.entropy).publicKey)
        let p256 = CredentialVerificationKey.p256(P256SigningKey.generate(using: &maker.entropy).publicKey)
        try maker.accept("Ed25519 key", "key", ["bytes": .hex(ed.coseKey)])
        try maker.accept("P-256 key", "key", ["bytes": .hex(p256.coseKey)])
        try maker.refuse("key cut short", "key", ["bytes": .hex(Array(ed.coseKey.dropLast()))], "cbor/truncated")
        let text = try VectorCBOR.map([1: 1, -1: 6, -2: "key"]).encoded()
        try maker.refuse("key that is a text", "key", ["bytes": .hex(text)], "malformed")
        let short = try VectorCBOR.map([1: 1, -1: 6, -2: .bytes([UInt8](repeating: 9, count: 31))]).encoded()
        try maker.refuse("key of 31 bytes", "key", ["bytes": .hex(short)], "invalidKey")
        let named = try VectorCBOR.map([1: 1, 2: .bytes([1]), -1: 6, -2: .bytes(ed.coseKey.suffix(32))]).encoded()
        try maker.refuse("key with an id", "key", ["bytes": .hex(named)], "malformed")
    }

    private static func makeRoundTrip(_ maker: inout VectorMaker) throws {
        let (issuerSeed, holderSeed) = (maker.random(32), maker.random(32))
        let issuer = try SigningKey(seed: SecretBytes(copying: issuerSeed.bytes)).publicKey
        let holder = try SigningKey(seed: SecretBytes(copying: holderSeed.bytes)).publicKey
        let address = try CBORMap([.init("street", "Storgata 1"), .init("city", "Oslo")])
        let claims = try CBORMap([
            .init("given_name", "Ada"), .init("age_over_18", .bool(true)), .init("address", .map(address)),
            .init("languages", .array(["no", "en"])), .init(500, .double(1.5)),
        ])
        let redacting: [VectorValue] = [
            .list([.text("given_name")]), .list([.text("address")]), .list([.text("address"), .text("street")]),
            .list([.text("languages"), .null]), .list([.list([.number(500)])]),
        ]
        let made = try maker.accept(
            "issue", "issue",
            [
                "issuerSeed": .hex(issuerSeed), "holderKey": .hex(CredentialVerificationKey.ed25519(holder).coseKey),
                "type": .text("https://types.example/person"), "subject": .text("person"),
                "issuedAt": .number(SDCWTForge.issuedAt), "expires": .number(SDCWTForge.expires),
                "status": .object(["uri": .text("https://status.example/1"), "index": .number(12_345)]),
                "claims": .hex(try CBORValue.map(claims).encoded()), "redacting": .list(redacting),
                "decoyCount": .number(2), "salts": .hex(maker.random(8 * 16)),
            ], comment: "salts are used in the order in which what is redacted is reached, decoys last")
        let credential = try made.bytes("credential")
        let held: VectorFields = [
            "credential": .hex(credential), "holderKey": .hex(CredentialVerificationKey.ed25519(holder).coseKey),
            "issuerKey": .hex(CredentialVerificationKey.ed25519(issuer).coseKey),
        ]
        try maker.accept("hold", "hold", held)
        try maker.refuse(
            "hold another's", "hold",
            held.with("holderKey", .hex(CredentialVerificationKey.ed25519(issuer).coseKey)), "wrongHolderKey")
        let presenting: VectorFields = [
            "credential": .hex(credential), "issuedAt": .number(SDCWTForge.now), "holderSeed": .hex(holderSeed),
            "disclosing": .list([
                .list([.text("address"), .text("street")]), .list([.text("languages"), .number(1)]),
                .list([.text("given_name")]),
            ]),
        ]
        let shown = try maker.accept("present", "present", presenting)
        try maker.accept(
            "verify what was presented", "verify",
            [
                "presentation": .hex(try shown.bytes("presentation")),
                "issuerKey": .hex(CredentialVerificationKey.ed25519(issuer).coseKey),
            ])
        try maker.refuse(
            "present what is not there", "present",
            presenting.with("disclosing", .list([.list([.text("name")])])), "unknownClaim")
        try maker.refuse(
            "hold what hides a claim", "hold",
            held.with("credential", .hex(try withoutLastDisclosure(credential))), "undisclosedDigest")
    }

    private static func withoutLastDisclosure(_ credential: [UInt8]) throws -> [UInt8] {
        let disclosures = try VectorClaims.disclosures(of: credential).dropLast().map { CBORValue.bytes($0) }
        return try CBORValue(decoding: credential).changing(1) { _ in
            (try? VectorCBOR.map([17: .array(Array(disclosures))])) ?? .null
        }.encoded()
    }

    private static func makeOtherContexts(_ presentation: [UInt8], _ maker: inout VectorMaker) throws {
        let input: VectorFields = ["presentation": .hex(presentation)]
        try maker.refuse(
            "another verifier", "verify", input.with("audience", .text("https://other.example")), "wrongAudience")
        try maker.refuse("another request", "verify", input.with("nonce", .hex([1])), "wrongNonce")
        try maker.refuse(
            "a year later", "verify", input.with("now", .number(SDCWTForge.now + 31_536_000)), "expired")
        try maker.refuse(
            "an hour later", "verify", input.with("now", .number(SDCWTForge.now + 3_600)), "keyBindingTooOld")
        try maker.refuse(
            "cut short", "verify", ["presentation": .hex(Array(presentation.dropLast()))], "cbor/truncated")
        try maker.refuse("a byte more", "verify", ["presentation": .hex(presentation + [0])], "cbor/trailingBytes")
    }
}
