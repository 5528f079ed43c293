internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

extension SDJWTVectors {
    private static let now: UInt64 = 1_780_000_000
    private static let issuer = "https://issuer.example"
    private static let audience = "https://vendor.example"

    static func make(_ maker: inout VectorMaker) throws {
        try makeJSON(&maker)
        try makeKeys(&maker)
        let issuerKey = SigningKey.generate(using: &maker.entropy)
        let holderSeed = maker.random(SigningKey.seedCount)
        let forge = VectorSDJWT(
            issuer: try SigningKey(seed: SecretBytes(copying: issuerKey.seed)),
            holder: try SigningKey(seed: SecretBytes(copying: holderSeed.bytes)),
            nonce: Base64URL.encode(maker.random(16)), audience: audience, now: now)
        maker.share("issuer", .text(issuer))
        maker.share(
            "issuerKey", .text(try jsonText(.map(CredentialVerificationKey.ed25519(issuerKey.publicKey).jwk()))))
        maker.share("audience", .text(audience))
        maker.share("nonce", .text(forge.nonce))
        maker.share("now", .number(now))
        try makeIssued(&maker, issuerKey, holderSeed)
        try makeDisclosures(&maker, forge)
        try makeHashes(&maker, forge)
        try makeClaims(&maker, forge)
        try makeBindings(&maker, forge)
    }

    private static func makeJSON(_ maker: inout VectorMaker) throws {
        for (name, text) in [
            ("every kind of value", #" {"a" : [true, false, null, 0, -1, 1.5e3, "x"], "é" : {}} "#),
            ("integers of 64 bits", "[18446744073709551615,-18446744073709551615,9007199254740993]"),
            ("escapes", #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#),
            ("16 levels", String(repeating: "[", count: 16) + String(repeating: "]", count: 16)),
        ] {
            try maker.accept(name, "json", ["text": .hex(Array(text.utf8))])
        }
        for (name, text, error) in [
            ("nothing", "", "truncated"), ("open array", "[1", "truncated"), ("two values", "1 2", "trailingBytes"),
            ("leading zero", "01", "unexpectedCharacter"), ("plus", "+1", "unexpectedCharacter"),
            ("comma at the end", "[1,]", "unexpectedCharacter"), ("comment", "/**/1", "unexpectedCharacter"),
            ("line break in a text", "\"a\nb\"", "unexpectedCharacter"), ("NaN", "NaN", "unexpectedCharacter"),
            ("byte order mark", "\u{feff}1", "unexpectedCharacter"),
            ("half of a surrogate pair", #""\ud800""#, "invalidText"),
            ("a name twice", #"{"a":1,"\u0061":2}"#, "duplicateName"),
            ("17 levels", String(repeating: "[", count: 17) + String(repeating: "]", count: 17), "depthExceeded"),
            ("integer of 65 bits", "18446744073709551616", "numberOutOfRange"),
            ("double beyond all", "1e400", "numberOutOfRange"),
            ("4,097 bytes", String(repeating: " ", count: 4_096) + "1", "sizeExceeded"),
        ] {
            try maker.refuse("JSON: " + name, "json", ["text": .hex(Array(text.utf8))], "json/" + error)
        }
        try maker.refuse("JSON: not UTF-8", "json", ["text": .hex([0x22, 0xC0, 0x80, 0x22])], "json/invalidText")
    }

    private static func makeKeys(_ maker: inout VectorMaker) throws {
        let ed25519 = CredentialVerificationKey.ed25519(SigningKey.generate(using: &maker.entropy).publicKey)
        let p256 = CredentialVerificationKey.p256(P256SigningKey.generate(using: &maker.entropy).publicKey)
        func members(_ key: CredentialVerificationKey, _ changes: [String: String?]) throws -> VectorValue {
            var members = key.jwk().entries.filter { entry in !changes.keys.contains { entry.key == .text($0) } }
            for case (let name, let value?) in changes { members.append(CBORMap.Entry(.text(name), .text(value))) }
            return .text(try jsonText(.map(CBORMap(members))))
        }
        try maker.accept("Ed25519 key", "key", ["jwk": members(ed25519, ["kid": "1", "use": "sig", "alg": "EdDSA"])])
        try maker.accept("P-256 key", "key", ["jwk": members(p256, ["other": "ignored"])])
        let small = Base64URL.encode([1] + [UInt8](repeating: 0, count: 31))
        let refusals: [(String, CredentialVerificationKey, [String: String?], String)] = [
            ("private part", ed25519, ["d": small], "privateKey"),
            ("symmetric", ed25519, ["kty": "oct", "k": small], "privateKey"),
            ("RSA", ed25519, ["kty": "RSA"], "unsupportedKey"),
            ("X25519", ed25519, ["crv": "X25519"], "unsupportedKey"),
            ("another algorithm", ed25519, ["alg": "ES256"], "unsupportedKey"),
            ("for encryption", ed25519, ["use": "enc"], "unsupportedKey"),
            ("no type", ed25519, ["kty": nil], "malformed"), ("no x", ed25519, ["x": nil], "malformed"),
            ("x of 31 bytes", ed25519, ["x": Base64URL.encode([UInt8](repeating: 1, count: 31))], "malformed"),
            ("padded x", ed25519, ["x": small + "="], "text/invalidCharacter"),
            ("small order", ed25519, ["x": small], "invalidKey"),
            ("no point of the curve", p256, ["y": small], "invalidKey"),
        ]
        for (name, key, changes, error) in refusals {
            try maker.refuse("key: " + name, "key", ["jwk": members(key, changes)], error)
        }
    }

    /// What this implementation issues and presents.
    private static func makeIssued(
        _ maker: inout VectorMaker, _ issuerKey: borrowing SigningKey, _ holderSeed: [UInt8]
    ) throws {
        let text = #"""
            {"given_name":"Ada","address":{"street":"Main 1","country":"DE"},"nationalities":["DE","GB"],"age_over_18":true}
            """#
        guard case .map(let claims) = try JSON.decode(Array(text.utf8), maximumSize: 1_024) else { return }
        var content = CredentialContent(issuer: issuer, type: "https://issuer.example/person", claims: claims)
        (content.subject, content.issuedAt, content.expires) = ("user-1", now - 100, now + 86_400)
        content.status = StatusReference(uri: "https://issuer.example/status/1", index: 412)
        content.decoyCount = 2
        let paths: [[ClaimPath.Step]] = [
            [.name("sub")], [.name("given_name")], [.name("address")], [.name("address"), .name("street")],
            [.name("nationalities"), .every], [.name("age_over_18")],
        ]
        content.redacting = paths.compactMap { ClaimPath($0) }
        let holder = try SigningKey(seed: SecretBytes(copying: holderSeed.bytes))
        let key = CredentialSigningKey.ed25519(try SigningKey(seed: SecretBytes(copying: issuerKey.seed)))
        let credential = try SDJWT.issue(
            content, holder: .ed25519(holder.publicKey), keyID: "1", with: key, using: &maker.entropy
        ).encoded()
        try maker.accept("what an issuer gave", "read", ["credential": .text(credential)])
        let asked: [(String, [VectorValue])] = [
            ("nothing", []),
            ("a claim within another", [.list([.text("address"), .text("street")])]),
            (
                "an element, and a claim that is visible",
                [.list([.text("nationalities"), .number(1)]), .list([.text("nationalities")])]
            ),
            ("every element and the subject", [.list([.text("nationalities"), .null]), .list([.text("sub")])]),
        ]
        for (name, paths) in asked {
            let made = try maker.accept(
                "present " + name, "present",
                [
                    "credential": .text(credential), "disclose": .list(paths), "issuedAt": .number(now),
                    "holderSeed": .hex(holderSeed),
                ])
            try maker.accept("verify " + name, "verify", ["presentation": .text(made.text("presentation"))])
        }
        try maker.refuse(
            "present a claim that is not there", "present",
            [
                "credential": .text(credential), "disclose": .list([.list([.text("nationalities"), .number(2)])]),
                "issuedAt": .number(now), "holderSeed": .hex(holderSeed),
            ], "unknownClaim")
        try maker.refuse(
            "present with another key", "present",
            [
                "credential": .text(credential), "disclose": .list([]), "issuedAt": .number(now),
                "holderSeed": .hex(maker.random(32)),
            ], "wrongHolderKey")
    }

    private static func makeDisclosures(_ maker: inout VectorMaker, _ forge: borrowing VectorSDJWT) throws {
        let name = VectorSDJWT.disclosure(#"["c2FsdA","given_name","Ada"]"#)
        let element = VectorSDJWT.disclosure(#"["c2FsdA","DE"]"#)
        let decoy = VectorSDJWT.digest("decoy")
        func digests(_ disclosures: String...) -> String {
            #""_sd":[\#(disclosures.map { "\"" + VectorSDJWT.digest($0) + "\"" }.joined(separator: ","))]"#
        }
        func inArray(_ disclosure: String) -> String { #""a":[{"...":"\#(VectorSDJWT.digest(disclosure))"}]"# }
        let outer = VectorSDJWT.disclosure(#"["c2FsdA","person",{\#(digests(name))}]"#)
        let deep = VectorSDJWT.disclosure(#"["c2FsdA",[[[[[[[[1]]]]]]]]]"#)
        let deeper = VectorSDJWT.disclosure(
            #"["c2FsdA",[[[[[[[[{"...":"\#(VectorSDJWT.digest(deep))"}]]]]]]]]]"#)
        for (title, claims, disclosures) in [
            ("decoys alone", #""_sd":["\#(decoy)"],"_sd_alg":"sha-256""#, [String]()),
            ("claim and element", digests(name) + "," + inArray(element), [name, element]),
            ("disclosure in a disclosure", digests(outer), [name, outer]),
        ] {
            try maker.accept(title, "verify", ["presentation": .text(forge.presentation(claims, disclosures))])
        }
        let loose = "WyJhIiwxXR"
        var refusals: [(String, String, [String], String)] = [
            ("a digest twice", digests(name, name), [name], "duplicateDigest"),
            ("a digest twice, at two places", #""_sd":["\#(decoy)"],"a":[{"...":"\#(decoy)"}]"#, [], "duplicateDigest"),
            ("a disclosure twice", digests(name), [name, name], "duplicateDigest"),
            ("a disclosure without a digest", "", [name], "unreferencedDisclosure"),
            ("a disclosure whose digest is hidden", digests(outer), [name], "unreferencedDisclosure"),
            ("a claim that is there already", #""given_name":"Eve","# + digests(name), [name], "claimExists"),
            ("an element's disclosure among claims", digests(element), [element], "misplacedDisclosure"),
            ("a claim's disclosure among elements", inArray(name), [name], "misplacedDisclosure"),
            ("padding behind a disclosure", digests(name + "="), [name + "="], "text/invalidCharacter"),
            ("bits left over behind a disclosure", digests(loose), [loose], "text/nonZeroTrailingBits"),
            ("digests that are none", #""_sd":[1]"#, [], "malformed"),
            ("_sd that is a text", #""_sd":"x""#, [], "malformed"),
            ("... as a claim", #""...":"x""#, [], "reservedName"),
            ("_sd_alg within a claim", #""a":{"_sd_alg":"sha-256"}"#, [], "reservedName"),
            ("another hash", #""_sd_alg":"sha-1""#, [], "unsupportedHash"),
            ("17 levels together", inArray(deeper), [deep, deeper], "depthExceeded"),
            ("129 disclosures", "", [String](repeating: name, count: 129), "tooManyDisclosures"),
        ]
        for reserved in ["_sd", "...", "_sd_alg"] {
            let disclosure = VectorSDJWT.disclosure(#"["c2FsdA","\#(reserved)",1]"#)
            refusals.append(("disclosed \(reserved)", digests(disclosure), [disclosure], "reservedName"))
        }
        for visible in ["nbf", "exp", "status", "vct#integrity", "aka_vcts"] {
            let disclosure = VectorSDJWT.disclosure(#"["c2FsdA","\#(visible)",1]"#)
            refusals.append(("disclosed \(visible)", digests(disclosure), [disclosure], "notRedactable"))
        }
        for shape in ["[]", #"["c2FsdA"]"#, #"["c2FsdA","a","b","c"]"#, #"[1,"a","b"]"#, #"["c2FsdA",1,"b"]"#] {
            let disclosure = VectorSDJWT.disclosure(shape)
            refusals.append(("disclosure \(shape)", digests(disclosure), [disclosure], "malformed"))
        }
        let twice = VectorSDJWT.disclosure(#"["c2FsdA","a",{"b":1,"b":2}]"#)
        refusals.append(("a name twice in a disclosure", digests(twice), [twice], "json/duplicateName"))
        for (title, claims, disclosures, error) in refusals {
            let presentation = try forge.presentation(claims, disclosures)
            try maker.refuse(title, "verify", ["presentation": .text(presentation)], error)
        }
    }

    private static func makeHashes(_ maker: inout VectorMaker, _ forge: borrowing VectorSDJWT) throws {
        let name = VectorSDJWT.disclosure(#"["c2FsdA","given_name","Ada"]"#)
        func claims(_ hash: String, digestBy other: String) -> String {
            #""_sd":["\#(VectorSDJWT.digest(name, by: other))"],"_sd_alg":"\#(hash)""#
        }
        for hash in ["sha-384", "sha-512"] {
            let right = claims(hash, digestBy: hash)
            try maker.accept(
                "digests of \(hash)", "verify", ["presentation": .text(forge.presentation(right, [name], hash: hash))])
            try maker.refuse(
                "a digest of SHA-256 beside \(hash)", "verify",
                ["presentation": .text(forge.presentation(claims(hash, digestBy: "sha-256"), [name], hash: hash))],
                "unreferencedDisclosure")
            try maker.refuse(
                "bound by SHA-256 beside \(hash)", "verify",
                ["presentation": .text(forge.presentation(right, [name]))], "wrongBinding")
        }
    }

    private static func makeClaims(_ maker: inout VectorMaker, _ forge: borrowing VectorSDJWT) throws {
        try maker.accept(
            "at the edge of its time", "verify",
            ["presentation": .text(forge.presentation(#""nbf":\#(now + 60),"exp":\#(now - 59)"#))])
        for (name, claims, error) in [
            ("expired", #""exp":\#(now - 60)"#, "expired"), ("not yet valid", #""nbf":\#(now + 61)"#, "notYetValid"),
            ("exp that is a text", #""exp":"2030""#, "invalidClaim"),
            ("sub that is a number", #""sub":1"#, "invalidClaim"),
            ("a status of no list", #""status":{"other":1}"#, "invalidClaim"),
            ("for somebody else", #""aud":"https://other.example""#, "wrongCredentialAudience"),
        ] {
            try maker.refuse("credential " + name, "verify", ["presentation": .text(forge.presentation(claims))], error)
        }
        for (name, replaced, by, error) in [
            ("without issuer", #""iss""#, #""x""#, "missingClaim"),
            ("without type", #""vct""#, #""x""#, "missingClaim"),
            ("without holder's key", #""cnf""#, #""x""#, "missingHolderKey"),
            ("with a cnf of another kind", #""jwk""#, #""x""#, "invalidClaim"),
            ("of an unknown issuer", "issuer.example", "other.example", "unknownIssuerKey"),
            ("issued in the future", "1779990000", "\(now + 61)", "issuedInFuture"),
        ] {
            let presentation = try forge.presentation(payload: { $0.replacing(replaced, with: by) })
            try maker.refuse("credential " + name, "verify", ["presentation": .text(presentation)], error)
        }
        for (name, header, error) in [
            ("of another type", #"{"alg":"EdDSA","typ":"vc+sd-jwt"}"#, "wrongType"),
            ("without a type", #"{"alg":"EdDSA"}"#, "missingHeader"),
            ("that nobody signed", #"{"alg":"none","typ":"dc+sd-jwt"}"#, "unsupportedAlgorithm"),
            ("of another algorithm than the key's", #"{"alg":"ES256","typ":"dc+sd-jwt"}"#, "wrongAlgorithm"),
            (
                "with a critical header", #"{"alg":"EdDSA","typ":"dc+sd-jwt","crit":["b64"],"b64":true}"#,
                "unsupportedHeader"
            ),
        ] {
            let presentation = try forge.presentation(header: header)
            try maker.refuse("credential " + name, "verify", ["presentation": .text(presentation)], error)
        }
        let whole = try forge.presentation()
        let pieces = whole.split(separator: ".", maxSplits: 2)
        let changed = try VectorSDJWT.disclosure(forge.payload(#""admin":true"#))
        for (name, presentation, error) in [
            ("changed", "\(pieces[0]).\(changed).\(pieces[2])", "invalidSignature"),
            ("without ~", String(whole.prefix { $0 != "~" }), "malformed"),
            ("of two parts", "\(pieces[0]).\(pieces[1])~x", "malformed"),
            ("of 49,153 bytes", String(repeating: "~", count: 49_153), "sizeExceeded"),
        ] {
            try maker.refuse("credential " + name, "verify", ["presentation": .text(presentation)], error)
        }
        try maker.refuse(
            "a presentation where a credential is to be", "read", ["credential": .text(whole)], "unexpectedKeyBinding")
    }

    private static func makeBindings(_ maker: inout VectorMaker, _ forge: borrowing VectorSDJWT) throws {
        try maker.accept("what the following change", "verify", ["presentation": .text(forge.presentation())])
        for (name, replaced, by, error) in [
            ("for somebody else", "vendor.example", "other.example", "wrongAudience"),
            ("in answer to another request", forge.nonce, "other", "wrongNonce"),
            ("for another credential", #""sd_hash":""#, #""sd_hash":"A"#, "wrongBinding"),
            ("from the future", "\(now)", "\(now + 61)", "issuedInFuture"),
            ("from long ago", "\(now)", "\(now - 661)", "keyBindingTooOld"),
            ("without a time", #""iat""#, #""x""#, "missingClaim"),
            ("without an audience", #""aud""#, #""x""#, "missingClaim"),
            ("without a nonce", #""nonce""#, #""x""#, "missingClaim"),
            ("without a digest", #""sd_hash""#, #""x""#, "missingClaim"),
            ("that has expired", "{", #"{"exp":\#(now - 60),"#, "expired"),
        ] {
            let presentation = try forge.presentation(binding: { $0.replacing(replaced, with: by) })
            try maker.refuse("proof " + name, "verify", ["presentation": .text(presentation)], error)
        }
        for (name, header, error) in [
            ("of another type", #"{"alg":"EdDSA","typ":"JWT"}"#, "wrongType"),
            ("of another algorithm than the key's", #"{"alg":"ES256","typ":"kb+jwt"}"#, "wrongAlgorithm"),
        ] {
            let presentation = try forge.presentation(bindingHeader: header)
            try maker.refuse("proof " + name, "verify", ["presentation": .text(presentation)], error)
        }
        let whole = try forge.presentation()
        try maker.refuse(
            "no proof", "verify", ["presentation": .text(String(whole.prefix { $0 != "~" } + "~"))], "missingKeyBinding"
        )
        let disclosure = VectorSDJWT.disclosure(#"["c2FsdA","given_name","Ada"]"#)
        let disclosing = try forge.presentation(#""_sd":["\#(VectorSDJWT.digest(disclosure))"]"#, [disclosure])
        try maker.refuse(
            "a disclosure taken out", "verify",
            ["presentation": .text(disclosing.replacing(disclosure + "~", with: ""))], "wrongBinding")
        let other = VectorSDJWT(
            issuer: try SigningKey(seed: SecretBytes(copying: forge.issuer.seed)),
            holder: SigningKey.generate(using: &maker.entropy), nonce: forge.nonce, audience: audience, now: now)
        let stolen = try forge.presentation().prefix { $0 != "~" } + "~"
        let proof = try other.proof(of: String(stolen))
        try maker.refuse(
            "proof of another key", "verify", ["presentation": .text(stolen + proof)], "invalidSignature")
    }
}
