@testable import HandfastClaims
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let claimsJSON = [
        FuzzTarget(name: "json", seeds: jsonSeeds, run: json),
        FuzzTarget(name: "jws", seeds: jwsSeeds, run: jws),
        FuzzTarget(name: "sd-jwt", seeds: presentationSeeds, run: presentation),
        FuzzTarget(name: "sd-jwt-disclosures", seeds: disclosureSeeds, run: disclosures),
    ]

    private static let now: UInt64 = 1_780_000_000

    private static func key(_ number: UInt8) throws -> CredentialSigningKey {
        .ed25519(try SigningKey(seed: SecretBytes(copying: [UInt8](repeating: number, count: 32).bytes)))
    }

    /// What reads comes back from its written form.
    @Sendable private static func json(_ input: [UInt8]) throws {
        guard let value = accepted({ try JSON.decode(input, maximumSize: 4_096) }) else { return }
        let written = try JSON.encode(value)
        try BrokenPromise.unless(
            try JSON.decode(written, maximumSize: .max) == value, "JSON: a value reads as another when written")
        try BrokenPromise.unless(accepted { try value.encoded() } != nil, "JSON: a value that CBOR cannot hold")
    }

    @Sendable private static func jsonSeeds() throws -> [[UInt8]] {
        [
            #"{"a":[true,false,null,0,-1,1.5e3,"x",18446744073709551615],"é":{}}"#,
            #"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]"#, #"{"_sd":["x"],"...":1,"_sd_alg":"sha-256"}"#,
            String(repeating: "[", count: 16) + String(repeating: "]", count: 16), "-0.0e-1",
        ].map { Array($0.utf8) }
    }

    /// Only what was signed verifies, and no text but the one that was.
    @Sendable private static func jws(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        guard let token = accepted({ try JWS(text, type: "test", maximumSize: 4_096) }) else { return }
        guard accepted({ try token.verify(with: key(1).publicKey) }) != nil else { return }
        try BrokenPromise.unless(try jwsSeeds().contains(Array(text.utf8)), "a token verifies that nobody signed")
    }

    @Sendable private static func jwsSeeds() throws -> [[UInt8]] {
        let claims = CBORMap(names: [("a", .unsigned(1)), ("b", .array([.text("x"), .double(0.5)]))])
        return try [nil, "key-1"].map { keyID in
            Array(try JWS.sign(claims, type: "test", keyID: keyID, with: key(1)).utf8)
        }
    }

    private static func content() throws -> CredentialContent {
        let address = CBORMap(names: [("street", .text("Main 1")), ("country", .text("DE"))])
        let claims = CBORMap(names: [
            ("name", .text("Ada")), ("address", .map(address)), ("nationalities", .array([.text("DE"), .text("GB")])),
        ])
        var content = CredentialContent(issuer: "https://issuer.example", type: "test", claims: claims)
        content.expires = now + 1_000
        let paths: [[ClaimPath.Step]] = [
            [.name("name")], [.name("address")], [.name("address"), .name("street")], [.name("nationalities"), .every],
        ]
        content.redacting = paths.compactMap { ClaimPath($0) }
        return content
    }

    private static func credential() throws -> SDJWT {
        var entropy = FixedEntropy()
        return try SDJWT.issue(content(), holder: key(2).publicKey, with: key(1), using: &entropy)
    }

    /// A presentation that verifies shows nothing that the issuer did not say.
    @Sendable private static func presentation(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        if let credential = accepted({ try SDJWT(decoding: text) }) {
            try BrokenPromise.unless(credential.encoded() == text, "a credential has two written forms")
        }
        let issuer = try key(1).publicKey
        let shown = accepted {
            try SDJWT.verify(text, audience: "vendor", nonce: "nonce", now: now) { _, _ in issuer }
        }
        guard let shown else { return }
        let full = try credential().full
        for entry in shown.claims.entries {
            let isPart =
                switch entry.value {
                case .map, .array: full.claims[entry.key] != nil
                default: full.claims[entry.key] == entry.value
                }
            try BrokenPromise.unless(isPart, "a presentation shows what the issuer never said")
        }
    }

    @Sendable private static func presentationSeeds() throws -> [[UInt8]] {
        let credential = try credential()
        let chosen: [[ClaimPath]] = [[], [credential.redacted[0]], credential.redacted]
        return try chosen.map { paths in
            Array(
                try credential.present(
                    disclosing: paths, audience: "vendor", nonce: "nonce", issuedAt: now, with: key(2)
                ).utf8)
        } + [Array(credential.encoded().utf8)]
    }

    /// An issuer's claims and disclosures as lines of JSON: whatever comes of them has nothing of the format's own left.
    @Sendable private static func disclosures(_ input: [UInt8]) throws {
        var lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 16, omittingEmptySubsequences: false)
        let first = Array(lines.removeFirst())
        guard case .map(let claims)? = accepted({ try JSON.decode(first, maximumSize: 4_096) }) else { return }
        var disclosures: [SDJWTDisclosure] = []
        for (index, line) in lines.enumerated() {
            let text = Base64URL.encode(Array(line))
            guard let disclosure = accepted({ try SDJWTDisclosure(decoding: text[...], index: index) }) else { return }
            disclosures.append(disclosure)
        }
        // Digests cannot be guessed: the text `#n` stands for that of disclosure n.
        let digests = disclosures.map { SDJWTHash.sha256.digest(of: $0.text) }
        let joined = substituting(.map(claims), digests)
        guard case .map(let payload) = joined,
            let resolved = accepted({ try DisclosureResolver.resolve(payload, with: disclosures) })
        else { return }
        try BrokenPromise.unless(resolved.places.count == disclosures.count, "a disclosure without a place")
        try BrokenPromise.unless(isPlain(.map(resolved.claims)), "something of the format's own is left")
        try BrokenPromise.unless(accepted { try JSON.encode(.map(resolved.claims)) } != nil, "claims nest too deep")
        for place in resolved.places {
            try BrokenPromise.unless(place.leads(in: resolved.claims), "a disclosure stands elsewhere than it says")
        }
    }

    private static func substituting(_ value: CBORValue, _ digests: [String]) -> CBORValue {
        switch value {
        case .text(let text):
            guard text.hasPrefix("#"), let index = Int(text.dropFirst()), digests.indices.contains(index) else {
                return value
            }
            return .text(digests[index])
        case .array(let items): return .array(items.map { substituting($0, digests) })
        case .map(let map):
            let entries = map.entries.map { CBORMap.Entry($0.key, substituting($0.value, digests)) }
            return (try? CBORMap(entries)).map(CBORValue.map) ?? value
        default: return value
        }
    }

    private static func isPlain(_ value: CBORValue) -> Bool {
        switch value {
        case .array(let items): items.allSatisfy(isPlain)
        case .map(let map):
            map.entries.allSatisfy { entry in
                guard case .text(let name) = entry.key else { return false }
                return !SDJWTName.isReserved(name) && isPlain(entry.value)
            }
        default: true
        }
    }

    @Sendable private static func disclosureSeeds() throws -> [[UInt8]] {
        let seeds: [[String]] = [
            [##"{"a":1,"_sd":["#0","decoy"],"_sd_alg":"sha-256"}"##, #"["salt","b",{"c":[1,2]}]"#],
            [##"{"a":[{"...":"#0"},{"...":"#1"},{"...":"decoy"}]}"##, #"["salt",1]"#, #"["salt",[2]]"#],
            [##"{"a":{"_sd":["#1"]},"_sd":["#0"]}"##, #"["s","b",1]"#, #"["s","b",1.5]"#],
        ]
        return seeds.map { Array($0.joined(separator: "\n").utf8) }
    }
}
