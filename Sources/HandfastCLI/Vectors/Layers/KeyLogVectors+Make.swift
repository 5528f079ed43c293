internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension KeyLogVectors {
    private static let type = KeyEvent.type

    static func make(_ maker: inout VectorMaker) throws {
        let rotations = (0..<3).map { VectorIdentity.rotation(&maker, created: 1_800_000_100 + UInt64($0)) }
        let fields = VectorIdentity.random(&maker, created: 1_800_000_000)
        func make(_ name: String, _ identity: VectorFields) throws -> VectorFields {
            try maker.accept(name, "make", ["identity": .object(identity)])
        }
        let single = try make("inception", fields)
        _ = try make("public identity", VectorIdentity.random(&maker, created: 0, domain: "shop.example"))
        let rotated = try make("two rotations", fields.with("events", .list(rotations[..<2].map { .object($0) })))
        let revocation: VectorFields = ["kind": .text("revocation"), "created": .number(1_800_000_900)]
        let revoked = try make(
            "rotation and revocation", fields.with("events", .list([.object(rotations[0]), .object(revocation)])))
        let many = (0..<63).map { VectorIdentity.rotation(&maker, created: 1_800_001_000 + UInt64($0)) }
        func lengthened(_ count: Int, _ last: VectorFields) -> VectorFields {
            ["identity": .object(fields.with("events", .list((many[..<count] + [last]).map { .object($0) })))]
        }
        try maker.accept("64 events", "make", lengthened(62, revocation), without: ["events"])
        try maker.refuse(
            "a rotation as 64th event", "make", lengthened(62, many[62]), "keyLog/full",
            comment: "only a revocation takes the last place")
        for (name, made) in [("inception alone", single), ("three events", rotated), ("revoked log", revoked)] {
            try maker.accept("verify, \(name)", "verify", ["log": try log(events(made))])
        }
        try makeFaults(&maker, fields, rotations, single: single, rotated: rotated, revoked: revoked)
        try makeIDs(&maker, try single.text("idText"))
        try makeRecovery(&maker)
    }

    private static func events(_ made: VectorFields) throws -> [[UInt8]] {
        try made.fieldsList("events").map { try $0.bytes("event") }
    }

    private static func log(_ events: [[UInt8]]) throws -> VectorValue {
        .hex(try CBORValue.array(events.map { .bytes($0) }).encoded())
    }

    private static func makeFaults(
        _ maker: inout VectorMaker, _ fields: VectorFields, _ rotations: [VectorFields], single: VectorFields,
        rotated: VectorFields, revoked: VectorFields
    ) throws {
        let (inception, chain, ended) = (try events(single)[0], try events(rotated), try events(revoked))
        maker.share("log", try log([inception]))
        func refuse(_ name: String, _ list: [[UInt8]], _ error: String, comment: String? = nil) throws {
            try maker.refuse(name, "verify", ["log": try log(list)], error, comment: comment)
        }
        func refuseAppending(
            _ name: String, _ event: [UInt8], to list: [[UInt8]], _ error: String, comment: String? = nil
        ) throws {
            try maker.refuse(
                name, "append", ["log": list == [inception] ? nil : try log(list), "event": .hex(event)], error,
                comment: comment)
        }
        try maker.accept("append a rotation", "append", ["event": .hex(chain[1])])
        try maker.accept(
            "append the same event again", "append", ["log": try log(chain), "event": .hex(chain[1])],
            comment: "changes nothing")

        try refuse("no events", [], "keyLog/inceptionExpected")
        try refuse("rotation first", [chain[1]], "keyLog/inceptionExpected")
        let other = try VectorIdentity.identity(VectorIdentity.random(&maker, created: 1_800_000_000))
        let otherInception = other.log.events[0].encoded()
        try refuse("a second inception", [inception, otherInception], "keyLog/inceptionRepeated")
        try refuse("the inception twice", [inception, inception], "keyLog/inceptionRepeated")
        try refuse("a rotation twice", [inception, chain[1], chain[1]], "keyLog/wrongSequence")
        try refuse("a number left out", [inception, chain[2]], "keyLog/wrongSequence")
        try refuse(
            "an event of another identity", [otherInception, chain[1]], "keyLog/wrongIdentity")
        try refuseAppending(
            "rotation after revocation",
            try rotation(
                ended[1], signing: rotations[0].bytes("next"), number: 3, previous: digest(ended[2]),
                maker: &maker), to: ended, "keyLog/revoked")

        let payload = try VectorCBOR.item(payload(of: chain[1]))
        let nextSeed = try fields.bytes("next")
        func variant(_ change: [Int: CBORValue?], seed: [UInt8]? = nil) throws -> [UInt8] {
            try event(payload, changing: change, seed: seed ?? nextSeed)
        }
        try refuseAppending(
            "wrong digest of the event before", try variant([9: .bytes(maker.random(32))]), to: [inception],
            "keyLog/wrongPreviousDigest")
        let stranger = maker.random(32)
        let strangerKey = try SigningKey(seed: SecretBytes(copying: stranger.bytes)).publicKey.coseKey
        try refuseAppending(
            "a key that was not promised", try variant([2: VectorCBOR.item(strangerKey)], seed: stranger),
            to: [inception], "keyLog/uncommittedKey",
            comment: "signed by the key that it names, which is not the next key of the inception")
        let signing = try fields.bytes("signing")
        let signingKey = try SigningKey(seed: SecretBytes(copying: signing.bytes)).publicKey.coseKey
        try refuseAppending(
            "signed by the old key", try variant([2: VectorCBOR.item(signingKey)], seed: signing), to: [inception],
            "keyLog/uncommittedKey", comment: "the thief of a signing key cannot rotate")
        try refuseAppending(
            "fork", try variant([6: .integer(1_800_000_777)]), to: chain, "keyLogFork",
            comment: "another valid event with the number of one that is known")
        try makeMalformed(&maker, inception: inception, rotation: chain[1], variant: variant)
        try refuse(
            "inception signed by another key",
            [
                VectorCBOR.changingSignature(of: inception) { $0.flipping(3) }
            ], "signature/invalidSignature")
        try maker.refuse(
            "log with a byte behind it", "verify",
            ["log": .hex(try CBORValue.array([.bytes(inception)]).encoded() + [0])],
            "encoding/trailingBytes")
    }

    private static func makeMalformed(
        _ maker: inout VectorMaker, inception: [UInt8], rotation: [UInt8],
        variant: ([Int: CBORValue?], [UInt8]?) throws -> [UInt8]
    ) throws {
        let cases: [(String, [Int: CBORValue?], String)] = [
            ("suite 2", [1: .integer(2)], "unsupportedVersion"), ("kind 3", [0: .integer(3)], "encoding/outOfRange"),
            ("number 0 of a rotation", [8: .integer(0)], "malformed"),
            ("number 65", [8: .integer(65)], "encoding/outOfRange"),
            ("no sealing key", [4: nil], "encoding/missingKey"),
            ("domain in a rotation", [5: .text("shop.example")], "encoding/unknownKey"),
            ("unknown field 10", [10: .integer(0)], "encoding/unknownKey"),
            ("next of 31 bytes", [3: .bytes(maker.random(31))], "encoding/wrongLength"),
            ("created is text", [6: .text("now")], "encoding/wrongType"),
            ("created is negative", [6: .integer(-1)], "encoding/outOfRange"),
        ]
        for (name, change, error) in cases {
            try maker.refuse(
                name, "append", ["event": .hex(try variant(change, nil))], error)
        }
        try maker.refuse(
            "event of another type", "append",
            [
                "event": .hex(
                    try VectorCBOR.signed(
                        VectorCBOR.item(payload(of: rotation)), type: "handfast-bundle+cose",
                        with: SigningKey.generate(using: &maker.entropy)))
            ], "signature/wrongType")
        try maker.refuse(
            "truncated event", "append",
            ["event": .hex(Array(rotation.dropLast()))], "signature/truncated")
        for (name, domain) in [
            ("domain in capitals", "Shop.example"), ("domain of one label", "localhost"),
            ("empty label", "shop..example"),
            ("label that ends in a hyphen", "shop-.example"), ("domain with a port", "shop.example:443"),
        ] {
            try maker.refuse(
                name, "make", ["identity": .object(VectorIdentity.random(&maker, created: 1, domain: domain))],
                "malformed")
        }
    }

    private static func makeRecovery(_ maker: inout VectorMaker) throws {
        let root = maker.random(32)
        func derive(_ name: String, _ root: [UInt8], _ salt: [UInt8]) throws -> VectorFields {
            try maker.accept(name, "recoveryKey", ["root": .hex(root), "salt": .hex(salt)])
        }
        let words = try derive("recovery key", root, maker.random(16)).text("words")
        _ = try derive("recovery key, another salt", root, maker.random(16))
        _ = try derive(
            "recovery key, root and salt of zeros", Array(repeating: 0, count: 32), Array(repeating: 0, count: 16))
        try maker.accept("recovery words", "recoveryWords", ["words": .text(words)])
        let list = words.split(separator: "-").map(String.init)
        try maker.accept(
            "recovery words with spaces and capitals", "recoveryWords",
            ["words": .text(list.joined(separator: " ").uppercased() + "\n")])
        var swapped = list
        swapped.swapAt(0, 1)
        for (name, words) in [
            ("recovery words in another order", swapped), ("recovery words, one missing", Array(list.dropLast())),
            ("recovery words, one too many", list + [list[0]]),
            ("recovery words, one wrong", Array(list.dropLast()) + ["babab"]),
            ("recovery words, one that is none", Array(list.dropLast()) + ["hello"]),
        ] {
            try maker.refuse(name, "recoveryWords", ["words": .text(words.joined(separator: "-"))], "malformed")
        }
    }

    private static func makeIDs(_ maker: inout VectorMaker, _ text: String) throws {
        try maker.accept("id", "id", ["text": .text(text)])
        for (name, text) in [
            ("id without its prefix", String(text.dropFirst(3))),
            ("id in capitals", "hf:" + text.dropFirst(3).uppercased()),
            ("id cut short", String(text.dropLast())), ("id with padding", text + "===="),
            ("id with bits left over", String(text.dropLast()) + "b"),
        ] {
            try maker.refuse(name, "id", ["text": .text(text)], "malformed")
        }
    }
}

// MARK: - Events by hand

extension KeyLogVectors {
    private static func payload(of event: [UInt8]) throws -> [UInt8] {
        try KeyEvent(decoding: event.bytes).signed.payload
    }

    private static func digest(_ event: [UInt8]) throws -> [UInt8] {
        try KeyEvent(decoding: event.bytes).digest.array
    }

    /// An event with other fields, signed anew; a nil value removes a field.
    private static func event(
        _ payload: CBORValue, changing change: [Int: CBORValue?], seed: [UInt8]
    ) throws -> [UInt8] {
        guard case .map(let map) = payload else { return [] }
        var fields: [Int: CBORValue?] = [:]
        for key in 0...9 { if let value = map[key] { fields[key] = value } }
        for (key, value) in change { fields[key] = value }
        let key = try SigningKey(seed: SecretBytes(copying: seed.bytes))
        return try VectorCBOR.signed(VectorCBOR.map(fields), type: type, with: key)
    }

    /// A rotation like another, with another place.
    private static func rotation(
        _ like: [UInt8], signing seed: [UInt8], number: Int64, previous: [UInt8], maker: inout VectorMaker
    ) throws -> [UInt8] {
        let key = try SigningKey(seed: SecretBytes(copying: seed.bytes)).publicKey.coseKey
        return try event(
            VectorCBOR.item(payload(of: like)),
            changing: [
                2: VectorCBOR.item(key), 3: .bytes(maker.random(32)), 8: .integer(number), 9: .bytes(previous),
            ], seed: seed)
    }
}
