internal import HandfastCrypto
internal import HandfastEncoding

extension COSEVectors {
    static func make(_ maker: inout VectorMaker) throws {
        try makeKeys(&maker)
        try makeSigned(&maker)
        try makeDetached(&maker)
        try makeText(&maker)
    }

    private static func makeKeys(_ maker: inout VectorMaker) throws {
        let ed = SigningKey.generate(using: &maker.entropy).publicKey
        let x = AgreementPrivateKey.generate(using: &maker.entropy).publicKey
        let kem = KEMPrivateKey.generate(using: &maker.entropy).publicKey
        let xWing = SealingPrivateKey.generate(using: &maker.entropy).publicKey
        for (kind, bytes) in [
            ("ed25519", ed.coseKey), ("x25519", x.coseKey), ("ml-kem-768", kem.coseKey), ("x-wing", xWing.coseKey),
        ] {
            try maker.accept("\(kind) key", "key", ["kind": .text(kind), "bytes": .hex(bytes)])
        }
        let refusals: [(String, String, [Int: CBORValue], String)] = [
            (
                "key type of another family", "ed25519", [1: .integer(2), -1: .integer(6), -2: .bytes(ed.array)],
                "wrongKeyType"
            ),
            ("X25519 for Ed25519", "ed25519", [1: .integer(1), -1: .integer(4), -2: .bytes(ed.array)], "wrongCurve"),
            ("Ed25519 for X25519", "x25519", [1: .integer(1), -1: .integer(6), -2: .bytes(x.array)], "wrongCurve"),
            (
                "X-Wing for ML-KEM", "ml-kem-768", [1: .integer(7), 3: .integer(-70_002), -1: .bytes(kem.array)],
                "wrongAlgorithm"
            ),
            (
                "31 bytes", "ed25519", [1: .integer(1), -1: .integer(6), -2: .bytes([UInt8](ed.array[1...]))],
                "invalidKey"
            ),
            (
                "small-order key", "ed25519",
                [1: .integer(1), -1: .integer(6), -2: .bytes([1] + [UInt8](repeating: 0, count: 31))], "invalidKey"
            ),
            (
                "coefficient not below the modulus", "x-wing",
                [1: .integer(7), 3: .integer(-70_002), -1: .bytes([0xff, 0xff, 0xff] + xWing.array[3...])], "invalidKey"
            ),
            ("key without its curve", "x25519", [1: .integer(1), -2: .bytes(x.array)], "missingKey"),
            (
                "key with an id", "x25519",
                [1: .integer(1), 2: .bytes([1]), -1: .integer(4), -2: .bytes(x.array)], "unknownKey"
            ),
            (
                "key with more behind", "x25519",
                [1: .integer(1), -1: .integer(4), -2: .bytes(x.array), -3: .bytes(x.array)], "unknownKey"
            ),
            ("key that is a text", "x25519", [1: .integer(1), -1: .integer(4), -2: .text("key")], "wrongType"),
        ]
        for (name, kind, map, error) in refusals {
            let bytes = try VectorCBOR.map(map).encoded()
            try maker.refuse(name, "key", ["kind": .text(kind), "bytes": .hex(bytes)], error)
        }
        try maker.refuse(
            "a byte after the key", "key", ["kind": .text("x25519"), "bytes": .hex(x.coseKey + [0])], "trailingBytes")
    }

    private static func makeSigned(_ maker: inout VectorMaker) throws {
        let type = "handfast-record+cose"
        let (seed, payload, externalData) = (maker.random(32), maker.random(30), maker.random(8))
        let made = try maker.accept(
            "sign", "sign",
            ["seed": .hex(seed), "type": .text(type), "externalData": .hex([]), "payload": .hex(payload)])
        let outside = try maker.accept(
            "sign with external data", "sign",
            ["seed": .hex(seed), "type": .text(type), "externalData": .hex(externalData), "payload": .hex(payload)])
        let signed = try made.bytes("signed")
        let signature = try made.bytes("signature")
        let input: VectorFields = [
            "signed": .hex(signed), "type": .text(type), "externalData": .hex([]),
            "publicKey": .hex(try made.bytes("publicKey")),
        ]
        try maker.accept("verify", "verify", input)
        try maker.accept(
            "verify with external data", "verify",
            input.with("signed", .hex(try outside.bytes("signed"))).with("externalData", .hex(externalData)))
        try maker.refuse(
            "other external data", "verify", input.with("externalData", .hex(externalData)), "invalidSignature")
        try maker.refuse(
            "another type", "verify", input.with("type", .text("handfast-bundle+cose")), "wrongType",
            comment: "the signature is right; a record cannot stand for a bundle")
        try maker.refuse(
            "changed signature", "verify", input.with("signed", .hex(signed.flipping(signed.count - 1))),
            "invalidSignature")
        try maker.refuse(
            "non-canonical scalar in COSE", "verify",
            input.with(
                "signed",
                .hex(VectorCBOR.changingSignature(of: signed) { $0[..<32] + PrimitiveVectors.plusOrder($0[32...]) })),
            "invalidSignature")
        let protected = try made.bytes("protected")
        func whole(_ protected: [UInt8], _ unprotected: CBORValue, _ payload: CBORValue) throws -> CBORValue {
            .tag(18, .array([.bytes(protected), unprotected, payload, .bytes(signature)]))
        }
        let empty = CBORValue.map(CBORMap())
        let refusals: [(String, CBORValue, String)] = [
            ("untagged", .array([.bytes(protected), empty, .bytes(payload), .bytes(signature)]), "wrongType"),
            (
                "tag of COSE_Sign", .tag(98, .array([.bytes(protected), empty, .bytes(payload), .bytes(signature)])),
                "wrongTag"
            ),
            ("three parts", .tag(18, .array([.bytes(protected), empty, .bytes(payload)])), "wrongLength"),
            ("no payload", try whole(protected, empty, .null), "payloadMissing"),
            ("payload is text", try whole(protected, empty, .text("payload")), "wrongType"),
            (
                "unprotected header", try whole(protected, try VectorCBOR.map([4: .bytes([1])]), .bytes(payload)),
                "unprotectedHeader"
            ),
            ("empty protected header", try whole([], empty, .bytes(payload)), "missingHeader"),
            (
                "no type", try whole(try VectorCBOR.map([1: .integer(-8)]).encoded(), empty, .bytes(payload)),
                "missingHeader"
            ),
            (
                "no algorithm", try whole(try VectorCBOR.map([16: .text(type)]).encoded(), empty, .bytes(payload)),
                "missingHeader"
            ),
            (
                "ES256",
                try whole(try VectorCBOR.map([1: .integer(-7), 16: .text(type)]).encoded(), empty, .bytes(payload)),
                "wrongAlgorithm"
            ),
            (
                "critical header",
                try whole(
                    try VectorCBOR.map([1: .integer(-8), 2: .array([.integer(16)]), 16: .text(type)]).encoded(), empty,
                    .bytes(payload)), "unsupportedHeader"
            ),
            (
                "key id in the protected header",
                try whole(
                    try VectorCBOR.map([1: .integer(-8), 4: .bytes([1]), 16: .text(type)]).encoded(), empty,
                    .bytes(payload)), "unsupportedHeader"
            ),
            (
                "signature of 63 bytes",
                .tag(18, .array([.bytes(protected), empty, .bytes(payload), .bytes([UInt8](signature[1...]))])),
                "wrongLength"
            ),
        ]
        for (name, value, error) in refusals {
            try maker.refuse(name, "verify", input.with("signed", .hex(try value.encoded())), error)
        }
        try maker.refuse(
            "payload of 1,025 bytes where 1,024 are allowed", "verify",
            input.with("signed", .hex(try whole(protected, empty, .bytes(maker.random(1_025))).encoded())),
            "sizeExceeded")
        try maker.refuse(
            "a byte after COSE_Sign1", "verify", input.with("signed", .hex(signed + [0])), "trailingBytes")
        try maker.refuse(
            "protected header that is not deterministic", "verify",
            input.with(
                "signed", .hex(try whole([0xb8, 0x02] + protected[1...], empty, .bytes(payload)).encoded())),
            "nonMinimal")
    }

    private static func makeDetached(_ maker: inout VectorMaker) throws {
        let type = "handfast-welcome+cose"
        let key = SigningKey.generate(using: &maker.entropy)
        let payload = maker.random(32)
        let signed = COSESign1.sign(payload, type: type, with: key)
        let input: VectorFields = [
            "signed": .hex(signed.encodedDetached()), "payload": .hex(payload), "type": .text(type),
            "externalData": .hex([]), "publicKey": .hex(key.publicKey.array),
        ]
        try maker.accept("verify detached", "verifyDetached", input)
        try maker.refuse(
            "detached, another payload", "verifyDetached", input.with("payload", .hex(payload.flipping(0))),
            "invalidSignature")
        try maker.refuse(
            "payload where none belongs", "verifyDetached", input.with("signed", .hex(signed.encoded())),
            "payloadPresent")
    }

    private static func makeText(_ maker: inout VectorMaker) throws {
        for count in [0, 1, 2, 3, 4, 5, 32] {
            let bytes = maker.random(count)
            try maker.accept("base32 of \(count) bytes", "base32", ["text": .text(Base32.encode(bytes))])
            try maker.accept("base64url of \(count) bytes", "base64url", ["text": .text(Base64URL.encode(bytes))])
            try maker.accept("hex of \(count) bytes", "hex", ["text": .text(Hex.encode(bytes))])
        }
        for count in [2, 12] {
            try maker.accept(
                "proquints of \(count) bytes", "proquint", ["text": .text(try Proquint.encode(maker.random(count)))])
        }
        try maker.accept("the example of proquints", "proquint", ["text": .text("lusab-babad")], comment: "127.0.0.1")
        for (name, operation, text, error) in [
            ("base32 in capitals", "base32", "MFRGG", "invalidCharacter"),
            ("base32 with padding", "base32", "mfrgg===", "invalidCharacter"),
            ("base32 with a 1", "base32", "mfrg1", "invalidCharacter"),
            ("base32 of one character", "base32", "m", "invalidLength"),
            ("base32 of three characters", "base32", "mfr", "invalidLength"),
            ("base32 with bits left over", "base32", "mf", "nonZeroTrailingBits"),
            ("base64 with a plus", "base64url", "a+bc", "invalidCharacter"),
            ("base64url with padding", "base64url", "YQ==", "invalidCharacter"),
            ("base64url of one character", "base64url", "Y", "invalidLength"),
            ("base64url with bits left over", "base64url", "YR", "nonZeroTrailingBits"),
            ("hex in capitals", "hex", "AB", "invalidCharacter"), ("hex of one digit", "hex", "a", "invalidLength"),
            ("proquint of four letters", "proquint", "lusa", "invalidLength"),
            ("proquint in capitals", "proquint", "LUSAB", "invalidCharacter"),
            ("proquints joined by a space", "proquint", "lusab babad", "invalidCharacter"),
            ("proquint with e", "proquint", "luseb", "invalidCharacter"),
        ] {
            try maker.refuse(name, operation, ["text": .text(text)], error)
        }
    }
}
