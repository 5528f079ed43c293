import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct SDJWTTests {
    private static let claims = #"""
        {"given_name":"Ada","address":{"street":"Main 1","country":"DE"},"nationalities":["DE","GB","FR"],
        "degrees":[{"type":"MSc","year":1840},{"type":"PhD","year":1843}],"age_over_18":true,"score":1.5}
        """#
    private static let now = SDJWTForge.now

    private static func object(_ text: String) throws -> CBORMap { try SDJWTForge.object(text) }

    private func path(_ steps: ClaimPath.Step...) throws -> ClaimPath { try #require(ClaimPath(steps)) }

    private func content() throws -> CredentialContent {
        var content = CredentialContent(
            issuer: "https://issuer.example", type: "https://issuer.example/person",
            claims: try Self.object(Self.claims))
        content.subject = "user-1"
        content.issuedAt = Self.now - 10
        content.notBefore = Self.now - 10
        content.expires = Self.now + 1_000
        content.status = StatusReference(uri: "https://issuer.example/status/1", index: 412)
        content.decoyCount = 3
        content.redacting = [
            try path(.name("sub")), try path(.name("given_name")), try path(.name("address")),
            try path(.name("address"), .name("street")), try path(.name("nationalities"), .every),
            try path(.name("degrees"), .every, .name("year")), try path(.name("age_over_18")),
        ]
        return content
    }

    private struct Issued {
        let credential: SDJWT
        let issuer: CredentialVerificationKey
    }

    private func issue(_ content: CredentialContent, algorithm: CredentialAlgorithm = .edDSA) throws -> Issued {
        var random = SeededEntropy(seed: 7)
        let key: CredentialSigningKey =
            algorithm == .edDSA
            ? .ed25519(SigningKey.generate(using: &random)) : .p256(P256SigningKey.generate(using: &random))
        let credential = try SDJWT.issue(
            content, holder: SDJWTForge().holderKey, keyID: "key-1", with: key, using: &random)
        return Issued(credential: credential, issuer: key.publicKey)
    }

    private func present(_ issued: Issued, _ paths: [ClaimPath]) throws -> VerifiedCredential {
        let presentation = try issued.credential.present(
            disclosing: paths, audience: "vendor", nonce: "nonce", issuedAt: Self.now, with: SDJWTForge.signingKey(2))
        return try SDJWT.verify(presentation, audience: "vendor", nonce: "nonce", now: Self.now) { issuer, keyID in
            issuer == "https://issuer.example" && keyID == Array("key-1".utf8) ? issued.issuer : nil
        }
    }

    @Test(arguments: [CredentialAlgorithm.edDSA, .es256])
    func showsWhatTheHolderDisclosesAndNothingElse(algorithm: CredentialAlgorithm) throws {
        let issued = try issue(content(), algorithm: algorithm)
        let shown = try present(
            issued,
            [
                path(.name("address"), .name("street")), path(.name("nationalities"), .index(1)),
                path(.name("degrees"), .every, .name("year")), path(.name("score")),
            ])
        let expected = #"""
            {"address":{"street":"Main 1","country":"DE"},"nationalities":["GB"],
            "degrees":[{"type":"MSc","year":1840},{"type":"PhD","year":1843}],"score":1.5}
            """#
        #expect(try shown.claims == Self.object(expected))
        #expect(shown.format == .sdJWT && shown.issuer == "https://issuer.example")
        #expect(shown.type == "https://issuer.example/person" && shown.subject == nil)
        #expect(shown.issuedAt == Self.now - 10 && shown.notBefore == Self.now - 10)
        #expect(shown.expires == Self.now + 1_000)
        #expect(shown.status == StatusReference(uri: "https://issuer.example/status/1", index: 412))
        #expect(try shown.holderKey == SDJWTForge().holderKey)
        let disclosed = [
            try path(.name("address")), try path(.name("address"), .name("street")),
            try path(.name("nationalities"), .index(0)), try path(.name("degrees"), .index(0), .name("year")),
            try path(.name("degrees"), .index(1), .name("year")),
        ]
        #expect(Set(shown.disclosed) == Set(disclosed))
    }

    @Test func keepsWhatIsRedactedBelowADisclosedClaim() throws {
        let shown = try present(issue(content()), [path(.name("address")), path(.name("sub"))])
        #expect(
            try shown.claims
                == Self.object(
                    #"{"address":{"country":"DE"},"nationalities":[],"degrees":[{"type":"MSc"},{"type":"PhD"}],"score":1.5}"#
                ))
        #expect(shown.subject == "user-1")
    }

    @Test func showsTheHolderBeforehandWhatAVerifierWillLearn() throws {
        let issued = try issue(content())
        let paths = [try path(.name("address"), .name("street")), try path(.name("nationalities"), .every)]
        #expect(try issued.credential.preview(disclosing: paths) == present(issued, paths))
    }

    @Test func readsWhatItIssuedAndChecksItForTheHolder() throws {
        let issued = try issue(content())
        let read = try SDJWT(decoding: issued.credential.encoded())
        #expect(read == issued.credential)
        #expect(read.redacted.count == 10)
        let held = try read.verify(now: Self.now) { _, _ in issued.issuer }
        #expect(try held.claims == Self.object(Self.claims))
        #expect(throws: CredentialError.unknownIssuerKey) { try read.verify(now: Self.now) { _, _ in nil } }
    }

    @Test func issuesDigestsInAnOrderThatTellsNothingAndDecoysAmongThem() throws {
        let issued = try issue(content())
        let payload = try #require(issued.credential.encoded().split(separator: ".").dropFirst().first)
        let claims = try Self.object(String(decoding: Base64URL.decode(payload), as: UTF8.self))
        guard case .array(let digests)? = claims["_sd"] else { throw JSONError.truncated }
        let texts = digests.compactMap { digest -> String? in
            if case .text(let text) = digest { text } else { nil }
        }
        // sub, given_name, address, age_over_18, and three decoys.
        #expect(texts.count == 7 && texts == texts.sorted())
    }

    @Test func refusesToIssueWhatAVerifierWouldRefuse() throws {
        func refused(_ change: (inout CredentialContent) throws -> Void) throws -> CredentialError? {
            var content = try content()
            try change(&content)
            do {
                _ = try issue(content)
                return nil
            } catch let error as CredentialError {
                return error
            }
        }
        for name in ["iss", "nbf", "exp", "cnf", "vct", "status"] {
            #expect(try refused { $0.redacting.append(try path(.name(name))) } == .notRedactable(name))
        }
        #expect(try refused { $0.redacting = [try path(.name("cnf"), .name("jwk"))] } == .notRedactable("cnf"))
        let unknown = try path(.name("address"), .name("zip"))
        #expect(try refused { $0.redacting = [unknown] } == .unknownClaim(unknown))
        #expect(try refused { $0.claims = try Self.object(#"{"iss":"x"}"#) } == .forbiddenClaim("iss", in: .credential))
        for name in ["_sd", "...", "_sd_alg"] {
            #expect(
                try refused {
                    $0.claims = try Self.object(#"{"a":{"\#(name)":[]}}"#)
                    $0.redacting = []
                } == .reservedName(in: .credential))
        }
        #expect(
            try refused {
                $0.claims = try CBORMap([.init(.text("a"), .bytes([1]))])
                $0.redacting = []
            } == .json(.notRepresentable, in: .credential))
        #expect(
            try refused {
                $0.claims = try Self.object(#"{"a":[\#((0...128).map(String.init).joined(separator: ","))]}"#)
                $0.redacting = [try path(.name("a"), .every)]
            } == .tooManyDisclosures(limit: 128))
        #expect(
            try refused { $0.decoyCount = 1_000 } == .sizeExceeded(limit: SDJWT.maximumCount, in: .credential))
    }

    @Test func refusesToPresentWhatIsNotThereOrWithAnotherKey() throws {
        let credential = try issue(content()).credential
        let unknown = try path(.name("nationalities"), .index(3))
        #expect(throws: CredentialError.unknownClaim(unknown)) {
            try credential.present(
                disclosing: [unknown], audience: "a", nonce: "n", issuedAt: 0, with: SDJWTForge.signingKey(2))
        }
        #expect(throws: CredentialError.wrongHolderKey) {
            try credential.present(
                disclosing: [], audience: "a", nonce: "n", issuedAt: 0, with: SDJWTForge.signingKey(3))
        }
    }
}
