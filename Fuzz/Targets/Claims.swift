@testable import HandfastClaims
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let claims = [
        FuzzTarget(name: "sd-cwt", seeds: credentialSeeds, run: credential),
        FuzzTarget(name: "sd-cwt-payload", seeds: payloadSeeds, run: payload),
        FuzzTarget(name: "sd-cwt-presentation", seeds: presentationSeeds, run: presentation),
    ]

    /// A credential that a holder keeps, and what a verifier sees of it.
    private struct Shown {
        static let now: UInt64 = 1_790_000_000
        static let issuer = "https://issuer.example"
        static let context = VerificationContext(audience: "https://shop.example", nonce: [1, 2, 3], now: now)

        let issuerSeed: [UInt8]
        let holderSeed: [UInt8]
        let credential: [UInt8]
        let presentation: [UInt8]

        init() throws {
            var entropy = FixedEntropy(7)
            issuerSeed = entropy.bytes(SigningKey.seedCount)
            holderSeed = entropy.bytes(SigningKey.seedCount)
            let claims = try CBORMap([
                .init(.text("name"), .text("Ada")), .init(.text("languages"), .array([.text("no"), .text("en")])),
                .init(.unsigned(500), .map(try CBORMap([.init(.text("city"), .text("Oslo"))]))),
            ])
            let paths: [[ClaimPath.Step]] = [
                [.name("name")], [.name("languages"), .index(1)], [.number(500)], [.number(500), .name("city")],
            ]
            var content = CredentialContent(
                issuer: Self.issuer, type: "65000", claims: claims, redacting: paths.compactMap { ClaimPath($0) },
                decoyCount: 1)
            content.subject = "person"
            content.issuedAt = Self.now
            let holder = CredentialVerificationKey.ed25519(try Self.key(holderSeed).publicKey)
            credential = try SDCWT.issue(
                content, holder: holder, with: .ed25519(try Self.key(issuerSeed)), using: &entropy)
            presentation = try SDCWT(decoding: credential).present(
                disclosing: paths.compactMap { ClaimPath($0) }, audience: Self.context.audience,
                nonce: Self.context.nonce, issuedAt: Self.now, with: .ed25519(try Self.key(holderSeed)))
        }

        static func key(_ seed: [UInt8]) throws -> SigningKey {
            try SigningKey(seed: SecretBytes(copying: seed.bytes))
        }

        func issuerKey() throws -> CredentialVerificationKey {
            .ed25519(try Self.key(issuerSeed).publicKey)
        }

        static let shared = Result { try Shown() }
    }

    /// What is read comes back as it was, and shows no more than everything when all is disclosed.
    @Sendable private static func credential(_ input: [UInt8]) throws {
        if let key = accepted({ try CredentialVerificationKey(coseKey: input) }) {
            try BrokenPromise.unlessSame(key.coseKey, as: input, "COSE_Key of a credential")
        }
        guard let credential = accepted({ try SDCWT(decoding: input) }) else { return }
        try BrokenPromise.unlessSame(credential.encoded(), as: input, "SD-CWT")
        guard let all = accepted({ try credential.preview(disclosing: credential.redacted) }) else {
            throw BrokenPromise(description: "a credential cannot be shown in full")
        }
        try BrokenPromise.unless(all.claims == credential.full.claims, "a credential in full shows something else")
        let none = accepted { try credential.preview(disclosing: []) }
        try BrokenPromise.unless(none?.disclosed.isEmpty == true, "something is shown that was not disclosed")
    }

    @Sendable private static func credentialSeeds() throws -> [[UInt8]] {
        let shown = try Shown.shared.get()
        return [shown.credential, try shown.issuerKey().coseKey]
    }

    /// Whatever a trusted issuer signs: disclosures and a payload of its choice.
    @Sendable private static func payload(_ input: [UInt8]) throws {
        let shown = try Shown.shared.get()
        var reader = InputReader(input)
        let payload = reader.counted()
        var disclosures: [CBORValue] = []
        while !reader.isAtEnd, disclosures.count < 200 { disclosures.append(.bytes(reader.counted())) }
        let protected = try CBORMap([.init(.unsigned(1), .integer(-8)), .init(.unsigned(16), .unsigned(293))])
        let header = try CBORValue.map(protected).encoded()
        let signature = try COSEToken.sign(
            protected: header, payload: payload, with: .ed25519(try Shown.key(shown.issuerSeed)))
        let unprotected =
            disclosures.isEmpty ? CBORMap() : try CBORMap([.init(.unsigned(17), .array(disclosures))])
        let whole = CBORValue.tag(
            18, .array([.bytes(header), .map(unprotected), .bytes(payload), .bytes(signature.array)]))
        try credential(try whole.encoded())
        let presentation = try KeyBindingToken.sign(
            credential: try whole.encoded(), audience: Shown.context.audience, nonce: Shown.context.nonce,
            issuedAt: Shown.now, with: .ed25519(try Shown.key(shown.holderSeed)))
        let key = try shown.issuerKey()
        guard let learned = accepted({ try SDCWT.verify(presentation, in: Shown.context) { _, _ in key } }) else {
            return
        }
        try BrokenPromise.unless(
            learned.disclosed.count <= disclosures.count, "more is disclosed than there are disclosures")
        _ = try CBORValue.map(learned.claims).encoded()
    }

    @Sendable private static func payloadSeeds() throws -> [[UInt8]] {
        let credential = try SDCWT(decoding: Shown.shared.get().credential)
        let parts = try credential.disclosures.map { disclosure -> [UInt8] in
            guard case .bytes(let bytes) = try CBORValue(decoding: disclosure.encoded) else { return [] }
            return bytes.counted
        }
        return [credential.token.payload.counted + parts.joined(), credential.token.payload.counted]
    }

    /// Changes on the way: nothing but the presentation itself is accepted.
    @Sendable private static func presentation(_ input: [UInt8]) throws {
        let shown = try Shown.shared.get()
        let changed = Tampering(InputReader(input)).apply(to: shown.presentation)
        let key = try shown.issuerKey()
        let learned = accepted { try SDCWT.verify(changed, in: Shown.context) { _, _ in key } }
        try BrokenPromise.unless(
            (learned != nil) == (changed == shown.presentation), "a changed presentation is accepted, or none")
    }

    @Sendable private static func presentationSeeds() throws -> [[UInt8]] {
        Tampering.seeds
    }
}
