internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension RejoinVectors {
    static func make(_ maker: inout VectorMaker) throws {
        let scene = try RejoinScene(&maker)
        maker.share("relationship", .hex(scene.relationship))
        maker.share("identity", .object(scene.answerer))
        maker.share("log", .hex(scene.askerLog))
        try makeAsked(&maker, scene)
        try makeRefused(&maker, scene)
        try makeAnswered(&maker, scene)
    }

    private static func makeAsked(_ maker: inout VectorMaker, _ scene: RejoinScene) throws {
        let asked = scene.asked
        try maker.accept("ask", "ask", asked)
        try maker.accept("ask, resuming nothing", "ask", asked.with("resumed", nil))
        try maker.accept("ask, instead of another", "ask", asked.with("insteadOf", .hex(maker.random(32))))
        let elsewhere = [VectorAddress.random(&maker), VectorAddress.random(&maker, host: "other.example")]
        try maker.accept(
            "ask, receiving elsewhere", "ask", asked.with("addresses", .list(elsewhere.map { .object($0) })))
        try maker.accept("open", "open", ["rejoin": .hex(scene.rejoin(&maker))])
        try maker.accept("open, resuming nothing", "open", ["rejoin": .hex(scene.rejoin(&maker, [2: nil]))])
        let other = maker.random(32)
        try maker.accept(
            "open, instead of another", "open", ["rejoin": .hex(scene.rejoin(&maker, [8: .bytes(other)]))])
        let items = try elsewhere.map { try VectorAddress.item(VectorAddress.address($0)) }
        try maker.accept(
            "open, receiving elsewhere", "open", ["rejoin": .hex(scene.rejoin(&maker, [9: .array(items)]))])
    }

    private static func makeRefused(_ maker: inout VectorMaker, _ scene: RejoinScene) throws {
        let whole = try scene.rejoin(&maker)
        func refuse(_ name: String, _ rejoin: [UInt8], _ error: String, comment: String? = nil) throws {
            try maker.refuse("open: " + name, "open", ["rejoin": .hex(rejoin)], error, comment: comment)
        }
        try refuse("too short", Array(whole[..<1_392]), "malformed")
        try refuse("version 1", [1] + whole[1...], "unsupportedVersion")
        try refuse("changed encapsulation", whole.flipping(40), "notAuthentic")
        try refuse("truncated", Array(whole.dropLast()), "notAuthentic")
        try maker.refuse(
            "open: of another relationship", "open",
            ["rejoin": .hex(whole), "relationship": .hex(maker.random(32))], "notAuthentic")
        try refuse("of another type", try scene.rejoin(&maker, [:], type: "handfast-hello+cose"), "signature/wrongType")
        try refuse(
            "signature over another encapsulation", try scene.rejoin(&maker, [:], external: maker.random(1_152)),
            "signature/invalidSignature")
        try refuse(
            "signed by a replaced key", try scene.rejoin(&maker, [:], signedByReplacedKey: true),
            "signature/invalidSignature", comment: "field 4 shows the key that replaced it")
        let address = try VectorAddress.item(VectorAddress.address(VectorAddress.random(&maker)))
        let cases: [(String, [Int: CBORValue?], String)] = [
            ("epoch 0", [1: .unsigned(0)], "malformed"), ("epoch 2^32", [1: .unsigned(1 << 32)], "encoding/outOfRange"),
            ("resumes its own epoch", [2: .unsigned(5)], "malformed"), ("no keys", [5: nil], "encoding/missingKey"),
            ("field 10", [10: .null], "encoding/unknownKey"), ("addresses: null", [9: .null], "encoding/wrongType"),
            ("no address", [9: .array([])], "malformed"),
            ("five addresses", [9: .array([CBORValue](repeating: .null, count: 5))], "encoding/sizeExceeded"),
            ("two addresses with one queue", [9: .array([address, address])], "malformed"),
            ("25 events", [4: .array([CBORValue](repeating: .bytes([]), count: 25))], "encoding/sizeExceeded"),
            ("instead of 31 bytes", [8: .bytes(maker.random(31))], "encoding/wrongLength"),
        ]
        for (name, change, error) in cases { try refuse(name, try scene.rejoin(&maker, change), error) }
        let last = try scene.rejoin(&maker, [4: .array([.bytes(scene.askerEvents[2])])])
        let inception = try CBORValue.array([.bytes(scene.askerEvents[0])]).encoded()
        try maker.refuse(
            "open: an event left out", "open", ["rejoin": .hex(last), "log": .hex(inception)], "keyLog/wrongSequence")
        try refuse(
            "an event that contradicts", try scene.rejoin(&maker, [4: .array([.bytes(scene.contradiction)])]),
            "keyLogFork")
        try refuse(
            "a revoked identity", try scene.rejoin(&maker, [4: .array([.bytes(scene.revocation)])]), "keyLog/revoked")
    }

    private static func makeAnswered(_ maker: inout VectorMaker, _ scene: RejoinScene) throws {
        let rejoin = try scene.rejoin(&maker)
        let (nonce, salt, ratchetKey) = (maker.random(16), maker.random(8), maker.random(32))
        let encapsulation = try SystemEntropy.encapsulation(to: scene.asked.kemPrivateKey("kemSeed").publicKey)
        let kept: [VectorValue] = [3, 4].map {
            .object(["epoch": .number($0), "secret": .hex(maker.random(32))])
        }
        let input: VectorFields = [
            "rejoin": .hex(rejoin), "resumes": .list(kept), "heads": .hex(try scene.heads(&maker)),
            "now": .number(VectorMeeting.time + 100), "nonce": .hex(nonce), "salt": .hex(salt),
            "ratchetKey": .hex(ratchetKey), "ciphertext": .hex(encapsulation.ciphertext),
            "sharedSecret": .hex(encapsulation.sharedSecret),
        ]
        let answered = try maker.accept("answer", "answer", input)
        let fresh = try scene.rejoin(&maker, [2: nil])
        try maker.accept("answer, resuming nothing", "answer", input.with("rejoin", .hex(fresh)))
        let elsewhere = input.with("addresses", .list([.object(VectorAddress.random(&maker))]))
        let moved = try maker.accept("answer, receiving elsewhere", "answer", elsewhere)
        try maker.refuse(
            "answer: an epoch that is not remembered", "answer", input.with("resumes", .list([kept[0]])),
            "unknownResume")

        let opened = try maker.accept("open what was answered", "open", ["rejoin": .hex(rejoin)])
        let pending: VectorFields = [
            "epoch": .number(5), "hash": try opened.value("hash"), "root": try answered.value("root"),
            "ratchetKey": try scene.asked.value("ratchetKey"), "kemSeed": try scene.asked.value("kemSeed"),
        ]
        let given: VectorFields = [
            "pending": .object(pending), "log": .hex(scene.answererLog), "rejoined": try answered.value("rejoined"),
            "now": .number(VectorMeeting.time + 200),
        ]
        try maker.accept("open rejoined", "openRejoined", given)
        try maker.accept(
            "open rejoined, receiving elsewhere", "openRejoined", given.with("rejoined", try moved.value("rejoined")))
        let envelope = try answered.bytes("rejoined")
        func refuse(_ name: String, _ rejoined: [UInt8], _ error: String) throws {
            try maker.refuse("rejoined: " + name, "openRejoined", given.with("rejoined", .hex(rejoined)), error)
        }
        try refuse("too short", Array(envelope[..<333]), "malformed")
        try refuse("changed nonce", envelope.flipping(1), "notAuthentic")
        try refuse("changed header", envelope.flipping(40), "notAuthentic")
        try refuse("changed ciphertext", envelope.flipping(100), "notAuthentic")
        try refuse("changed body", envelope.flipping(envelope.count - 20), "notAuthentic")
        try maker.refuse(
            "rejoined: to another rejoin", "openRejoined",
            given.with("pending", .object(pending.with("root", .hex(maker.random(32))))), "notAuthentic")

        let keys = try HandshakeVectors.WelcomeKeys(input, opened.with("root", try answered.value("root")))
        let content = try answered.bytes("content")
        func sealed(_ content: [UInt8], kind: UInt8 = 4) throws -> [UInt8] {
            try keys.seal(kind: kind, content: content, salt: salt, ciphertext: encapsulation.ciphertext).envelope
        }
        try refuse("as a welcome", try sealed(content, kind: 3), "malformed")
        try refuse("content cut short", try sealed(Array(content.dropLast())), "encoding/truncated")
        guard case .map(let map) = try CBORValue(decoding: content) else { return }
        let other = try VectorCBOR.map([
            1: VectorCBOR.item(scene.heads(&maker)), 2: map[2], 3: map[3],
        ]).encoded()
        try refuse("other heads", try sealed(other), "signature/invalidSignature")
        let redirected = try VectorCBOR.map([
            1: map[1], 2: map[2], 3: map[3],
            4: .array([VectorAddress.item(VectorAddress.address(VectorAddress.random(&maker)))]),
        ]).encoded()
        try refuse("addresses that are not signed", try sealed(redirected), "signature/invalidSignature")
        let without = try VectorCBOR.map([1: map[1], 2: map[2], 3: .array([])]).encoded()
        try refuse("without the event of the key", try sealed(without), "signature/invalidSignature")
    }
}

/// A relationship whose asker has rotated twice and whose answerer once, of which their ledgers do not know.
private struct RejoinScene {
    let relationship: [UInt8]
    let asker: VectorFields
    let answerer: VectorFields
    let askerLog: [UInt8]
    let answererLog: [UInt8]
    let askerEvents: [[UInt8]]
    /// Another first rotation of the asker, and its revocation in that place.
    let contradiction: [UInt8]
    let revocation: [UInt8]
    /// What the operation `ask` asks for.
    let asked: VectorFields
    private let sealingKey: SealingPublicKey

    init(_ maker: inout VectorMaker) throws {
        let time = VectorMeeting.time
        relationship = maker.random(32)
        let person = VectorIdentity.random(&maker, created: time)
        let events = (1...2).map { VectorIdentity.rotation(&maker, created: time + $0) }
        asker = person.with("events", .list(events.map { .object($0) }))
        answerer = VectorIdentity.random(
            &maker, created: time, events: [VectorIdentity.rotation(&maker, created: time + 1)])
        let mine = try VectorIdentity.identity(asker)
        let theirs = try VectorIdentity.identity(answerer)
        askerEvents = mine.log.events.map { $0.encoded() }
        // The ledger of the answerer knows the asker's first rotation.
        askerLog = try CBORValue.array(askerEvents[..<2].map { .bytes($0) }).encoded()
        answererLog = try CBORValue.array([.bytes(theirs.log.events[0].encoded())]).encoded()
        sealingKey = theirs.log.sealingKey
        func first(_ event: VectorFields) throws -> [UInt8] {
            try VectorIdentity.identity(person.with("events", .list([.object(event)]))).log.events[1].encoded()
        }
        contradiction = try first(VectorIdentity.rotation(&maker, created: time + 9))
        let end: VectorFields = ["kind": .text("revocation"), "created": .number(time + 9)]
        revocation = try VectorIdentity.identity(person.with("events", .list([.object(events[0]), .object(end)]))).log
            .events[2].encoded()
        let (encapsulation, ratchetKey, kemSeed) = (maker.random(1_120), maker.random(32), maker.random(64))
        asked = [
            "identity": .object(asker), "epoch": .number(5), "resumed": .number(4),
            "heads": .hex(try Self.heads(&maker, relationship)), "ratchetKey": .hex(ratchetKey),
            "kemSeed": .hex(kemSeed), "created": .number(time + 50), "encapsulation": .hex(encapsulation),
        ]
    }

    func heads(_ maker: inout VectorMaker) throws -> [UInt8] { try Self.heads(&maker, relationship) }

    private static func heads(_ maker: inout VectorMaker, _ relationship: [UInt8]) throws -> [UInt8] {
        let own = [9, 8, 6, 2].map { number -> CBORValue in .array([.unsigned(number), .bytes(maker.random(32))]) }
        return try CBORValue.array([.array(own), .array([.unsigned(7), .bytes(maker.random(32))])]).encoded()
    }

    /// A rejoin sealed to the answerer, with other fields where `change` has them.
    func rejoin(
        _ maker: inout VectorMaker, _ change: [Int: CBORValue?] = [:], type: String = RejoinVectors.type,
        external: [UInt8]? = nil, signedByReplacedKey: Bool = false
    ) throws -> [UInt8] {
        let log = try VectorIdentity.identity(asker).log
        let payload = try VectorCBOR.map(
            [
                1: .unsigned(asked.number("epoch")), 2: .unsigned(asked.number("resumed")),
                3: VectorCBOR.item(asked.bytes("heads")), 4: .array(RejoinVectors.shown(log)),
                5: VectorCBOR.item(asked.agreementPrivateKey("ratchetKey").publicKey.coseKey),
                6: VectorCBOR.item(asked.kemPrivateKey("kemSeed").publicKey.coseKey),
                7: .unsigned(asked.number("created")),
            ].merging(change) { $1 })
        let info = RejoinVectors.info(relationship)
        var sender = try maker.entropy.sender(to: sealingKey, info: info.bytes)
        let key = try signedByReplacedKey ? asker.signingKey("next") : SigningKey(seed: lastSeed())
        let signed = try VectorCBOR.signed(
            payload, type: type, externalData: external ?? relationship + sender.encapsulation, with: key)
        let plaintext = try VectorHello.plaintext(signed)
        let version = RejoinVectors.version
        return version + sender.encapsulation + (try sender.seal(plaintext.bytes, authenticating: version.bytes))
    }

    /// The seed of the asker's signing key in force: the next key of the rotation before the last.
    private func lastSeed() throws -> SecretBytes {
        try asker.fieldsList("events")[0].secret("next")
    }
}

extension SystemEntropy {
    /// What a vector writes down of an encapsulation.
    fileprivate static func encapsulation(
        to key: KEMPublicKey
    ) throws -> (ciphertext: [UInt8], sharedSecret: [UInt8]) {
        var entropy = SystemEntropy()
        let fresh = try entropy.encapsulate(to: key)
        return (fresh.ciphertext, [UInt8](fresh.sharedSecret.bytes))
    }
}
