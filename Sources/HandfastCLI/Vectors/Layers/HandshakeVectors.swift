internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Hello, welcome, what they prove, and the words.
///
/// - Source: Spec/03 §3.3, §3.4
enum HandshakeVectors: VectorLayer {
    static let name = "handshake"

    static let operations: [String: VectorOperation] = [
        "makeHello": makeHello, "openHello": openHello, "makeWelcome": makeWelcome, "openWelcome": openWelcome,
    ]

    /// The signed and padded content of a hello, which the invitee then seals with a context that has this
    /// encapsulation.
    private static func makeHello(_ input: VectorFields) throws -> VectorFields {
        let identity = try VectorIdentity.identity(input.fields("identity"))
        let addresses = try input.fieldsList("addresses").map(VectorAddress.address)
        let ratchetKey = try input.agreementPrivateKey("ratchetKey").publicKey
        let kemKey = try input.kemPrivateKey("kemSeed").publicKey
        let bundleHash = try input.digest("bundleHash").array
        let encapsulation = try input.bytes("encapsulation")
        let payload = try VectorCBOR.map([
            1: .bytes(identity.log.events[0].encoded()), 2: .array(addresses.map(VectorAddress.item)),
            3: VectorCBOR.item(ratchetKey.coseKey), 4: VectorCBOR.item(kemKey.coseKey),
            5: .bytes(input.bytes("ticket")), 6: .array(input.byteList("entries").map(VectorCBOR.item)),
            7: .unsigned(input.number("created")),
        ])
        let externalData = bundleHash + encapsulation
        let signed = try VectorCBOR.signed(
            payload, type: VectorHello.type, externalData: externalData, with: identity.signingKey)
        let invitee = identity.id.digest.array
        return [
            "externalData": .hex(externalData), "plaintext": .hex(try VectorHello.plaintext(signed)),
            "info": .hex(VectorHello.info(bundleHash)),
            "aad": .hex([1] + bundleHash), "inviteeID": .hex(invitee),
            "relationship": .hex(Digest.of(Label("relationship"), bundleHash, encapsulation, invitee).array),
        ]
    }

    private static func received(_ input: VectorFields) throws -> ReceivedHello {
        let (hello, bundleBytes) = (try input.bytes("hello"), try input.bytes("bundle"))
        let key = try input.sealingPrivateKey("bundleSeed")
        let bundle = try Bundle(decoding: bundleBytes.bytes)
        return try ReceivedHello.open(hello.bytes, bundle: bundle, key: key)
    }

    private static func openHello(_ input: VectorFields) throws -> VectorFields {
        let received = try received(input)
        let hello = try input.bytes("hello")
        let (plaintext, exported) = try VectorHello.open(hello, key: input.sealingPrivateKey("bundleSeed"))
        let length = Int(plaintext[0]) << 8 | Int(plaintext[1])
        let signed = Array(plaintext[2..<(2 + length)])
        let payload = try COSESign1(decoding: signed.bytes, maximumPayload: signed.count).payload
        let derived = VectorHello.Derived(
            hello: hello, exported: exported, ticket: received.ticket.array,
            invitee: received.inviteeLog.id.digest.array)
        guard derived.relationship == received.relationship.digest.array, derived.helloHash == received.hash.array
        else { throw VectorFault.differs(expected: "the derived", actual: "another").at("relationship") }
        guard case .map(let map) = try CBORValue(decoding: payload), let x25519 = map[3], let kem = map[4] else {
            throw VectorFault.missing.at("payload")
        }
        let (ratchetKey, kemKey) = (try x25519.encoded(), try kem.encoded())
        let fields: [(String, VectorValue)] = [
            ("bundleHash", .hex(Array(hello[1..<33]))), ("exported", .hex(exported)), ("signed", .hex(signed)),
            ("inviteeID", .hex(received.inviteeLog.id.digest.array)),
            ("inviteeKey", .hex(received.inviteeLog.currentKey.array)),
            ("addresses", VectorAddress.list(received.addresses)),
            ("ratchetKey", .hex(try AgreementPublicKey(coseKey: ratchetKey.bytes).array)),
            ("kemKey", .hex(try KEMPublicKey(coseKey: kemKey.bytes).array)), ("ticket", .hex(received.ticket.array)),
            ("knock", .hex(received.ticket.knock.digest.array)), ("entries", .hexes(received.entries)),
            ("created", .number(received.created.seconds)), ("helloHash", .hex(derived.helloHash)),
            ("relationship", .hex(derived.relationship)), ("transcript", .hex(derived.transcript)),
            ("root", .hex(derived.root)),
        ]
        return VectorFields(fields)
    }
}

// MARK: - Welcome

extension HandshakeVectors {
    /// The draws of the library in their order; the second key is made and replaced before it is used.
    static func script(nonce: [UInt8], salt: [UInt8], ratchetKey: [UInt8]) -> [UInt8] {
        nonce + [UInt8](repeating: 1, count: 32) + salt + ratchetKey
    }

    private static func makeWelcome(_ input: VectorFields) throws -> VectorFields {
        let received = try received(input)
        let nonce: FixedBytes<16> = try input.bytes("nonce")
        let salt: FixedBytes<8> = try input.bytes("salt")
        let ratchetSecret: FixedBytes<32> = try input.bytes("ratchetKey")
        let encapsulation = (ciphertext: try input.bytes("ciphertext"), sharedSecret: try input.bytes("sharedSecret"))
        var draws = VectorEntropy(
            script(nonce: nonce.array, salt: salt.array, ratchetKey: ratchetSecret.array),
            encapsulation: encapsulation)
        let identity = try VectorIdentity.identity(input.fields("identity"))
        let signer = try VectorIdentity.identity(input.fields("signer"))
        let addresses = try input.fieldsList("addresses").map(VectorAddress.address)
        let entries = try input.byteList("entries")
        let welcome = try received.welcome(
            identity: identity, signer: signer, addresses: addresses, entries: entries,
            now: Timestamp(seconds: input.number("now")), using: &draws)

        let first = try openHello(input)
        let proof = welcome.proof
        let digest = Digest.of(
            Label("welcome"), try first.bytes("relationship"), try first.bytes("bundleHash"),
            try first.bytes("helloHash"), identity.log.events[0].signed.payload, proof.ratchetKey.array,
            encapsulation.ciphertext)
        let content = try VectorCBOR.map([
            1: .bytes(proof.inviterInception), 2: .array(addresses.map(VectorAddress.item)),
            3: .bytes(proof.pairwiseSignature), 4: .bytes(proof.signerSignature),
            5: .array(entries.map(VectorCBOR.item)), 6: .array(proof.signerEvents.map { .bytes($0) }),
        ]).encoded()
        let keys = try WelcomeKeys(input, first)
        let sealed = try keys.seal(
            kind: 3, content: content, salt: salt.array, ciphertext: encapsulation.ciphertext)
        guard sealed.envelope == welcome.envelope else {
            throw VectorFault.differs(expected: "the derived", actual: "another").at("welcome")
        }
        return [
            "step": .hex(keys.step.transcript), "headerKey": .hex(keys.headerKey), "chainKey": .hex(keys.step.chainKey),
            "messageKey": .hex(sealed.messageKey), "header": .hex(sealed.header), "digest": .hex(digest.array),
            "pairwiseSignature": .hex(proof.pairwiseSignature), "signerSignature": .hex(proof.signerSignature),
            "content": .hex(content), "welcome": .hex(welcome.envelope), "words": .text(try proof.verify().words),
            "state": .object(try VectorChannel.state(welcome.channel)),
        ]
    }

    /// The keys of a welcome, derived by hand.
    struct WelcomeKeys {
        let nonce: [UInt8]
        let headerKey: [UInt8]
        let ratchetKey: [UInt8]
        let step: VectorStep

        /// From the inputs of `makeWelcome` and the outputs of `openHello`.
        init(_ input: VectorFields, _ hello: VectorFields) throws {
            nonce = try input.bytes("nonce")
            let root = try hello.bytes("root")
            headerKey = VectorDerivation.derive(root, Label("welcome hdr"), [nonce])
            let own = try input.agreementPrivateKey("ratchetKey")
            let peer = try hello.agreementPublicKey("ratchetKey")
            ratchetKey = own.publicKey.array
            let agreement = try own.sharedSecret(with: peer)
            step = VectorStep(
                root: root, agreement: [UInt8](agreement.bytes), sender: ratchetKey, receiver: peer.array,
                encapsulationKey: try hello.bytes("kemKey"), ciphertext: try input.bytes("ciphertext"),
                sharedSecret: try input.bytes("sharedSecret"))
        }

        func seal(
            kind: UInt8, content: [UInt8], salt: [UInt8], ciphertext: [UInt8],
            changing change: (inout VectorEnvelope) -> Void = { _ in }
        ) throws -> VectorEnvelope.Sealed {
            var envelope = VectorEnvelope(
                flags: 3, salt: salt, ratchetKey: ratchetKey, nonce: nonce, ciphertext: ciphertext,
                body: VectorEnvelope.body(kind: kind, content: content, besideCiphertext: true))
            change(&envelope)
            return try envelope.sealed(keys: step.chainKey, headerKey: headerKey, index: 0)
        }
    }

    private static func openWelcome(_ input: VectorFields) throws -> VectorFields {
        let pending = try input.fields("pending")
        var parts: [CBORValue] = [.unsigned(1)]
        for name in ["root", "ratchetKey", "kemSeed", "bundle", "encapsulation", "helloHash", "inception"] {
            parts.append(.bytes(try pending.bytes(name)))
        }
        let stored = try CBORValue.array(parts).encoded()
        let envelope = try input.bytes("welcome")
        var draws = VectorEntropy([UInt8](repeating: 0, count: 8))
        let opened = try PendingWelcome.decode(stored.bytes).open(
            envelope.bytes, now: Timestamp(seconds: input.number("now")), using: &draws)
        let verified = try opened.proof.verify()
        return [
            "relationship": .hex(verified.relationship.digest.array),
            "inviterID": .hex(opened.inviterLog.id.digest.array),
            "inviterKey": .hex(opened.inviterLog.currentKey.array),
            "addresses": VectorAddress.list(opened.addresses), "entries": .hexes(opened.entries),
            "words": .text(verified.words), "state": .object(try VectorChannel.state(opened.channel)),
        ]
    }
}
