@testable import Handfast
@testable import HandfastCrypto
@testable import HandfastEncoding
@testable import HandfastNode

extension FuzzTarget {
    static let encoding = [
        FuzzTarget(name: "cbor", seeds: cborSeeds, run: cbor),
        FuzzTarget(name: "codable", seeds: codableSeeds, run: codable),
        FuzzTarget(name: "cose", seeds: coseSeeds, run: cose),
        FuzzTarget(name: "cose-batch", seeds: coseBatchSeeds, run: coseBatch),
    ]

    /// Tree and reader must agree on what is CBOR, and a tree must encode to where it came from.
    @Sendable private static func cbor(_ input: [UInt8]) throws {
        let value = accepted { try CBORValue(decoding: input) }
        let isWellFormed: Bool
        do throws(CBORError) {
            var reader = CBORReader(input.bytes)
            try reader.skipItem()
            try reader.finish()
            isWellFormed = true
        } catch {
            isWellFormed = false
        }
        try BrokenPromise.unless(isWellFormed == (value != nil), "reader and tree disagree on what is CBOR")
        guard let value else { return }
        try BrokenPromise.unlessSame(try value.encoded(), as: input, "CBOR item")
        if case .map(let map) = value {
            let again = try CBORMap(map.entries.reversed())
            try BrokenPromise.unless(again == map, "a map's order depends on who made it")
            for case .text(let key) in map.entries.map(\.key) {
                try BrokenPromise.unless(map[key] != nil, "a key of a map is not found in it")
            }
        }
        _ = value.jsonText
    }

    @Sendable private static func cborSeeds() throws -> [[UInt8]] {
        let scalars: [CBORValue] = [
            .unsigned(23), .unsigned(256), .unsigned(.max), .negative(.max), .bytes([1, 2, 3]), .text("h\u{e9}"),
            .bool(true), .null, .double(1.5), .double(100_000), .double(1.1), .double(.nan), .double(-.infinity),
        ]
        let map = CBORValue.map(
            try CBORMap([
                CBORMap.Entry(.unsigned(1), .text("a")), CBORMap.Entry(.negative(0), .array(scalars)),
                CBORMap.Entry(.text("name"), .tag(18, .bytes([]))), CBORMap.Entry(.text("n"), .map(CBORMap())),
            ]))
        let nested = (0..<16).reduce(CBORValue.null) { value, _ in .array([value]) }
        return try (scalars + [map, nested, .array(scalars)]).map { try $0.encoded() }
    }

    /// The bodies of every family, and what passes through a vault's socket.
    @Sendable private static func codable(_ input: [UInt8]) throws {
        try decodesAgain(TextMessage.self, input)
        try decodesAgain(Introduction.self, input)
        try decodesAgain(Ending.self, input)
        try decodesAgain(Rotation.self, input)
        try decodesAgain(Command.self, input)
        try decodesAgain(CommandReply.self, input)
    }

    /// Unknown keys are dropped, so that only what was encoded once must come back as it was.
    private static func decodesAgain<Value: Codable & Hashable>(_ type: Value.Type, _ input: [UInt8]) throws {
        guard let value = accepted({ try CBORDecoder().decode(type, from: input) }) else { return }
        let encoded = try CBOREncoder().encode(value)
        let again = accepted { try CBORDecoder().decode(type, from: encoded) }
        try BrokenPromise.unless(again == value, "\(type): does not come back from its own encoding")
    }

    @Sendable private static func codableSeeds() throws -> [[UInt8]] {
        let encoder = CBOREncoder()
        let message = try OutgoingMessage.text("hello")
        return [
            try encoder.encode(TextMessage(text: "hello", language: "en")),
            try encoder.encode(Introduction(name: "Ada", url: "https://example.org")),
            try encoder.encode(Ending(reason: "done")),
            try encoder.encode(Rotation(Fixture.shared.get().keyEvents[1])),
            try encoder.encode(Command.invite(label: "Ada", wait: 5)),
            try encoder.encode(Command.list),
            try encoder.encode(
                Command.send(relationship: "Ada", messages: [message], idempotencyKey: "1", wait: 0)),
            try encoder.encode(Command.read(relationship: "Ada", sender: nil, after: 0, limit: 9, wait: 0)),
            try encoder.encode(CommandReply.failed(CommandFailure(.usage, "no"))),
            try encoder.encode(CommandReply.ledger([1, 2, 3])),
        ]
    }

    @Sendable private static func cose(_ input: [UInt8]) throws {
        if let signed = accepted({ try COSESign1(decoding: input.bytes, maximumPayload: 4_096) }) {
            try BrokenPromise.unlessSame(signed.encoded(), as: input, "COSE_Sign1")
            let detached = try COSESign1(decodingDetached: signed.encodedDetached().bytes, payload: signed.payload)
            try BrokenPromise.unless(detached == signed, "a COSE_Sign1 changes when its payload is detached")
        }
        if let signed = accepted({ try COSESign1(decodingDetached: input.bytes, payload: [1]) }) {
            try BrokenPromise.unlessSame(signed.encodedDetached(), as: input, "detached COSE_Sign1")
        }
        if let key = accepted({ try VerificationKey(coseKey: input.bytes) }) {
            try BrokenPromise.unlessSame(key.coseKey, as: input, "Ed25519 COSE_Key")
        }
        if let key = accepted({ try AgreementPublicKey(coseKey: input.bytes) }) {
            try BrokenPromise.unlessSame(key.coseKey, as: input, "X25519 COSE_Key")
        }
        if let key = accepted({ try KEMPublicKey(coseKey: input.bytes) }) {
            try BrokenPromise.unlessSame(key.coseKey, as: input, "ML-KEM COSE_Key")
        }
        if let key = accepted({ try SealingPublicKey(coseKey: input.bytes) }) {
            try BrokenPromise.unlessSame(key.coseKey, as: input, "X-Wing COSE_Key")
        }
    }

    @Sendable private static func coseSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy()
        let signing = SigningKey.generate(using: &entropy)
        let signed = COSESign1.sign([1, 2, 3], type: "handfast-test", with: signing)
        return [
            signed.encoded(), signed.encodedDetached(), signing.publicKey.coseKey,
            AgreementPrivateKey.generate(using: &entropy).publicKey.coseKey,
            KEMPrivateKey.generate(using: &entropy).publicKey.coseKey,
            SealingPrivateKey.generate(using: &entropy).publicKey.coseKey,
        ]
    }

    /// Content that may carry the proof of a batch: each place in a tree has one length of path, and nothing but the
    /// content of that place leads to the root that was signed.
    @Sendable private static func coseBatch(_ input: [UInt8]) throws {
        guard
            let signed = accepted({ try COSESign1(decoding: input.bytes, maximumPayload: 4_096, allowsBatch: true) })
        else { return }
        try BrokenPromise.unlessSame(signed.encoded(), as: input, "COSE_Sign1 of a batch")
        let alone = accepted { try COSESign1(decoding: input.bytes, maximumPayload: 4_096) }
        try BrokenPromise.unless((alone == nil) == (signed.proof != nil), "a proof stands where none may be")
        let (leaf, other) = (Digest.of(Label("fuzz"), signed.payload), Digest.of(Label("fuzz"), [0] + signed.payload))
        guard let batch = signed.batch(leaf: leaf) else { return }
        try BrokenPromise.unless(batch != signed.batch(leaf: other), "two contents have one place")
    }

    @Sendable private static func coseBatchSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy()
        let signing = SigningKey.generate(using: &entropy)
        let contents = [[UInt8]](repeating: [1, 2, 3], count: 5).map {
            (payload: $0, leaf: Digest.of(Label("fuzz"), $0))
        }
        return COSESign1.sign(batch: contents, type: "handfast-test", with: signing, using: &entropy)
            .map { $0.encoded() }
    }
}
