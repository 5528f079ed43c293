internal import HandfastCrypto
internal import HandfastEncoding

/// The primitives as the suite uses them, every label, and padding.
///
/// - Source: Spec/02 §2.1, Spec/04 §4.2, §4.6
enum PrimitiveVectors: VectorLayer {
    static let name = "primitives"

    static let operations: [String: VectorOperation] = [
        "hash": hash, "kdf": kdf, "ed25519Sign": sign, "ed25519Verify": verify, "x25519": agree,
        "mlkem768": decapsulate, "mlkem768PublicKey": kemPublicKey, "hpkeOpen": openHPKE, "aeadSeal": seal,
        "aeadOpen": open, "chain": chain, "headerStream": headerStream, "padding": padding,
    ]

    /// All labels of the wire and the ledger.
    static let labels: [(name: String, label: Label)] = [
        ("identity", Label("identity")), ("key event", Label("key event")), ("next key", Label("next key")),
        ("bundle", Label("bundle")), ("hello", Label("hello")), ("knock", Label("knock")),
        ("relationship", Label("relationship")), ("transcript", Label("transcript")), ("welcome", Label("welcome")),
        ("capability", Label("capability")), ("queue chain", Label("queue chain")), ("root", Label("root")),
        ("invitee hdr", Label("invitee hdr")), ("welcome hdr", Label("welcome hdr")), ("step", Label("step")),
        ("ratchet", Label("ratchet")), ("ratchet hdr", Label("ratchet hdr")), ("body", Label("body")),
        ("record", Label("record")), ("words", Label("words")), ("attach", Label("attach")),
    ]

    private static func label(_ input: VectorFields) throws -> Label {
        let name = try input.text("label")
        guard let known = labels.first(where: { $0.name == name }) else {
            throw VectorFault.kind("a label of Spec/02 §2.1").at("label")
        }
        return known.label
    }

    private static func hash(_ input: VectorFields) throws -> VectorFields {
        let label = try label(input)
        var hash = LabelledHash(label)
        for part in try input.byteList("parts") { hash.absorb(part) }
        return ["personalisation": .hex(label.bytes.array), "digest": .hex(hash.digest().array)]
    }

    private static func kdf(_ input: VectorFields) throws -> VectorFields {
        let count = try input.count("length", maximum: 64)
        let key: FixedBytes<32> = try input.bytes("key")
        guard count >= 16 else { throw VectorFault.kind("16 to 64").at("length") }
        let label = try label(input)
        var derivation = LabelledHash(label, key: SecretBytes(copying: key.bytes), count: count)
        for part in try input.byteList("parts") { derivation.absorb(part) }
        let output = derivation.secret()
        return ["personalisation": .hex(label.bytes.array), "output": .hex([UInt8](output.bytes))]
    }
}

// MARK: - Public keys

extension PrimitiveVectors {
    private static func sign(_ input: VectorFields) throws -> VectorFields {
        let key = try input.signingKey("seed")
        let message = try input.bytes("message")
        return ["publicKey": .hex(key.publicKey.array), "signature": .hex(key.signature(for: message.bytes).array)]
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let (signature, message) = (try input.bytes("signature"), try input.bytes("message"))
        let key = try input.verificationKey("publicKey")
        try key.verify(signature.bytes, of: message.bytes)
        return [:]
    }

    private static func agree(_ input: VectorFields) throws -> VectorFields {
        let peer = try input.agreementPublicKey("peer")
        let key = try input.agreementPrivateKey("privateKey")
        let secret = try key.sharedSecret(with: peer)
        return ["publicKey": .hex(key.publicKey.array), "sharedSecret": .hex([UInt8](secret.bytes))]
    }

    private static func decapsulate(_ input: VectorFields) throws -> VectorFields {
        let ciphertext = try input.bytes("ciphertext")
        let key = try input.kemPrivateKey("seed")
        let secret = try key.decapsulate(ciphertext.bytes)
        return ["publicKey": .hex(key.publicKey.array), "sharedSecret": .hex([UInt8](secret.bytes))]
    }

    private static func kemPublicKey(_ input: VectorFields) throws -> VectorFields {
        let key = try input.bytes("publicKey")
        _ = try KEMPublicKey(key.bytes)
        return [:]
    }

    private static func openHPKE(_ input: VectorFields) throws -> VectorFields {
        let (encapsulation, info) = (try input.bytes("encapsulation"), try input.bytes("info"))
        let (ciphertext, aad) = (try input.bytes("ciphertext"), try input.bytes("aad"))
        let context = try input.bytes("exportContext")
        let key = try input.sealingPrivateKey("seed")
        var recipient = try key.recipient(encapsulation: encapsulation.bytes, info: info.bytes)
        let plaintext = try recipient.open(ciphertext.bytes, authenticating: aad.bytes)
        let exported = try recipient.export(context: context.bytes, count: 32)
        return [
            "publicKey": .hex(key.publicKey.array), "plaintext": .hex(plaintext),
            "exported": .hex([UInt8](exported.bytes)),
        ]
    }
}

// MARK: - Symmetric keys

extension PrimitiveVectors {
    private static func seal(_ input: VectorFields) throws -> VectorFields {
        let (plaintext, aad) = (try input.bytes("plaintext"), try input.bytes("aad"))
        let key = try input.aeadKey("key")
        let nonce: FixedBytes<12> = try input.bytes("nonce")
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count + ChaCha20Poly1305.tagCount)
        var output = ciphertext.mutableBytes
        try ChaCha20Poly1305.seal(
            plaintext.bytes, key: key, nonce: nonce, authenticating: aad.bytes, into: &output)
        return ["ciphertext": .hex(ciphertext)]
    }

    private static func open(_ input: VectorFields) throws -> VectorFields {
        let (ciphertext, aad) = (try input.bytes("ciphertext"), try input.bytes("aad"))
        let key = try input.aeadKey("key")
        let nonce: FixedBytes<12> = try input.bytes("nonce")
        var plaintext = [UInt8](repeating: 0, count: max(0, ciphertext.count - ChaCha20Poly1305.tagCount))
        var output = plaintext.mutableBytes
        try ChaCha20Poly1305.open(
            ciphertext.bytes, key: key, nonce: nonce, authenticating: aad.bytes, into: &output)
        return ["plaintext": .hex(plaintext)]
    }

    private static func chain(_ input: VectorFields) throws -> VectorFields {
        var chain = try input.chainKey("chainKey")
        var messages: [VectorValue] = []
        for _ in 0..<(try input.count("count", maximum: 1_024)) {
            var key = AEADKey()
            chain.advance(into: &key)
            messages.append(
                .object(["messageKey": .hex([UInt8](key.bytes)), "left": .hex([UInt8](chain.bytes))]))
        }
        return ["messages": .list(messages)]
    }

    private static func headerStream(_ input: VectorFields) throws -> VectorFields {
        let key = try input.headerKey("headerKey")
        let index = UInt32(try input.count("index", maximum: 65_535))
        var block = [UInt8](repeating: 0, count: HeaderKey.blockCount)
        var bytes = block.mutableBytes
        key.mask(&bytes, at: index)
        var ciphertextMask = [UInt8](repeating: 0, count: KEMPrivateKey.ciphertextCount)
        var ciphertext = ciphertextMask.mutableBytes
        key.maskCiphertext(&ciphertext, at: index)
        return [
            "tag": .hex([UInt8](block[..<16])), "headerMask": .hex([UInt8](block[16..<61])),
            "ciphertextMask": .hex(ciphertextMask),
        ]
    }

    private static func padding(_ input: VectorFields) throws -> VectorFields {
        ["padded": .number(VectorEnvelope.paddedByteCount(of: try input.count("size")))]
    }
}
