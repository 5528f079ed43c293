import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

/// One presentation for each rule, wrong in this one way.
@Suite struct SDCWTRefusalTests {
    typealias Change = @Sendable (inout SDCWTForge, ClaimsParty) throws -> Void

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: Change
        let error: CredentialError

        init(_ name: String, _ error: CredentialError, _ change: @escaping Change) {
            testDescription = name
            self.change = change
            self.error = error
        }
    }

    private func refuses(_ refusal: Case) throws {
        let party = try ClaimsParty(seed: 40)
        var forge = try SDCWTForge(party)
        try refusal.change(&forge, party)
        let presentation = try forge.presentation(party)
        #expect(throws: refusal.error) { try party.verify(presentation) }
    }

    @Test func acceptsTheForgeryThatIsNone() throws {
        let party = try ClaimsParty(seed: 40)
        let shown = try party.verify(try SDCWTForge(party).presentation(party))
        #expect(shown.claims["given_name"] == .text("Ada"))
        #expect(shown.claims["languages"] == .array([.text("no"), .text("en")]))
    }

    @Test(arguments: [
        Case("no COSE_Sign1", .malformed(.keyBinding)) { forge, _ in forge.changeBinding = { _ in .array([]) } },
        Case("another tag", .malformed(.credential)) { forge, _ in
            forge.changeCredential = { .tag(98, $0.content) }
        },
        Case("no payload", .malformed(.credential)) { forge, _ in
            forge.changeCredential = { $0.changing(2) { _ in .null } }
        },
        Case("no protected header", .missingHeader("alg", in: .credential)) { forge, _ in
            forge.changeCredential = { $0.changing(0) { _ in .bytes([]) } }
        },
        Case("payload that is no map", .malformed(.credential)) { forge, _ in
            forge.changePayload = { _ in [0x80] }
        },
        Case("payload not deterministic", .cbor(.nonMinimal(at: 0), in: .credential)) { forge, _ in
            forge.changePayload = { [0xb8] + [$0[0] & 0x1f] + $0.dropFirst() }
        },
        Case("payload of indefinite length", .cbor(.indefiniteLength(at: 0), in: .credential)) { forge, _ in
            forge.changePayload = { [0xbf] + $0.dropFirst() + [0xff] }
        },
        Case("no algorithm", .missingHeader("alg", in: .credential)) { forge, _ in forge.header[1] = nil },
        Case("algorithm that is not verified", .unsupportedAlgorithm(in: .credential)) { forge, _ in
            forge.header[1] = -36
        },
        Case("algorithm of another key", .wrongAlgorithm(expected: .edDSA, in: .credential)) { forge, _ in
            forge.header[1] = -7
        },
        Case("critical header", .unsupportedHeader("crit", in: .credential)) { forge, _ in
            forge.header[2] = .array([16])
        },
        Case("claims in the header", .unsupportedHeader("CWT Claims", in: .credential)) { forge, _ in
            forge.header[15] = .map(CBORMap())
        },
        Case("key id that is a text", .unsupportedHeader("kid", in: .credential)) { forge, _ in
            forge.header[4] = "key"
        },
        Case("encrypted disclosures", .unsupportedHeader("sd_aead_encrypted_claims", in: .credential)) { forge, _ in
            forge.unprotected[171] = .array([])
        },
        Case("no type", .missingHeader("typ", in: .credential)) { forge, _ in forge.header[16] = nil },
        Case("type of a key binding", .wrongType(expected: "application/sd-cwt", in: .credential)) { forge, _ in
            forge.header[16] = 294
        },
        Case("digests by SHA-384", .unsupportedHash) { forge, _ in forge.header[170] = -43 },
        Case("changed signature", .invalidSignature(in: .credential)) { forge, _ in
            forge.changeCredential = { $0.changing(3) { _ in .bytes([UInt8](repeating: 1, count: 64)) } }
        },
        Case("changed payload", .invalidSignature(in: .credential)) { forge, _ in
            forge.changeCredential = { $0.changing(2) { $0.flippingLastByte } }
        },
    ])
    func refusesCredentials(_ refusal: Case) throws {
        try refuses(refusal)
    }

    @Test(arguments: [
        Case("no issuer", .missingClaim("iss", in: .credential)) { forge, _ in forge.claims[1] = nil },
        Case("issuer of another type", .invalidClaim("iss", in: .credential)) { forge, _ in forge.claims[1] = 7 },
        Case("issuer that nobody knows", .unknownIssuerKey) { forge, _ in forge.claims[1] = "https://other.example" },
        Case("no subject, and no digest that could be its own", .missingClaim("sub", in: .credential)) { forge, _ in
            forge.claims[2] = nil
            forge.claims[.simple(59)] = .array([try SDCWTForge.digest(name: forge.disclosures[0])])
        },
        Case("subject of another type", .invalidClaim("sub", in: .credential)) { forge, _ in forge.claims[2] = 1 },
        Case("no holder", .missingHolderKey) { forge, _ in forge.claims[8] = nil },
        Case("holder by thumbprint", .invalidClaim("cnf", in: .credential)) { forge, _ in
            forge.claims[8] = try SDCWTForge.map([5: .bytes([1])])
        },
        Case("holder's key with its private part", .privateKey) { forge, _ in
            forge.claims[8] = try SDCWTForge.map([
                1: SDCWTForge.map([1: 1, -1: 6, -2: .bytes([1]), -4: .bytes([1])])
            ])
        },
        Case("holder's key on another curve", .unsupportedKey) { forge, _ in
            forge.claims[8] = try SDCWTForge.map([1: SDCWTForge.map([1: 1, -1: 7, -2: .bytes([1])])])
        },
        Case("holder's point compressed", .malformed(.key)) { forge, _ in
            forge.claims[8] = try SDCWTForge.map([
                1: SDCWTForge.map([
                    1: 2, -1: 1, -2: .bytes([UInt8](repeating: 1, count: 32)), -3: .bool(true),
                ])
            ])
        },
        Case("holder's point off its curve", .invalidKey(.invalidKey("P-256 public key"))) { forge, _ in
            let half = CBORValue.bytes([UInt8](repeating: 1, count: 32))
            forge.claims[8] = try SDCWTForge.map([1: SDCWTForge.map([1: 2, -1: 1, -2: half, -3: half])])
        },
        Case("type beyond its range", .invalidClaim("vct", in: .credential)) { forge, _ in forge.claims[11] = 65_536 },
        Case("type of another type", .invalidClaim("vct", in: .credential)) { forge, _ in forge.claims[11] = .null },
        Case("expiry without end", .invalidClaim("exp", in: .credential)) { forge, _ in
            forge.claims[4] = .double(.infinity)
        },
        Case("time beyond 2^53", .invalidClaim("exp", in: .credential)) { forge, _ in
            forge.claims[4] = .unsigned(1 << 53 + 1)
        },
        Case("time before 1970", .invalidClaim("nbf", in: .credential)) { forge, _ in forge.claims[5] = -1 },
        Case("nbf after iat", .contradictoryTimes(rule: "nbf ≤ iat")) { forge, _ in
            forge.claims[5] = .unsigned(ClaimsParty.issuedAt + 1)
        },
        Case("nbf at exp", .contradictoryTimes(rule: "nbf < exp")) { forge, _ in
            forge.claims[6] = nil
            forge.claims[5] = .unsigned(ClaimsParty.expires)
        },
        Case("iat at exp", .contradictoryTimes(rule: "iat < exp")) { forge, _ in
            forge.claims[6] = .unsigned(ClaimsParty.expires)
        },
        Case("expired", .expired(at: ClaimsParty.now - 60, in: .credential)) { forge, _ in
            forge.claims[4] = .unsigned(ClaimsParty.now - 60)
        },
        Case("not yet valid", .notYetValid(from: ClaimsParty.now + 61, in: .credential)) { forge, _ in
            forge.claims[6] = nil
            forge.claims[5] = .unsigned(ClaimsParty.now + 61)
        },
        Case("issued in the future", .issuedInFuture(at: ClaimsParty.now + 61, in: .credential)) { forge, _ in
            forge.claims[6] = .unsigned(ClaimsParty.now + 61)
        },
        Case("for somebody else", .wrongCredentialAudience) { forge, _ in forge.claims[3] = "https://other.example" },
        Case("audience of another type", .invalidClaim("aud", in: .credential)) { forge, _ in
            forge.claims[3] = .array([.text(ClaimsParty.audience)])
        },
        Case("id of another type", .invalidClaim("cti", in: .credential)) { forge, _ in forge.claims[7] = 1 },
        Case("nonce of another type", .invalidClaim("cnonce", in: .credential)) { forge, _ in forge.claims[39] = 1 },
        Case("status without a list", .invalidClaim("status", in: .credential)) { forge, _ in
            forge.claims[65_535] = .map(CBORMap())
        },
        Case("status of a negative index", .invalidClaim("status", in: .credential)) { forge, _ in
            forge.claims[65_535] = try SDCWTForge.map([
                "status_list": SDCWTForge.map(["idx": -1, "uri": "https://status.example"])
            ])
        },
        Case("name of no bytes", .reservedName(in: .credential)) { forge, _ in forge.claims[""] = 1 },
        Case("name of 256 bytes", .reservedName(in: .credential)) { forge, _ in
            forge.claims[.text(String(repeating: "a", count: 256))] = 1
        },
        Case("name that is a byte string", .reservedName(in: .credential)) { forge, _ in
            forge.claims[.bytes([1])] = 1
        },
        Case("request to redact", .reservedName(in: .credential)) { forge, _ in forge.claims["a"] = .tag(58, 1) },
        Case("request for a decoy", .reservedName(in: .credential)) { forge, _ in
            forge.claims["a"] = .array([.tag(62, 1)])
        },
        Case("digest of an element outside an array", .reservedName(in: .credential)) { forge, _ in
            forge.claims["a"] = .tag(60, .bytes([UInt8](repeating: 3, count: 32)))
        },
        Case("mark of redaction as a value", .reservedName(in: .credential)) { forge, _ in
            forge.claims["a"] = .simple(59)
        },
        Case("digests that are no array", .reservedName(in: .credential)) { forge, _ in
            forge.claims[.simple(59)] = 1
        },
        Case("digest of 31 bytes", .reservedName(in: .credential)) { forge, _ in
            forge.claims[.simple(59)] = .array([.bytes([UInt8](repeating: 3, count: 31))])
        },
    ])
    func refusesClaims(_ refusal: Case) throws {
        try refuses(refusal)
    }

    @Test(arguments: [
        Case("empty list", .malformed(.credential)) { forge, _ in
            forge.disclosures = []
            forge.unprotected[17] = .array([])
        },
        Case("129 disclosures", .tooManyDisclosures(limit: 128)) { forge, _ in
            forge.disclosures = Array(repeating: 1, count: 129)
        },
        Case("no array", .malformed(.disclosure(1))) { forge, _ in forge.disclosures[1] = 1 },
        Case("no salt", .malformed(.disclosure(1))) { forge, _ in forge.disclosures[1] = .array([]) },
        Case("salt of 15 bytes", .malformed(.disclosure(1))) { forge, _ in
            forge.disclosures[1] = .array([.bytes([UInt8](repeating: 1, count: 15)), "en"])
        },
        Case("four parts", .malformed(.disclosure(1))) { forge, _ in
            forge.disclosures[1] = .array([.bytes([UInt8](repeating: 1, count: 16)), 1, 2, 3])
        },
        Case("twice the same", .duplicateDigest) { forge, _ in forge.disclosures.append(forge.disclosures[0]) },
        Case("twice the same digest", .duplicateDigest) { forge, _ in
            let digest = CBORValue.bytes([UInt8](repeating: 7, count: 32))
            forge.claims["more"] = .array([.tag(60, digest)])
        },
        Case("one that no digest asks for", .unreferencedDisclosure(2)) { forge, _ in
            forge.disclosures.append(SDCWTForge.disclosure("Oslo", "city"))
        },
        Case("changed value", .unreferencedDisclosure(0)) { forge, _ in
            forge.disclosures[0] = SDCWTForge.disclosure("Eve", "given_name")
        },
        Case("element among names", .misplacedDisclosure(2)) { forge, _ in
            try forge.redact(SDCWTForge.disclosure("Oslo"))
        },
        Case("name among elements", .misplacedDisclosure(2)) { forge, _ in
            let disclosure = SDCWTForge.disclosure("Oslo", "city")
            forge.claims["more"] = .array([.tag(60, try SDCWTForge.digest(name: disclosure))])
            forge.disclosures.append(disclosure)
        },
        Case("claim that is there", .claimExists(in: .disclosure(2))) { forge, _ in
            try forge.redact(SDCWTForge.disclosure(.bool(false), "age_over_18"))
        },
        Case("redacted issuer", .notRedactable("iss")) { forge, _ in
            try forge.redact(SDCWTForge.disclosure("https://other.example", 1))
        },
        Case("redacted expiry", .notRedactable("exp")) { forge, _ in try forge.redact(SDCWTForge.disclosure(1, 4)) },
        Case("redacted status", .notRedactable("status")) { forge, _ in
            try forge.redact(SDCWTForge.disclosure(1, 65_535))
        },
        Case("name that is none", .reservedName(in: .disclosure(2))) { forge, _ in
            try forge.redact(SDCWTForge.disclosure(1, .null))
        },
        Case("request to redact in a value", .reservedName(in: .credential)) { forge, _ in
            try forge.redact(SDCWTForge.disclosure(.tag(58, 1), "a"))
        },
        Case("depth of 17 with the claims around it", .depthExceeded) { forge, _ in
            var value = CBORValue.array([])
            for _ in 0..<13 { value = .array([value]) }
            let inner = SDCWTForge.disclosure(value)
            let outer = SDCWTForge.disclosure(
                .array([.array([.array([.tag(60, try SDCWTForge.digest(name: inner))])])]), "deep")
            try forge.redact(outer)
            forge.disclosures.append(inner)
        },
        Case("not deterministic", .cbor(.nonMinimal(at: 0), in: .disclosure(0))) { forge, _ in
            forge.disclosures = []
            forge.unprotected[17] = .array([.bytes([0x98, 0x01, 0x40])])
        },
    ])
    func refusesDisclosures(_ refusal: Case) throws {
        try refuses(refusal)
    }

    @Test(arguments: [
        Case("no credential", .missingHeader("kcwt", in: .keyBinding)) { forge, _ in forge.bindingHeader[13] = .null },
        Case("credential in a byte string", .malformed(.credential)) { forge, party in
            forge.bindingHeader[13] = .bytes(try forge.credential(party).encoded())
        },
        Case("type of a credential", .wrongType(expected: "application/kb+cwt", in: .keyBinding)) { forge, _ in
            forge.bindingHeader[16] = 293
        },
        Case("claims in the header", .unsupportedHeader("CWT Claims", in: .keyBinding)) { forge, _ in
            forge.bindingHeader[15] = .map(CBORMap())
        },
        Case("unprotected header", .unsupportedHeader("kid", in: .keyBinding)) { forge, _ in
            forge.bindingUnprotected[4] = .bytes([1])
        },
        Case("algorithm of another key", .wrongAlgorithm(expected: .edDSA, in: .keyBinding)) { forge, _ in
            forge.bindingHeader[1] = -7
        },
        Case("changed signature", .invalidSignature(in: .keyBinding)) { forge, _ in
            forge.changeBinding = { $0.changing(3) { _ in .bytes([UInt8](repeating: 1, count: 64)) } }
        },
        Case("signed by another key", .invalidSignature(in: .keyBinding)) { forge, party in
            let other = SigningKey.generate(using: &party.random).publicKey
            let key = try CBORValue(decoding: CredentialVerificationKey.ed25519(other).coseKey)
            forge.claims[8] = try SDCWTForge.map([1: key])
        },
        Case("issuer", .forbiddenClaim("iss", in: .keyBinding)) { forge, _ in forge.bindingClaims[1] = "holder" },
        Case("subject", .forbiddenClaim("sub", in: .keyBinding)) { forge, _ in forge.bindingClaims[2] = "holder" },
        Case("no audience", .missingClaim("aud", in: .keyBinding)) { forge, _ in forge.bindingClaims[3] = nil },
        Case("another audience", .wrongAudience) { forge, _ in forge.bindingClaims[3] = "https://other.example" },
        Case("audience of another type", .invalidClaim("aud", in: .keyBinding)) { forge, _ in
            forge.bindingClaims[3] = 1
        },
        Case("no nonce", .missingClaim("cnonce", in: .keyBinding)) { forge, _ in forge.bindingClaims[39] = nil },
        Case("another nonce", .wrongNonce) { forge, _ in forge.bindingClaims[39] = .bytes([1]) },
        Case("nonce of another type", .invalidClaim("cnonce", in: .keyBinding)) { forge, _ in
            forge.bindingClaims[39] = "nonce"
        },
        Case("neither iat nor cti", .missingClaim("iat", in: .keyBinding)) { forge, _ in forge.bindingClaims[6] = nil },
        Case("cti of another type", .invalidClaim("cti", in: .keyBinding)) { forge, _ in forge.bindingClaims[7] = 1 },
        Case("exp without iat", .contradictoryTimes(rule: "a key binding with exp or nbf has iat")) { forge, _ in
            forge.bindingClaims[6] = nil
            forge.bindingClaims[7] = .bytes([1])
            forge.bindingClaims[4] = .unsigned(ClaimsParty.now + 1)
        },
        Case("exp after the credential's", .contradictoryTimes(rule: "exp of the key binding ≤ exp")) { forge, _ in
            forge.bindingClaims[4] = .unsigned(ClaimsParty.expires + 1)
        },
        Case("nbf before the credential's", .contradictoryTimes(rule: "nbf of the key binding ≥ nbf")) { forge, _ in
            forge.claims[5] = .unsigned(ClaimsParty.issuedAt)
            forge.bindingClaims[5] = .unsigned(ClaimsParty.issuedAt - 1)
        },
        Case("iat before the credential's", .contradictoryTimes(rule: "iat of the key binding ≥ iat")) { forge, _ in
            forge.bindingClaims[6] = .unsigned(ClaimsParty.issuedAt - 1)
        },
        Case("iat before the credential's nbf", .contradictoryTimes(rule: "iat of the key binding ≥ nbf")) { forge, _ in
            forge.claims[6] = nil
            forge.claims[5] = .unsigned(ClaimsParty.now + 1)
        },
        Case("iat at the credential's exp", .contradictoryTimes(rule: "iat of the key binding < exp")) { forge, _ in
            forge.claims[4] = .unsigned(ClaimsParty.now)
        },
        Case("expired", .expired(at: ClaimsParty.now - 60, in: .keyBinding)) { forge, _ in
            forge.bindingClaims[6] = .unsigned(ClaimsParty.now - 70)
            forge.bindingClaims[4] = .unsigned(ClaimsParty.now - 60)
        },
        Case("made in the future", .issuedInFuture(at: ClaimsParty.now + 61, in: .keyBinding)) { forge, _ in
            forge.bindingClaims[6] = .unsigned(ClaimsParty.now + 61)
        },
        Case("made too long ago", .keyBindingTooOld(issuedAt: ClaimsParty.now - 661)) { forge, _ in
            forge.bindingClaims[6] = .unsigned(ClaimsParty.now - 661)
        },
        Case("mark of redaction", .reservedName(in: .keyBinding)) { forge, _ in
            forge.bindingClaims[.simple(59)] = .array([])
        },
    ])
    func refusesKeyBindings(_ refusal: Case) throws {
        try refuses(refusal)
    }

    @Test func acceptsWhatIsAtTheBounds() throws {
        let party = try ClaimsParty(seed: 41)
        let changes: [Change] = [
            { forge, _ in forge.header[170] = nil },
            { forge, _ in forge.header[16] = "application/sd-cwt" },
            { forge, _ in forge.bindingHeader[16] = "application/kb+cwt" },
            { forge, _ in forge.header[1] = -19 },
            { forge, _ in forge.claims[4] = .unsigned(ClaimsParty.now + 1) },
            { forge, _ in forge.claims[4] = .double(Double(ClaimsParty.now) + 0.5) },
            { forge, _ in forge.bindingClaims[6] = .unsigned(ClaimsParty.now - 660) },
            { forge, _ in forge.bindingClaims[6] = .unsigned(ClaimsParty.now + 60) },
            { forge, _ in forge.claims[2] = nil },
            { forge, _ in
                forge.bindingClaims[6] = nil
                forge.bindingClaims[7] = .bytes([1])
            },
            { forge, _ in forge.claims["a"] = .tag(1, .unsigned(1)) },
            { forge, _ in forge.claims["a"] = .simple(60) },
            { forge, _ in forge.claims[3] = .text(ClaimsParty.audience) },
        ]
        for (index, change) in changes.enumerated() {
            var forge = try SDCWTForge(party)
            try change(&forge, party)
            let presentation = try forge.presentation(party)
            #expect(throws: Never.self, "\(index)") { try party.verify(presentation) }
        }
    }

    @Test func refusesWhatIsTooLarge() throws {
        let party = try ClaimsParty(seed: 42)
        let large = [UInt8](repeating: 0, count: SDCWT.maximumPresentationCount + 1)
        #expect(throws: CredentialError.sizeExceeded(limit: 49_152, in: .keyBinding)) { try party.verify(large) }
        let bytes = [UInt8](repeating: 0, count: SDCWT.maximumCount + 1)
        #expect(throws: CredentialError.sizeExceeded(limit: 32_768, in: .credential)) { try party.hold(bytes) }
    }

    @Test func refusesEveryCutAndEveryChangedByte() throws {
        let party = try ClaimsParty(seed: 43)
        let presentation = try SDCWTForge(party).presentation(party)
        for count in 0..<presentation.count {
            #expect(throws: CredentialError.self) { try party.verify(Array(presentation[..<count])) }
            var changed = presentation
            changed[count] ^= 1
            #expect(throws: CredentialError.self, "byte \(count)") { try party.verify(changed) }
        }
    }

    // MARK: Holder and issuer

    @Test func holderRefusesDigestsWithoutDisclosure() throws {
        let party = try ClaimsParty(seed: 44)
        let forge = try SDCWTForge(party)
        let bytes = try forge.credential(party).encoded()
        #expect(throws: CredentialError.undisclosedDigest) { try party.hold(bytes) }
    }

    @Test func holderRefusesAnothersCredential() throws {
        let party = try ClaimsParty(seed: 45)
        let other = try ClaimsParty(seed: 46)
        let bytes = try party.issue()
        #expect(throws: CredentialError.wrongHolderKey) {
            try SDCWT.hold(bytes, for: other.holder.publicKey, issuerKey: party.issuerKey, now: ClaimsParty.now)
        }
        let credential = try party.hold(bytes)
        #expect(throws: CredentialError.wrongHolderKey) { try other.present(credential, []) }
        let absent = try path("nothing")
        #expect(throws: CredentialError.unknownClaim(absent)) { try party.present(credential, [absent]) }
    }

    @Test func issuerRefusesContentThatNoVerifierWouldTake() throws {
        let party = try ClaimsParty(seed: 47)
        let cases: [(CredentialError, (inout CredentialContent) throws -> Void)] = [
            (.missingClaim("sub", in: .credential), { $0.subject = nil }),
            (.notRedactable("exp"), { $0.redacting.append(try ClaimPath([.number(4)]).unwrapped) }),
            (.notRedactable("cnf"), { $0.redacting.append(try ClaimPath([.number(8)]).unwrapped) }),
            (
                .unknownClaim(try path("languages", "first")),
                { $0.redacting.append(try path("languages", "first")) }
            ),
            (.unknownClaim(try path("nothing")), { $0.redacting.append(try path("nothing")) }),
            (.contradictoryTimes(rule: "iat < exp"), { $0.expires = $0.issuedAt }),
            (.forbiddenClaim("iss", in: .credential), { $0.claims = try CBORMap([.init(1, "other")]) }),
            (.reservedName(in: .credential), { $0.claims = try CBORMap([.init(.null, "other")]) }),
            (.tooManyDisclosures(limit: 128), { $0.decoyCount = 123 }),
            (.invalidClaim("status", in: .credential), { $0.status = StatusReference(uri: "", index: 0) }),
            (
                .sizeExceeded(limit: 32_768, in: .credential),
                {
                    $0.claims = try CBORMap(
                        $0.claims.entries + [.init("photo", .bytes(Array(repeating: 0, count: 33_000)))])
                }
            ),
        ]
        for (error, change) in cases {
            var content = try party.content()
            try change(&content)
            #expect(throws: error) { try party.issue(content) }
        }
    }
}

extension CBORValue {
    fileprivate var content: CBORValue {
        if case .tag(_, let content) = self { content } else { self }
    }

    fileprivate var flippingLastByte: CBORValue {
        guard case .bytes(var bytes) = self else { return self }
        bytes[bytes.count - 1] ^= 1
        return .bytes(bytes)
    }
}
