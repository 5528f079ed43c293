internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

extension StatusListVectors {
    private static let uri = "https://issuer.example/status/1"
    private static let now: UInt64 = 1_800_000_000

    static func make(_ maker: inout VectorMaker) throws {
        try makeLists(&maker)
        try makeStreams(&maker)
        try makeTokens(&maker)
        try makeWebTokenRefusals(&maker)
        try makeTextTokenRefusals(&maker)
        try makeUses(&maker)
    }

    // MARK: Lists

    private static func makeLists(_ maker: inout VectorMaker) throws {
        for bits in [1, 2, 4, 8] {
            let entries = (0..<5).map { _ in
                VectorValue.object([
                    "index": .number(Int.random(in: 0..<40, using: &maker.entropy)),
                    "status": .number(Int.random(in: 0..<(1 << bits), using: &maker.entropy)),
                ])
            }
            let input: VectorFields = ["bits": .number(bits), "count": .number(40), "entries": .list(entries)]
            let made = try maker.accept("list, \(bits) bits", "list", input)
            let inflated: VectorFields = ["bits": .number(bits), "compressed": made["compressed"]]
            try maker.accept("inflate, \(bits) bits", "inflate", inflated)
            let entry: VectorFields = ["bits": .number(bits), "bytes": made["bytes"]]
            try maker.accept("status, \(bits) bits", "status", entry.with("index", .number(39)))
            try maker.refuse(
                "status, \(bits) bits, beyond the end", "status", entry.with("index", .number(40)), "indexOutOfRange")
        }
        try maker.accept(
            "list, filled up to whole bytes", "list", ["bits": .number(1), "count": .number(9), "entries": .list([])])
        let four: VectorFields = ["bits": .number(4), "count": .number(2)]
        func setting(_ index: Int, _ status: Int) -> VectorFields {
            four.with("entries", .list([.object(["index": .number(index), "status": .number(status)])]))
        }
        try maker.refuse("list, a status of too many bits", "list", setting(0, 16), "statusTooLarge")
        try maker.refuse("list, an entry beyond the end", "list", setting(2, 1), "indexOutOfRange")
        try maker.refuse("list, 3 bits", "list", setting(0, 0).with("bits", .number(3)), "wrongBits")
        try maker.refuse("list, no entries", "list", setting(0, 0).with("count", .number(0)), "wrongCount")
    }

    private static func makeStreams(_ maker: inout VectorMaker) throws {
        let stream = try StatusList(bytes: maker.random(64), bits: 1).compressed
        func refuse(_ name: String, _ stream: [UInt8], _ error: String, bits: Int = 1) throws {
            try maker.refuse(
                "inflate, \(name)", "inflate", ["bits": .number(bits), "compressed": .hex(stream)], error)
        }
        try refuse("5 bits", stream, "wrongBits", bits: 5)
        try refuse("end cut off", Array(stream.dropLast()), "compressionTruncated")
        try refuse("nothing", [], "compressionTruncated")
        try refuse("a byte more", stream + [0], "compressionTrailing")
        try refuse("another stream behind", stream + stream, "compressionTrailing")
        try refuse("wrong checksum", Array(stream.dropLast()) + [stream[stream.count - 1] ^ 1], "compressionDamaged")
        try refuse("deflate without zlib", Array(stream[2..<(stream.count - 4)]), "compressionDamaged")
        try refuse("gzip", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], "compressionDamaged")
        try refuse("a preset dictionary", [0x78, 0xBB, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1], "compressionDamaged")
        try refuse("an empty stream", [0x78, 0xDA, 3, 0, 0, 0, 0, 1], "wrongCount")
        // 4 MiB of zeros shrink to 4 kB, and are twice what a list of one bit an entry may have.
        let bomb = try StatusList(count: 4 << 20, bits: 8).compressed
        try refuse("too many entries", bomb, "inflatedTooLarge")
    }

    // MARK: Tokens

    /// A token's input, with the public key for who verifies it.
    private static func input(_ maker: inout VectorMaker, _ format: StatusListToken.Format) -> VectorFields {
        [
            "seed": .hex(maker.random(32)), "format": .text(format.rawValue), "uri": .text(uri),
            "issuedAt": .number(now), "bits": .number(2), "bytes": .hex(maker.random(10)),
        ]
    }

    private static func verifying(_ token: [UInt8], _ input: VectorFields) throws -> VectorFields {
        let key = try input.signingKey("seed")
        return [
            "token": .hex(token), "uri": .text(uri),
            "keys": .list([.object(["algorithm": .text("EdDSA"), "key": .hex(key.publicKey.array)])]),
        ]
    }

    private static func makeTokens(_ maker: inout VectorMaker) throws {
        for format in StatusListToken.Format.allCases {
            let least = input(&maker, format)
            let most = least.with("keyID", .text("key 1")).with("expires", .number(now + 86_400))
                .with("timeToLive", .number(3_600))
            for (name, input) in [("least", least), ("with all", most)] {
                // JSON has many forms, so that the bytes of a JWT are nobody else's.
                let signed = try maker.accept(
                    "sign, \(format), \(name)", "sign", input, without: format == .jwt ? ["token"] : [])
                try maker.accept(
                    "verify, \(format), \(name)", "verify", verifying(signed.bytes("token"), input))
            }
            try maker.refuse(
                "sign, \(format), ends when it begins", "sign", most.with("expires", .number(now)), "wrongTimes")
            try maker.refuse(
                "sign, \(format), may be kept for no time", "sign", most.with("timeToLive", .number(0)), "wrongTimes")
            try maker.refuse(
                "sign, \(format), no scheme", "sign", most.with("uri", .text("issuer.example/1")), "wrongURI")
            try makeStrangers(&maker, most, format)
        }
        try makeES256(&maker)
    }

    private static func makeES256(_ maker: inout VectorMaker) throws {
        let key = CredentialSigningKey.p256(P256SigningKey.generate(using: &maker.entropy))
        guard case .p256(let publicKey) = key.publicKey else { return }
        let token = try StatusListToken(
            uri: uri, issuedAt: now, expires: nil, timeToLive: nil, list: StatusList(bytes: maker.random(4), bits: 1))
        for format in StatusListToken.Format.allCases {
            let keys: [VectorValue] = [.object(["algorithm": .text("ES256"), "key": .hex(publicKey.coordinates)])]
            let bytes = try token.signed(as: format, with: key)
            try maker.accept(
                "verify, \(format), ES256", "verify",
                ["token": .hex(bytes), "uri": .text(uri), "keys": .list(keys)])
        }
    }

    /// Tokens that are right, for somebody else.
    private static func makeStrangers(
        _ maker: inout VectorMaker, _ input: VectorFields, _ format: StatusListToken.Format
    ) throws {
        let signed = try operations["sign"].map { try $0(input).bytes("token") } ?? []
        let good = try verifying(signed, input)
        try maker.refuse(
            "verify, \(format), of another list", "verify", good.with("uri", .text(uri + "2")), "wrongSubject")
        let stranger = SigningKey.generate(using: &maker.entropy).publicKey
        try maker.refuse(
            "verify, \(format), of another issuer", "verify",
            good.with("keys", .list([.object(["algorithm": .text("EdDSA"), "key": .hex(stranger.array)])])),
            "token/invalidSignature")
        let curve = P256SigningKey.generate(using: &maker.entropy).publicKey
        try maker.refuse(
            "verify, \(format), no key of its algorithm", "verify",
            good.with("keys", .list([.object(["algorithm": .text("ES256"), "key": .hex(curve.coordinates)])])),
            "token/unknownIssuerKey")
    }

    // MARK: Refused CWT

    private static func makeWebTokenRefusals(_ maker: inout VectorMaker) throws {
        let input = input(&maker, .cwt)
        let key = try input.signingKey("seed")
        let type = StatusListToken.Format.cwt.type
        let stream = try StatusList(bytes: maker.random(10), bits: 2).compressed
        func list(_ changes: [String: CBORValue?] = [:]) throws -> CBORValue {
            var fields: [String: CBORValue] = ["bits": .unsigned(2), "lst": .bytes(stream)]
            for (name, value) in changes { fields[name] = value }
            return .map(try CBORMap(fields.map { CBORMap.Entry(.text($0.key), $0.value) }))
        }
        func payload(_ changes: [Int: CBORValue?]) throws -> CBORValue {
            var fields: [Int: CBORValue?] = [2: .text(uri), 6: .unsigned(now), 65_533: try list()]
            for (name, value) in changes { fields[name] = value }
            return try VectorCBOR.map(fields)
        }
        let good = try VectorCBOR.signed(payload([:]), type: type, with: key)
        try maker.accept("verify, cwt, by hand", "verify", verifying(good, input))
        let further = try VectorCBOR.signed(
            payload([1: .text("https://issuer.example"), 5: .unsigned(1), -9: .null]), type: type, with: key)
        try maker.accept(
            "verify, cwt, further claims", "verify", verifying(further, input), comment: "They are ignored.")
        func refuse(_ name: String, _ token: [UInt8], _ error: String) throws {
            try maker.refuse("verify, cwt, \(name)", "verify", verifying(token, input), error)
        }
        func refuse(_ name: String, _ changes: [Int: CBORValue?], _ error: String) throws {
            try refuse(name, VectorCBOR.signed(payload(changes), type: type, with: key), error)
        }
        try refuse("nothing", [0xD2], "token/cbor/truncated")
        try refuse("a byte more", good + [0], "token/cbor/trailingBytes")
        try refuse("no payload", COSESign1.sign([], type: type, with: key).encodedDetached(), "token/malformed")
        try refuse(
            "another type", VectorCBOR.signed(payload([:]), type: "application/cwt", with: key), "token/wrongType")
        try refuse(
            "changed signature", VectorCBOR.changingSignature(of: good) { [$0[0] ^ 1] + $0[1...] },
            "token/invalidSignature")
        try refuse(
            "payload that is no map", VectorCBOR.signed(.unsigned(1), type: type, with: key), "token/malformed")
        for (name, claim) in [("sub", 2), ("iat", 6), ("status_list", 65_533)] {
            try refuse("no \(name)", [claim: CBORValue?.none], "token/missingClaim")
            try refuse("\(name) is null", [claim: CBORValue.null], "token/invalidClaim")
        }
        try refuse("exp is negative", [4: CBORValue.integer(-1)], "token/invalidClaim")
        try refuse("exp before iat", [4: CBORValue.unsigned(now - 1)], "wrongTimes")
        try refuse("ttl of 0", [65_534: CBORValue.unsigned(0)], "token/invalidClaim")
        try refuse("no bits", [65_533: try list(["bits": CBORValue?.none])], "token/missingClaim")
        try refuse("no lst", [65_533: try list(["lst": CBORValue?.none])], "token/missingClaim")
        try refuse("bits of 3", [65_533: try list(["bits": CBORValue.unsigned(3)])], "wrongBits")
        try refuse("lst is text", [65_533: try list(["lst": CBORValue.text("eNo")])], "token/invalidClaim")
        try refuse(
            "lst is damaged", [65_533: try list(["lst": CBORValue.bytes([1, 2, 3])])], "compressionDamaged")
        try makeHeaderRefusals(&maker, input, payload: payload([:]).encoded())
    }

    private static func makeHeaderRefusals(
        _ maker: inout VectorMaker, _ input: VectorFields, payload: [UInt8]
    ) throws {
        let key = try input.signingKey("seed")
        func token(_ fields: [Int: CBORValue?]) throws -> [UInt8] {
            let protected = try VectorCBOR.map(fields).encoded()
            let message = try CBORValue.array([
                .text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload),
            ]).encoded()
            let signature = key.signature(for: message.bytes)
            return try CBORValue.tag(
                18, .array([.bytes(protected), .map(CBORMap()), .bytes(payload), .bytes(signature.array)])
            ).encoded()
        }
        let type = CBORValue.text(StatusListToken.Format.cwt.type)
        let cases: [(String, [Int: CBORValue?], String)] = [
            ("no alg", [16: type], "token/missingHeader"),
            ("no typ", [1: .integer(-8)], "token/missingHeader"),
            ("alg of a MAC", [1: .unsigned(5), 16: type], "token/unsupportedAlgorithm"),
            ("alg of a key that nobody has", [1: .integer(-35), 16: type], "token/unknownIssuerKey"),
            ("crit", [1: .integer(-8), 2: .array([.unsigned(16)]), 16: type], "token/unsupportedHeader"),
        ]
        for (name, fields, error) in cases {
            try maker.refuse("verify, cwt, \(name)", "verify", verifying(token(fields), input), error)
        }
        try maker.accept(
            "verify, cwt, further headers", "verify",
            verifying(token([1: .integer(-8), 16: type, 33: .bytes([1])]), input), comment: "They are ignored.")
    }

    // MARK: Refused JWT

    private static func makeTextTokenRefusals(_ maker: inout VectorMaker) throws {
        let input = input(&maker, .jwt)
        let key = try input.signingKey("seed")
        let stream = Base64URL.encode(try StatusList(bytes: maker.random(10), bits: 2).compressed)
        let header = #"{"alg":"EdDSA","typ":"statuslist+jwt"}"#
        func list(_ text: String) -> String { #""status_list":{\#(text)}"# }
        let good = #""sub":"\#(uri)","iat":\#(now),"# + list(#""bits":2,"lst":"\#(stream)""#)
        func token(_ header: String, _ claims: String) -> [UInt8] {
            let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array("{\(claims)}".utf8))
            let message = Array(signed.utf8)
            return message + Array(("." + Base64URL.encode(key.signature(for: message.bytes).array)).utf8)
        }
        try maker.accept("verify, jwt, by hand", "verify", verifying(token(header, good), input))
        func refuse(_ name: String, _ token: [UInt8], _ error: String) throws {
            try maker.refuse("verify, jwt, \(name)", "verify", verifying(token, input), error)
        }
        let whole = token(header, good)
        try refuse("nothing", [], "token/malformed")
        try refuse("two parts", Array(whole[..<(whole.lastIndex(of: UInt8(ascii: ".")) ?? 0)]), "token/malformed")
        try refuse("padding", whole + [UInt8(ascii: "=")], "token/text/invalidCharacter")
        let headers: [(String, String, String)] = [
            ("no typ", #"{"alg":"EdDSA"}"#, "token/missingHeader"),
            ("typ of a credential", #"{"alg":"EdDSA","typ":"dc+sd-jwt"}"#, "token/wrongType"),
            ("alg none", #"{"alg":"none","typ":"statuslist+jwt"}"#, "token/unsupportedAlgorithm"),
            ("alg of a MAC", #"{"alg":"HS256","typ":"statuslist+jwt"}"#, "token/unsupportedAlgorithm"),
            (
                "crit", #"{"alg":"EdDSA","typ":"statuslist+jwt","crit":["typ"]}"#,
                "token/unsupportedHeader"
            ),
        ]
        for (name, header, error) in headers { try refuse(name, token(header, good), error) }
        let claims: [(String, String, String)] = [
            ("a name twice", good + #","iat":1"#, "token/json/duplicateName"),
            ("no sub", #""iat":1,"# + list(#""bits":2,"lst":"\#(stream)""#), "token/missingClaim"),
            ("ttl of 0", good + #","ttl":0"#, "token/invalidClaim"),
            ("exp is text", good + #","exp":"1""#, "token/invalidClaim"),
            (
                "lst is no base64url", #""sub":"\#(uri)","iat":1,"# + list(#""bits":2,"lst":"a+b/""#),
                "token/text/invalidCharacter"
            ),
            (
                "bits is text", #""sub":"\#(uri)","iat":1,"# + list(#""bits":"2","lst":"\#(stream)""#),
                "token/invalidClaim"
            ),
        ]
        for (name, claims, error) in claims { try refuse(name, token(header, claims), error) }
    }

    // MARK: Times

    private static func makeUses(_ maker: inout VectorMaker) throws {
        let token: VectorFields = [
            "issuedAt": .number(now), "expires": .number(now + 1_000), "timeToLive": .number(300),
            "clockSkew": .number(60), "fetchedAt": .number(now + 100),
        ]
        func at(_ offset: Int, _ fields: VectorFields? = nil) -> VectorFields {
            (fields ?? token).with("now", .number(Int(now) + offset))
        }
        try maker.accept("use, fetched", "use", at(460))
        try maker.accept("use, stapled", "use", at(360, token.with("fetchedAt", nil)))
        try maker.accept("use, within the skew before", "use", at(-60))
        let endless = token.with("expires", nil).with("timeToLive", nil)
        try maker.accept("use, nothing ends it", "use", at(1_000_000, endless))
        try maker.accept("use, the verifier ends it", "use", at(110, endless.with("maximumAge", .number(50))))
        try maker.refuse("use, kept too long", "use", at(461), "stale")
        try maker.refuse("use, stapled and kept too long", "use", at(361, token.with("fetchedAt", nil)), "stale")
        try maker.refuse(
            "use, too old for the verifier", "use", at(111, token.with("maximumAge", .number(50))), "tooOld")
        try maker.refuse("use, expired", "use", at(1_060, token.with("timeToLive", nil)), "token/expired")
        try maker.refuse("use, from the future", "use", at(-61), "token/issuedInFuture")
    }
}
