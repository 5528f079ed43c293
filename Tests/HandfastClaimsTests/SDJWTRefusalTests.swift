import HandfastClaims
import HandfastEncoding
import Testing

/// One test for each rule that a presentation can break; everything else about it is right.
@Suite struct SDJWTRefusalTests {
    private let forge: SDJWTForge
    private static let name = SDJWTForge.disclosure(#"["c2FsdA","given_name","Ada"]"#)
    private static let element = SDJWTForge.disclosure(#"["c2FsdA","DE"]"#)

    init() throws {
        forge = try SDJWTForge()
    }

    private static func digests(_ disclosures: String...) -> String {
        let texts = disclosures.map { "\"" + SDJWTForge.digest($0) + "\"" }
        return #""_sd":[\#(texts.joined(separator: ","))]"#
    }

    private func expect(
        _ error: CredentialError, claims: String = "", disclosures: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let presentation = try forge.presentation(payload: forge.payload(claims), disclosures: disclosures)
        #expect(throws: error, sourceLocation: sourceLocation) { try forge.verify(presentation) }
    }

    private func expect(
        _ error: CredentialError, binding: String, header: String = #"{"alg":"EdDSA","typ":"kb+jwt"}"#,
        signer: UInt8 = 2, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let presentation = try forge.presentation(
            payload: forge.payload(), bindingHeader: header, binding: binding, bindingSigner: signer)
        #expect(throws: error, sourceLocation: sourceLocation) { try forge.verify(presentation) }
    }

    @Test func acceptsWhatTheOthersChange() throws {
        let claims = Self.digests(Self.name) + #","a":[{"...":"\#(SDJWTForge.digest(Self.element))"}]"#
        let presentation = try forge.presentation(
            payload: forge.payload(claims), disclosures: [Self.name, Self.element])
        let shown = try forge.verify(presentation)
        #expect(shown.claims["given_name"] == .text("Ada") && shown.claims["a"] == .array([.text("DE")]))
    }

    @Test(arguments: ["sha-384", "sha-512"])
    func acceptsDigestsOfTheHashThatIsNamedAndNoneOfAnotherBesideThem(_ hash: String) throws {
        let long = #""_sd":["\#(SDJWTForge.digest(Self.name, by: hash))"],"_sd_alg":"\#(hash)""#
        let payload = try forge.payload(long)
        let bound = try forge.credential(payload: payload, disclosures: [Self.name])
        let presentation = try forge.presentation(
            payload: payload, disclosures: [Self.name],
            binding: SDJWTForge.binding(sdHash: SDJWTForge.digest(bound, by: hash)))
        #expect(try forge.verify(presentation).claims["given_name"] == .text("Ada"))
        let short = try forge.presentation(payload: payload, disclosures: [Self.name])
        #expect(throws: CredentialError.self) { try forge.verify(short) }
        try expect(
            .unreferencedDisclosure(0), claims: Self.digests(Self.name) + #","_sd_alg":"\#(hash)""#,
            disclosures: [Self.name])
    }

    @Test func acceptsNestedDisclosures() throws {
        let inner = Self.name
        let outer = SDJWTForge.disclosure(#"["c2FsdA","person",{\#(Self.digests(inner))}]"#)
        let presentation = try forge.presentation(
            payload: forge.payload(Self.digests(outer) + #","_sd_alg":"sha-256""#), disclosures: [inner, outer])
        let shown = try forge.verify(presentation)
        let person = try CBORMap([.init(.text("given_name"), .text("Ada"))])
        #expect(shown.claims["person"] == .map(person))
    }

    // MARK: Disclosures

    @Test func refusesADigestThatOccursTwice() throws {
        try expect(.duplicateDigest, claims: Self.digests(Self.name, Self.name), disclosures: [Self.name])
        let decoy = SDJWTForge.digest("decoy")
        try expect(.duplicateDigest, claims: #""_sd":["\#(decoy)"],"a":[{"...":"\#(decoy)"}]"#)
        let outer = SDJWTForge.disclosure(#"["c2FsdA","person",{"_sd":["\#(decoy)"]}]"#)
        try expect(
            .duplicateDigest, claims: #""_sd":["\#(SDJWTForge.digest(outer))","\#(decoy)"]"#, disclosures: [outer])
    }

    @Test func refusesADisclosureThatOccursTwice() throws {
        try expect(.duplicateDigest, claims: Self.digests(Self.name), disclosures: [Self.name, Self.name])
    }

    @Test func refusesADisclosureThatNoDigestRefersTo() throws {
        try expect(.unreferencedDisclosure(0), disclosures: [Self.name])
        let hidden = SDJWTForge.disclosure(#"["c2FsdA","person",{\#(Self.digests(Self.name))}]"#)
        try expect(.unreferencedDisclosure(0), claims: Self.digests(hidden), disclosures: [Self.name])
    }

    @Test func comparesDigestsByBytes() throws {
        let disclosures = (0..<100).map { SDJWTForge.disclosure(#"["\#($0)","given_name","Ada"]"#) }
        let disclosure = try #require(disclosures.first { SDJWTForge.digest($0).contains("K") })
        let digest = SDJWTForge.digest(disclosure).replacing("K", with: "\u{212A}")
        try expect(.unreferencedDisclosure(0), claims: #""_sd":["\#(digest)"]"#, disclosures: [disclosure])
    }

    @Test(arguments: ["_sd", "...", "_sd_alg"])
    func refusesAReservedName(name: String) throws {
        let disclosure = SDJWTForge.disclosure(#"["c2FsdA","\#(name)","x"]"#)
        try expect(
            .reservedName(in: .disclosure(0)), claims: Self.digests(disclosure), disclosures: [disclosure])
    }

    @Test func refusesAReservedNameAmongTheClaims() throws {
        try expect(.reservedName(in: .credential), claims: #""...":"x""#)
        try expect(.reservedName(in: .credential), claims: #""a":[{"...":"x","b":1}]"#)
        try expect(.reservedName(in: .credential), claims: #""a":{"_sd_alg":"sha-256"}"#)
    }

    @Test func refusesADisclosedClaimThatIsThereAlready() throws {
        try expect(
            .claimExists(in: .disclosure(0)), claims: #""given_name":"Eve","# + Self.digests(Self.name),
            disclosures: [Self.name])
        let other = SDJWTForge.disclosure(#"["b3RoZXI","given_name","Eve"]"#)
        try expect(
            .claimExists(in: .disclosure(1)), claims: Self.digests(Self.name, other), disclosures: [Self.name, other])
    }

    @Test(arguments: [
        #"[]"#, #"["c2FsdA"]"#, #"["c2FsdA","a","b","c"]"#, #"[1,"a","b"]"#, #"["c2FsdA",1,"b"]"#, #"{"a":1}"#,
    ])
    func refusesADisclosureOfAnotherShape(json: String) throws {
        let disclosure = SDJWTForge.disclosure(json)
        try expect(.malformed(.disclosure(0)), claims: Self.digests(disclosure), disclosures: [disclosure])
    }

    @Test func refusesANamedDisclosureInAnArrayAndANamelessOneInAnObject() throws {
        try expect(.misplacedDisclosure(0), claims: Self.digests(Self.element), disclosures: [Self.element])
        try expect(
            .misplacedDisclosure(0), claims: #""a":[{"...":"\#(SDJWTForge.digest(Self.name))"}]"#,
            disclosures: [Self.name])
    }

    @Test func refusesADisclosureThatIsNotCanonicalBase64url() throws {
        let padded = Self.name + "="
        try expect(
            .text(.invalidCharacter(at: Self.name.utf8.count), in: .disclosure(0)), claims: Self.digests(padded),
            disclosures: [padded])
        let loose = "WyJhIiwxXR"
        try expect(
            .text(.nonZeroTrailingBits, in: .disclosure(0)), claims: Self.digests(loose), disclosures: [loose])
    }

    @Test func refusesADisclosureThatIsNotJSON() throws {
        let disclosure = SDJWTForge.disclosure(#"["c2FsdA","a",{"b":1,"b":2}]"#)
        try expect(
            .json(.duplicateName(at: 14), in: .disclosure(0)), claims: Self.digests(disclosure),
            disclosures: [disclosure])
    }

    @Test(arguments: [#""_sd":"x""#, #""_sd":[1]"#, #""a":[{"...":1}]"#])
    func refusesDigestsOfAnotherShape(claims: String) throws {
        try expect(.malformed(.credential), claims: claims)
    }

    @Test(arguments: [#""_sd_alg":"sha-1""#, #""_sd_alg":1"#])
    func refusesAnotherHash(claims: String) throws {
        try expect(.unsupportedHash, claims: claims)
    }

    @Test func refusesDisclosuresThatNestTooDeepTogether() throws {
        var disclosures = [SDJWTForge.disclosure(#"["c2FsdA",[[[[[[[[1]]]]]]]]]"#)]
        disclosures.append(
            SDJWTForge.disclosure(#"["c2FsdA",[[[[[[[[{"...":"\#(SDJWTForge.digest(disclosures[0]))"}]]]]]]]]]"#))
        try expect(
            .depthExceeded, claims: #""a":[{"...":"\#(SDJWTForge.digest(disclosures[1]))"}]"#,
            disclosures: disclosures)
    }

    @Test func refusesTooManyDisclosures() throws {
        let disclosures = (0...128).map { SDJWTForge.disclosure(#"["c2FsdA","\#($0)",1]"#) }
        try expect(.tooManyDisclosures(limit: 128), disclosures: disclosures)
    }

    @Test(arguments: ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"])
    func refusesADisclosedClaimThatMustBeVisible(name: String) throws {
        let disclosure = SDJWTForge.disclosure(#"["c2FsdA","\#(name)",1]"#)
        let claims = Self.digests(disclosure)
        let payload = try forge.payload(claims).replacing(#""\#(name)":"#, with: #""x":"#)
        let presentation = try forge.presentation(payload: payload, disclosures: [disclosure])
        let error: CredentialError = name == "iss" ? .missingClaim("iss", in: .credential) : .notRedactable(name)
        #expect(throws: error) { try forge.verify(presentation) }
    }

    @Test func refusesADisclosureWithinAClaimThatMustBeVisible() throws {
        let disclosure = SDJWTForge.disclosure(#"["c2FsdA","uri","https://x"]"#)
        try expect(
            .notRedactable("status"), claims: #""status":{"status_list":{"idx":1,\#(Self.digests(disclosure))}}"#,
            disclosures: [disclosure])
    }

    // MARK: The credential's claims

    @Test func refusesACredentialWithoutIssuerOrType() throws {
        let payload = try forge.payload()
        for name in ["iss", "vct"] {
            let presentation = try forge.presentation(payload: payload.replacing(#""\#(name)":"#, with: #""x":"#))
            #expect(throws: CredentialError.missingClaim(name, in: .credential)) { try forge.verify(presentation) }
            let wrong = try forge.presentation(
                payload: payload.replacing(#""\#(name)":""#, with: #""\#(name)":1,"x":""#))
            #expect(throws: CredentialError.invalidClaim(name, in: .credential)) { try forge.verify(wrong) }
        }
    }

    @Test func refusesAnUnknownIssuer() throws {
        let presentation = try forge.presentation(
            payload: forge.payload().replacing("issuer.example", with: "other.example"))
        #expect(throws: CredentialError.unknownIssuerKey) { try forge.verify(presentation) }
    }

    @Test func refusesAnExpiredCredential() throws {
        let now = SDJWTForge.now
        try expect(.expired(at: now - 60, in: .credential), claims: #""exp":\#(now - 60)"#)
        try forge.verify(forge.presentation(payload: forge.payload(#""exp":\#(now - 59)"#)))
    }

    @Test func refusesACredentialBeforeItsTime() throws {
        let now = SDJWTForge.now
        try expect(.notYetValid(from: now + 61, in: .credential), claims: #""nbf":\#(now + 61)"#)
        try forge.verify(forge.presentation(payload: forge.payload(#""nbf":\#(now + 60)"#)))
    }

    @Test func refusesACredentialIssuedInTheFuture() throws {
        let presentation = try forge.presentation(
            payload: forge.payload().replacing("1799990000", with: "\(SDJWTForge.now + 61)"))
        #expect(throws: CredentialError.issuedInFuture(at: SDJWTForge.now + 61, in: .credential)) {
            try forge.verify(presentation)
        }
    }

    @Test func refusesACredentialThatIsForOthers() throws {
        try expect(.wrongCredentialAudience, claims: #""aud":"https://other.example""#)
        try expect(.wrongCredentialAudience, claims: #""aud":["https://other.example"]"#)
        let both = #""aud":["https://other.example","https://vendor.example"]"#
        try forge.verify(forge.presentation(payload: forge.payload(both)))
    }

    @Test(arguments: [
        (#""exp":"2030""#, "exp"), (#""exp":-1"#, "exp"), (#""nbf":null"#, "nbf"), (#""sub":1"#, "sub"),
        (#""aud":1"#, "aud"),
        (#""status":1"#, "status"), (#""status":{"other":1}"#, "status"),
        (#""status":{"status_list":{"idx":-1,"uri":"https://x"}}"#, "status"),
        (#""status":{"status_list":{"idx":1,"uri":""}}"#, "status"), (#""status":{"status_list":{"idx":1}}"#, "status"),
    ])
    func refusesAClaimOfAWrongType(claims: String, name: String) throws {
        try expect(.invalidClaim(name, in: .credential), claims: claims)
    }

    @Test func refusesACredentialWithoutHolderKey() throws {
        let none = try forge.presentation(payload: forge.payload(cnf: ""))
        #expect(throws: CredentialError.missingHolderKey) { try forge.verify(none) }
        let other = try forge.presentation(payload: forge.payload(cnf: #""cnf":{"kid":"x"}"#))
        #expect(throws: CredentialError.invalidClaim("cnf", in: .credential)) { try forge.verify(other) }
    }

    // MARK: The tokens

    @Test func refusesACredentialOfAnotherType() throws {
        let text = try forge.credential(payload: forge.payload(), header: #"{"alg":"EdDSA","typ":"vc+sd-jwt"}"#)
        #expect(throws: CredentialError.wrongType(expected: "dc+sd-jwt", in: .credential)) {
            try forge.verify(text + "x")
        }
    }

    @Test func refusesAChangedCredential() throws {
        let presentation = try forge.presentation(payload: forge.payload())
        let pieces = presentation.split(separator: ".", maxSplits: 2)
        let changed = try SDJWTForge.base64url(forge.payload(#""admin":true"#))
        #expect(throws: CredentialError.invalidSignature(in: .credential)) {
            try forge.verify("\(pieces[0]).\(changed).\(pieces[2])")
        }
    }

    @Test func refusesTextOfAnotherShape() throws {
        #expect(throws: CredentialError.malformed(.credential)) { try forge.verify("") }
        #expect(throws: CredentialError.malformed(.credential)) { try forge.verify("~x") }
        #expect(throws: CredentialError.sizeExceeded(limit: 49_152, in: .credential)) {
            try forge.verify(String(repeating: "~", count: 49_153))
        }
        let presentation = try forge.presentation(payload: forge.payload())
        #expect(throws: CredentialError.unexpectedKeyBinding) { try SDJWT(decoding: presentation) }
    }

    // MARK: The holder's proof

    @Test func refusesAPresentationWithoutProof() throws {
        let credential = try forge.credential(payload: forge.payload())
        #expect(throws: CredentialError.missingKeyBinding) { try forge.verify(credential) }
    }

    @Test func refusesAProofOfAnotherType() throws {
        try expect(
            .wrongType(expected: "kb+jwt", in: .keyBinding), binding: SDJWTForge.binding(),
            header: #"{"alg":"EdDSA","typ":"JWT"}"#)
    }

    @Test func refusesAProofOfAnotherKeyOrAlgorithm() throws {
        try expect(.invalidSignature(in: .keyBinding), binding: SDJWTForge.binding(), signer: 3)
        try expect(
            .wrongAlgorithm(expected: .edDSA, in: .keyBinding), binding: SDJWTForge.binding(),
            header: #"{"alg":"ES256","typ":"kb+jwt"}"#)
    }

    @Test func refusesAProofForSomebodyElse() throws {
        try expect(.wrongAudience, binding: SDJWTForge.binding(audience: "https://other.example"))
        try expect(
            .invalidClaim("aud", in: .keyBinding),
            binding: SDJWTForge.binding().replacing(#""https://vendor.example""#, with: #"["https://vendor.example"]"#))
    }

    @Test func refusesAProofThatAnswersAnotherRequest() throws {
        try expect(.wrongNonce, binding: SDJWTForge.binding(nonce: "other"))
        // The Kelvin sign, which Unicode takes for a K.
        try expect(.wrongNonce, binding: SDJWTForge.binding(nonce: "n-0S6_WzA2Mj\u{212A}"))
    }

    @Test func refusesAProofForOtherDisclosures() throws {
        try expect(.wrongBinding, binding: SDJWTForge.binding(sdHash: SDJWTForge.digest("other")))
        let presentation = try forge.presentation(
            payload: forge.payload(Self.digests(Self.name)), disclosures: [Self.name])
        let without = presentation.replacing(Self.name + "~", with: "")
        #expect(throws: CredentialError.wrongBinding) { try forge.verify(without) }
    }

    @Test func refusesAProofFromTheFuture() throws {
        let future = SDJWTForge.now + 61
        try expect(.issuedInFuture(at: future, in: .keyBinding), binding: SDJWTForge.binding(issuedAt: future))
    }

    @Test func refusesAProofFromLongAgo() throws {
        let old = SDJWTForge.now - 661
        try expect(.keyBindingTooOld(issuedAt: old), binding: SDJWTForge.binding(issuedAt: old))
        try forge.verify(
            forge.presentation(payload: forge.payload(), binding: SDJWTForge.binding(issuedAt: SDJWTForge.now - 660)))
    }

    @Test(arguments: ["iat", "aud", "nonce", "sd_hash"])
    func refusesAProofThatLacksAClaim(name: String) throws {
        try expect(
            .missingClaim(name, in: .keyBinding),
            binding: SDJWTForge.binding().replacing(#""\#(name)":"#, with: #""x":"#))
    }

    @Test func refusesAnExpiredProof() throws {
        let expired = SDJWTForge.now - 60
        try expect(
            .expired(at: expired, in: .keyBinding),
            binding: SDJWTForge.binding().replacing("{", with: #"{"exp":\#(expired),"#))
    }
}
