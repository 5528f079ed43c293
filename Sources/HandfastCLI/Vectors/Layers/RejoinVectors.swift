internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// How a new epoch begins: rejoin and rejoined, from both sides.
///
/// - Source: Spec/04 §4.8
enum RejoinVectors: VectorLayer {
    static let name = "rejoin"

    static let operations: [String: VectorOperation] = [
        "ask": ask, "open": open, "answer": answer, "openRejoined": openRejoined,
    ]

    static let type = "handfast-rejoin+cose"
    static let version: [UInt8] = [2]

    static func info(_ relationship: [UInt8]) -> [UInt8] { Array("HF1.rejoin".utf8) + relationship }

    /// The key events after the inception, the last 24.
    static func shown(_ log: KeyLog) -> [CBORValue] {
        log.events.dropFirst().suffix(24).map { .bytes($0.encoded()) }
    }

    /// The signed and padded content of a rejoin, which the asker then seals with a context that has this encapsulation.
    private static func ask(_ input: VectorFields) throws -> VectorFields {
        let identity = try VectorIdentity.identity(input.fields("identity"))
        let relationship = try input.digest("relationship").array
        let externalData = relationship + (try input.bytes("encapsulation"))
        let resumed: CBORValue? = try input["resumed"] == nil ? nil : .unsigned(input.number("resumed"))
        let payload = try VectorCBOR.map([
            1: .unsigned(input.number("epoch")), 2: resumed, 3: VectorCBOR.item(input.bytes("heads")),
            4: .array(shown(identity.log)),
            5: VectorCBOR.item(input.agreementPrivateKey("ratchetKey").publicKey.coseKey),
            6: VectorCBOR.item(input.kemPrivateKey("kemSeed").publicKey.coseKey),
            7: .unsigned(input.number("created")), 8: input.optionalBytes("insteadOf").map { .bytes($0) },
            9: try named(input),
        ])
        let signed = try VectorCBOR.signed(
            payload, type: type, externalData: externalData, with: identity.signingKey)
        return [
            "externalData": .hex(externalData), "plaintext": .hex(try VectorHello.plaintext(signed)),
            "info": .hex(info(relationship)), "aad": .hex(version),
        ]
    }

    /// Where a side receives from now on, as the wire has it; nil where the input names nothing.
    private static func named(_ input: VectorFields) throws -> CBORValue? {
        try input["addresses"].map { _ in .array(try addresses(input).map(VectorAddress.item)) }
    }

    private static func addresses(_ input: VectorFields) throws -> [Address] {
        try input["addresses"] == nil ? [] : input.fieldsList("addresses").map(VectorAddress.address)
    }

    private static func received(_ input: VectorFields) throws -> ReceivedRejoin {
        let (bytes, log) = (try input.bytes("rejoin"), try input.bytes("log"))
        return try ReceivedRejoin.open(
            bytes.bytes, relationship: RelationshipID(input.digest("relationship")),
            identity: VectorIdentity.identity(input.fields("identity")), peerLog: KeyLog(decoding: log.bytes))
    }

    private static func open(_ input: VectorFields) throws -> VectorFields {
        let received = try received(input)
        let bytes = try input.bytes("rejoin")
        let (plaintext, exported) = try decrypted(bytes, input)
        let signed = Array(plaintext[2..<(2 + (Int(plaintext[0]) << 8 | Int(plaintext[1])))])
        let payload = try COSESign1(decoding: signed.bytes, maximumPayload: signed.count).payload
        guard case .map(let map) = try CBORValue(decoding: payload), let x25519 = map[5], let kem = map[6] else {
            throw VectorFault.missing.at("payload")
        }
        let (ratchetKey, kemKey) = (try x25519.encoded(), try kem.encoded())
        let fields: [(String, VectorValue?)] = [
            ("exported", .hex(exported)), ("signed", .hex(signed)), ("epoch", .number(received.epoch)),
            ("resumed", received.resume.map { .number($0) }), ("heads", .hex(received.heads)),
            ("eventCount", .number(received.peerLog.events.count)),
            ("ratchetKey", .hex(try AgreementPublicKey(coseKey: ratchetKey.bytes).array)),
            ("kemKey", .hex(try KEMPublicKey(coseKey: kemKey.bytes).array)),
            ("created", .number(received.created.seconds)), ("insteadOf", .hex(received.insteadOf?.array)),
            ("addresses", received.addresses.isEmpty ? nil : VectorAddress.list(received.addresses)),
            ("hash", .hex(received.hash.array)),
        ]
        return VectorFields(fields.compactMap { name, value in value.map { (name, $0) } })
    }

    /// What HPKE gives the holder of the identity's X-Wing key.
    private static func decrypted(
        _ rejoin: [UInt8], _ input: VectorFields
    ) throws -> (plaintext: [UInt8], exported: [UInt8]) {
        let (encapsulation, sealed) = (Array(rejoin[1..<1_121]), Array(rejoin[1_121...]))
        let (version, context) = (version, VectorHello.rootContext)
        let info = try info(input.digest("relationship").array)
        let key = try sealingKey(of: input.fields("identity"))
        var recipient = try key.recipient(encapsulation: encapsulation.bytes, info: info.bytes)
        let plaintext = try recipient.open(sealed.bytes, authenticating: version.bytes)
        let exported = try recipient.export(context: context.bytes, count: 32)
        return (plaintext, [UInt8](exported.bytes))
    }

    /// The private X-Wing key in force.
    private static func sealingKey(of identity: VectorFields) throws -> SealingPrivateKey {
        let events = try identity["events"] == nil ? [] : identity.fieldsList("events")
        return try (events.last { $0["sealing"] != nil } ?? identity).sealingPrivateKey("sealing")
    }
}

// MARK: - Rejoined

extension RejoinVectors {
    private static func answer(_ input: VectorFields) throws -> VectorFields {
        let received = try received(input)
        let nonce: FixedBytes<16> = try input.bytes("nonce")
        let salt: FixedBytes<8> = try input.bytes("salt")
        let ratchetSecret: FixedBytes<32> = try input.bytes("ratchetKey")
        let encapsulation = (ciphertext: try input.bytes("ciphertext"), sharedSecret: try input.bytes("sharedSecret"))
        var draws = VectorEntropy(
            HandshakeVectors.script(nonce: nonce.array, salt: salt.array, ratchetKey: ratchetSecret.array),
            encapsulation: encapsulation)
        var resumes = ResumeSecrets()
        var secrets: [UInt64: [UInt8]] = [:]
        for kept in try input.fieldsList("resumes") {
            secrets[try kept.number("epoch")] = try kept.bytes("secret")
            resumes.insert(try kept.secret("secret"), epoch: try kept.number("epoch"))
        }
        let identity = try VectorIdentity.identity(input.fields("identity"))
        let heads = try input.bytes("heads")
        let rejoined = try received.answer(
            resumes: resumes, heads: heads, addresses: addresses(input), identity: identity,
            now: Timestamp(seconds: input.number("now")), using: &draws)

        let opened = try open(input)
        let root = VectorDerivation.derive(
            try opened.bytes("exported"), Label("rejoin root"),
            [received.resume.flatMap { secrets[$0] } ?? [], received.hash.array])
        let keys = try HandshakeVectors.WelcomeKeys(input, opened.with("root", .hex(root)))
        let named = try named(input)
        let parts = [received.hash.array, heads, keys.ratchetKey, encapsulation.ciphertext]
        let digest = VectorDerivation.hash(Label("rejoined"), parts + [try named?.encoded()].compactMap(\.self))
        let signature = COSESign1.sign(digest.array, type: "handfast-rejoined+cose", with: identity.signingKey)
            .encodedDetached()
        let content = try VectorCBOR.map([
            1: VectorCBOR.item(heads), 2: .bytes(signature), 3: .array(shown(identity.log)), 4: named,
        ]).encoded()
        let sealed = try keys.seal(kind: 4, content: content, salt: salt.array, ciphertext: encapsulation.ciphertext)
        guard sealed.envelope == rejoined.envelope else {
            throw VectorFault.differs(expected: "the derived", actual: "another").at("rejoined")
        }
        return [
            "root": .hex(root), "step": .hex(keys.step.transcript), "headerKey": .hex(keys.headerKey),
            "chainKey": .hex(keys.step.chainKey), "messageKey": .hex(sealed.messageKey), "header": .hex(sealed.header),
            "digest": .hex(digest.array), "signature": .hex(signature), "content": .hex(content),
            "rejoined": .hex(rejoined.envelope), "resume": .hex([UInt8](rejoined.resume.bytes)),
            "state": .object(try VectorChannel.state(rejoined.channel)),
        ]
    }

    private static func openRejoined(_ input: VectorFields) throws -> VectorFields {
        let pending = try input.fields("pending")
        var parts: [CBORValue] = [.unsigned(1), .unsigned(try pending.number("epoch"))]
        for name in ["hash", "root", "ratchetKey", "kemSeed"] { parts.append(.bytes(try pending.bytes(name))) }
        let stored = try CBORValue.array(parts).encoded()
        let (envelope, log) = (try input.bytes("rejoined"), try input.bytes("log"))
        var draws = VectorEntropy([UInt8](repeating: 0, count: 8))
        let opened = try PendingRejoin.decode(stored.bytes).open(
            envelope.bytes, peerLog: KeyLog(decoding: log.bytes), now: Timestamp(seconds: input.number("now")),
            using: &draws)
        let shown: VectorFields = [
            "heads": .hex(opened.heads), "eventCount": .number(opened.peerLog.events.count),
            "resume": .hex([UInt8](opened.resume.bytes)), "state": .object(try VectorChannel.state(opened.channel)),
        ]
        return opened.addresses.isEmpty ? shown : shown.with("addresses", VectorAddress.list(opened.addresses))
    }
}
