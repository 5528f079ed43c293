internal import HandfastCrypto
internal import HandfastEncoding

extension PrimitiveVectors {
    static func make(_ maker: inout VectorMaker) throws {
        try makeLabels(&maker)
        try makeSignatures(&maker)
        try makeAgreements(&maker)
        try makeKEM(&maker)
        try makeHPKE(&maker)
        try makeSymmetric(&maker)
        for size in [0, 1, 255, 256, 257, 264, 265, 512, 513, 1_000, 1_347, 4_097, 61_443, 65_535, 65_536] {
            try maker.accept("padding of \(size)", "padding", ["size": .number(size)])
        }
    }

    private static func makeLabels(_ maker: inout VectorMaker) throws {
        let keyed = ["root", "invitee hdr", "welcome hdr", "ratchet", "ratchet hdr"]
        for (name, _) in labels {
            let parts = (0..<(1 + name.utf8.count % 3)).map { maker.random(16 * (1 + $0)) }
            if keyed.contains(name) {
                try maker.accept(
                    "kdf, \(name)", "kdf",
                    [
                        "label": .text(name), "key": .hex(maker.random(32)), "parts": .hexes(parts),
                        "length": .number(name == "ratchet" ? 64 : 32),
                    ])
            } else {
                try maker.accept("hash, \(name)", "hash", ["label": .text(name), "parts": .hexes(parts)])
            }
        }
        try maker.accept("hash of no parts", "hash", ["label": .text("identity"), "parts": .list([])])
        try maker.accept(
            "hash of an empty part", "hash", ["label": .text("identity"), "parts": .hexes([[]])],
            comment: "differs from the hash of no parts")
        let bytes = maker.random(8)
        try maker.accept(
            "hash of two parts", "hash",
            ["label": .text("identity"), "parts": .hexes([Array(bytes[..<3]), Array(bytes[3...])])])
        try maker.accept(
            "hash of two parts, divided elsewhere", "hash",
            ["label": .text("identity"), "parts": .hexes([Array(bytes[..<4]), Array(bytes[4...])])],
            comment: "differs from the one before: each part is preceded by its length")
        try maker.accept(
            "kdf of another length", "kdf",
            [
                "label": .text("root"), "key": .hex(maker.random(32)), "parts": .hexes([bytes]), "length": .number(16),
            ], comment: "a shorter output is not the beginning of a longer one")
        try maker.accept(
            "kdf without parts", "kdf",
            [
                "label": .text("invitee hdr"), "key": .hex(maker.random(32)), "parts": .list([]),
                "length": .number(32),
            ], comment: "as the header key of the invitee's first chain is made")
    }

    private static func makeSignatures(_ maker: inout VectorMaker) throws {
        let (seed, message) = (maker.random(32), maker.random(40))
        let made = try maker.accept("sign", "ed25519Sign", ["seed": .hex(seed), "message": .hex(message)])
        try maker.accept("sign nothing", "ed25519Sign", ["seed": .hex(seed), "message": .hex([])])
        let (key, signature) = (try made.bytes("publicKey"), try made.bytes("signature"))
        func input(_ key: [UInt8], _ message: [UInt8], _ signature: [UInt8]) -> VectorFields {
            ["publicKey": .hex(key), "message": .hex(message), "signature": .hex(signature)]
        }
        try maker.accept("verify", "ed25519Verify", input(key, message, signature))
        try maker.refuse(
            "verify another message", "ed25519Verify", input(key, message + [0], signature), "invalidSignature")
        try maker.refuse(
            "verify under another key", "ed25519Verify",
            input(SigningKey.generate(using: &maker.entropy).publicKey.array, message, signature), "invalidSignature")
        try maker.refuse(
            "verify with a changed R", "ed25519Verify", input(key, message, signature.flipping(5)), "invalidSignature")
        try maker.refuse(
            "verify with a changed S", "ed25519Verify", input(key, message, signature.flipping(40)),
            "invalidSignature")
        try maker.refuse(
            "non-canonical scalar", "ed25519Verify",
            input(key, message, signature[..<32] + plusOrder(signature[32...])),
            "invalidSignature", comment: "S + L in the place of S")
        try maker.refuse(
            "truncated signature", "ed25519Verify", input(key, message, Array(signature.dropLast())), "wrongLength")
        // Made once with a program that knows the group: they satisfy an equation that a laxer verifier checks.
        let special = try Hex.decode("dbaaf350e7aaf8fec78ce933a7e8a414dcb4da46f31b5a22f003a94d546863f5")
        let text = Array("Handfast".utf8)
        try maker.refuse(
            "small-order R", "ed25519Verify",
            input(
                special, text,
                Hex.decode(
                    "0100000000000000000000000000000000000000000000000000000000000000"
                        + "be40af4c03fe350c1fa1c652065cd15c65cb4dbf734879bd4c6fc4ef89a8be02")), "invalidSignature",
            comment: "R is the neutral point; the equation holds")
        try maker.refuse(
            "non-canonical R", "ed25519Verify",
            input(
                special, text,
                Hex.decode(
                    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
                        + "2903d8f4158be2dadf79ae9c90e90e0087682563b855ca41a3153cb406f61b0d")), "invalidSignature",
            comment: "R is the neutral point, written as p + 1")
        try maker.refuse(
            "cofactor", "ed25519Verify",
            input(
                Hex.decode("bfd9ad4112f215f4d3be1a43967088ad589a1b02b3c4e8c329c1e85189106dc2"), text,
                Hex.decode(
                    "ef4f62f8479733ad879cfaced3c89a9c39dd4fc795ef2efa1c3eafe4d729a081"
                        + "c7f664910c6784a503168231496f3ea154b2052fb5f275dce03919f9ba68f10e")), "invalidSignature",
            comment: "holds only after multiplication by the cofactor: the key has a part of order 8")
        try maker.refuse(
            "small-order key", "ed25519Verify",
            input(
                Hex.decode("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), text, signature),
            "invalidKey")
        try maker.refuse(
            "neutral key", "ed25519Verify", input([1] + [UInt8](repeating: 0, count: 31), text, signature), "invalidKey"
        )
        try maker.refuse(
            "non-canonical key", "ed25519Verify",
            input(
                Hex.decode("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), text, signature),
            "invalidKey", comment: "y = p + 3")
        try maker.refuse(
            "truncated key", "ed25519Verify", input(Array(key.dropLast()), message, signature), "wrongLength")
    }

    /// S + L, both little endian.
    static func plusOrder(_ scalar: ArraySlice<UInt8>) -> [UInt8] {
        let order: [UInt8] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ]
        var carry = 0
        return zip(scalar, order).map { one, other in
            carry += Int(one) + Int(other)
            defer { carry >>= 8 }
            return UInt8(carry & 0xff)
        }
    }

    private static func makeAgreements(_ maker: inout VectorMaker) throws {
        let peer = AgreementPrivateKey.generate(using: &maker.entropy).publicKey.array
        let key = maker.random(32)
        try maker.accept("agree", "x25519", ["privateKey": .hex(key), "peer": .hex(peer)])
        let small = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ]
        for (index, peer) in small.enumerated() {
            try maker.refuse(
                "small-order point \(index + 1)", "x25519", ["privateKey": .hex(key), "peer": .text(peer)],
                "smallOrderResult")
        }
    }

    private static func makeKEM(_ maker: inout VectorMaker) throws {
        let key = KEMPrivateKey.generate(using: &maker.entropy)
        let seed = [UInt8](key.seed)
        let ciphertext = try maker.entropy.encapsulate(to: key.publicKey).ciphertext
        func input(_ ciphertext: [UInt8]) -> VectorFields { ["seed": .hex(seed), "ciphertext": .hex(ciphertext)] }
        try maker.accept("decapsulate", "mlkem768", input(ciphertext))
        try maker.accept(
            "decapsulate a changed ciphertext", "mlkem768", input(ciphertext.flipping(100)),
            comment: "implicit rejection (FIPS 203): another secret, and no error; the envelope does not authenticate")
        try maker.refuse(
            "truncated ciphertext", "mlkem768", input(Array(ciphertext.dropLast())), "wrongLength")
        try maker.refuse(
            "coefficient not below the modulus", "mlkem768PublicKey",
            ["publicKey": .hex([0xff, 0xff, 0xff] + key.publicKey.array[3...])], "invalidKey")
        try maker.refuse(
            "truncated ML-KEM key", "mlkem768PublicKey", ["publicKey": .hex(Array(key.publicKey.array.dropLast()))],
            "wrongLength")
    }

    private static func makeHPKE(_ maker: inout VectorMaker) throws {
        let key = SealingPrivateKey.generate(using: &maker.entropy)
        let (info, aad, plaintext) = (Array("HF1.hello".utf8) + maker.random(32), maker.random(33), maker.random(64))
        var sender = try maker.entropy.sender(to: key.publicKey, info: info.bytes)
        let ciphertext = try sender.seal(plaintext.bytes, authenticating: aad.bytes)
        let input: VectorFields = [
            "seed": .hex([UInt8](key.seed)), "encapsulation": .hex(sender.encapsulation), "info": .hex(info),
            "aad": .hex(aad), "ciphertext": .hex(ciphertext), "exportContext": .hex(Array("HF1.root".utf8)),
        ]
        try maker.accept("open and export", "hpkeOpen", input)
        for (name, field, value) in [
            ("another info", "info", info.flipping(0)), ("other associated data", "aad", aad.flipping(0)),
            ("changed ciphertext", "ciphertext", ciphertext.flipping(0)),
            ("truncated ciphertext of HPKE", "ciphertext", Array(ciphertext.dropLast())),
            ("changed encapsulation, ML-KEM part", "encapsulation", sender.encapsulation.flipping(7)),
            ("changed encapsulation, X25519 part", "encapsulation", sender.encapsulation.flipping(1_100)),
        ] {
            try maker.refuse(name, "hpkeOpen", input.with(field, .hex(value)), "authenticationFailed")
        }
        try maker.refuse(
            "truncated encapsulation", "hpkeOpen",
            input.with("encapsulation", .hex(Array(sender.encapsulation.dropLast()))), "wrongLength")
    }

    private static func makeSymmetric(_ maker: inout VectorMaker) throws {
        let input: VectorFields = [
            "key": .hex(maker.random(32)), "nonce": .hex([0, 0, 0, 0] + maker.random(8)), "aad": .hex(maker.random(62)),
        ]
        let sealed = try maker.accept("seal", "aeadSeal", input.with("plaintext", .hex(maker.random(100))))
        let ciphertext = try sealed.bytes("ciphertext")
        try maker.accept("open", "aeadOpen", input.with("ciphertext", .hex(ciphertext)))
        try maker.refuse(
            "open a changed ciphertext", "aeadOpen", input.with("ciphertext", .hex(ciphertext.flipping(50))),
            "authenticationFailed")
        try maker.refuse(
            "open less than a tag", "aeadOpen", input.with("ciphertext", .hex(Array(ciphertext[..<15]))),
            "authenticationFailed")
        try maker.accept("chain of nine", "chain", ["chainKey": .hex(maker.random(32)), "count": .number(9)])
        let headerKey = maker.random(32)
        for index in [0, 1, 7, 8, 255, 256, 65_535] {
            try maker.accept(
                "header stream at \(index)", "headerStream", ["headerKey": .hex(headerKey), "index": .number(index)])
        }
    }
}

extension [UInt8] {
    /// The same bytes with one bit changed.
    func flipping(_ index: Int) -> [UInt8] {
        var copy = self
        copy[index] ^= 1
        return copy
    }
}
