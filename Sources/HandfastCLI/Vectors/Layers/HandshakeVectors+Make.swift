internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension HandshakeVectors {
    static func make(_ maker: inout VectorMaker) throws {
        let meeting = try VectorMeeting(
            &maker,
            entries: { relationship, identity in
                let record = VectorRecord(
                    relationship: relationship.digest.array, direction: 0, sequence: 1,
                    previous: relationship.digest.array, lastSeenSequence: 0,
                    lastSeenHash: relationship.digest.array, time: VectorMeeting.time,
                    recordType: "message/text", salt: [UInt8](repeating: 7, count: 16),
                    body: try VectorCBOR.body(["text": .text("Good morning")]))
                return [try record.signed(with: identity.signingKey).entry]
            })
        for entry in meeting.helloInput.entries { maker.share(entry.name, entry.value) }
        maker.share("pending", .object(meeting.pending))
        maker.share("now", .number(VectorMeeting.time + 20))

        let hello = try maker.accept("open hello", "openHello", [:])
        try maker.accept(
            "make hello", "makeHello",
            [
                "identity": .object(meeting.invitee), "addresses": try hello.value("addresses"),
                "ratchetKey": try meeting.pending.value("ratchetKey"), "kemSeed": try meeting.pending.value("kemSeed"),
                "ticket": .hex(meeting.ticket), "entries": try hello.value("entries"),
                "created": .number(VectorMeeting.time), "bundleHash": try hello.value("bundleHash"),
                "encapsulation": try meeting.pending.value("encapsulation"),
            ], comment: "its plaintext is the one that the hello holds")
        try makeHelloRefusals(&maker, meeting, hello)

        let welcome = try maker.accept("make welcome", "makeWelcome", meeting.welcomeInput)
        try maker.accept("open welcome", "openWelcome", ["welcome": try welcome.value("welcome")])
        try makeWelcomeRefusals(&maker, meeting, hello, welcome)

        let rotation = VectorIdentity.rotation(&maker, created: VectorMeeting.time)
        let rotated = meeting.welcomeInput.with(
            "signer", .object(meeting.signer.with("events", .list([.object(rotation)]))))
        let later = try maker.accept(
            "make welcome after the signer has rotated", "makeWelcome", rotated,
            comment: "the bundle is signed by the old key, the welcome by the new one")
        try maker.accept(
            "open welcome after the signer has rotated", "openWelcome", ["welcome": try later.value("welcome")])
    }

    // MARK: - Hello

    private static func makeHelloRefusals(
        _ maker: inout VectorMaker, _ meeting: VectorMeeting, _ made: VectorFields
    ) throws {
        let hello = meeting.hello
        func refuse(_ name: String, _ hello: [UInt8], _ error: String, comment: String? = nil) throws {
            try maker.refuse("hello: " + name, "openHello", ["hello": .hex(hello)], error, comment: comment)
        }
        try refuse("too short", Array(hello[..<1_424]), "malformed")
        try refuse("version 2", [2] + hello[1...], "unsupportedVersion")
        try refuse("to another bundle", hello.flipping(1), "wrongBundle")
        try refuse("changed encapsulation", hello.flipping(40), "notAuthentic")
        try refuse("truncated", Array(hello.dropLast()), "notAuthentic")
        let bundle = meeting.bundle
        let identity = try VectorIdentity.identity(meeting.invitee)
        let signed = try made.bytes("signed")
        let payload = try COSESign1(decoding: signed.bytes, maximumPayload: signed.count).payload
        try refuse(
            "sealed under another label",
            try VectorHello.seal(
                to: bundle, info: Array("HF2.hello".utf8) + bundle.hash.array, using: &maker.entropy
            ) { _ in try VectorHello.plaintext(signed) }, "notAuthentic")
        try refuse(
            "signature of another hello",
            try VectorHello.seal(to: bundle, using: &maker.entropy) { _ in try VectorHello.plaintext(signed) },
            "signature/invalidSignature", comment: "the content of one hello sealed again: another encapsulation")

        /// A hello whose payload has other fields.
        func changed(
            _ change: [Int: CBORValue?], type: String = VectorHello.type, bytes: (([UInt8]) -> [UInt8])? = nil
        ) throws -> [UInt8] {
            guard case .map(let map) = try CBORValue(decoding: payload) else { return [] }
            var fields: [Int: CBORValue?] = [:]
            for key in 1...7 { fields[key] = map[key] }
            for (key, value) in change { fields[key] = value }
            return try VectorHello.seal(to: bundle, using: &maker.entropy) { encapsulation in
                let plaintext = try VectorHello.plaintext(
                    VectorCBOR.signed(
                        VectorCBOR.map(fields), type: type, externalData: bundle.hash.array + encapsulation,
                        with: identity.signingKey))
                return bytes?(plaintext) ?? plaintext
            }
        }
        try refuse("padding that is not zero", try changed([:]) { $0.dropLast() + [1] }, "malformed")
        try refuse("length beyond the end", try changed([:]) { [0xff, 0xff] + $0[2...] }, "malformed")
        try refuse("of another type", try changed([:], type: "handfast-welcome+cose"), "signature/wrongType")
        let other = try VectorIdentity.identity(VectorIdentity.random(&maker, created: 1))
        try refuse(
            "inception of somebody else", try changed([1: .bytes(other.log.events[0].encoded())]),
            "signature/invalidSignature")
        let rotated = try VectorIdentity.identity(
            meeting.invitee.with("events", .list([.object(VectorIdentity.rotation(&maker, created: 2))])))
        try refuse(
            "rotation for inception", try changed([1: .bytes(rotated.log.events[1].encoded())]),
            "keyLog/inceptionExpected")
        try refuse("no address", try changed([2: .array([])]), "malformed")
        try refuse(
            "Ed25519 key for X25519",
            try changed([3: VectorCBOR.map([1: .integer(1), -1: .integer(6), -2: .bytes(maker.random(32))])]),
            "signature/wrongCurve")
        try refuse(
            "ML-KEM key that is none",
            try changed([
                4: VectorCBOR.map([
                    1: .integer(7), 3: .integer(-70_001), -1: .bytes([UInt8](repeating: 0xff, count: 1_184)),
                ])
            ]), "signature/invalidKey")
        try refuse("ticket of 15 bytes", try changed([5: .bytes(maker.random(15))]), "encoding/wrongLength")
        try maker.accept(
            "hello: entries that are none", "openHello",
            ["hello": .hex(try changed([6: .array([.null, .text("entry")])]))],
            comment: "their form is looked at last, by the ledger")
        try refuse(
            "17 entries", try changed([6: .array([CBORValue](repeating: .null, count: 17))]), "encoding/sizeExceeded")
    }

    // MARK: - Welcome

    private static func makeWelcomeRefusals(
        _ maker: inout VectorMaker, _ meeting: VectorMeeting, _ hello: VectorFields, _ made: VectorFields
    ) throws {
        let envelope = try made.bytes("welcome")
        func refuse(_ name: String, _ welcome: [UInt8], _ error: String, comment: String? = nil) throws {
            try maker.refuse("welcome: " + name, "openWelcome", ["welcome": .hex(welcome)], error, comment: comment)
        }
        try refuse("too short", Array(envelope[..<333]), "malformed")
        try refuse("version 2", [2] + envelope[1...], "unsupportedVersion")
        try refuse("changed nonce", envelope.flipping(1), "notAuthentic")
        try refuse("changed header", envelope.flipping(40), "notAuthentic")
        try refuse("changed ciphertext", envelope.flipping(100), "notAuthentic")
        try refuse("changed body", envelope.flipping(envelope.count - 20), "notAuthentic")

        let keys = try WelcomeKeys(meeting.welcomeInput, hello)
        let (salt, ciphertext) = (
            try meeting.welcomeInput.bytes("salt"), try meeting.welcomeInput.bytes("ciphertext")
        )
        let content = try made.bytes("content")
        func seal(
            _ content: [UInt8], kind: UInt8 = 3, _ change: (inout VectorEnvelope) -> Void = { _ in }
        ) throws -> [UInt8] {
            try keys.seal(kind: kind, content: content, salt: salt, ciphertext: ciphertext, changing: change).envelope
        }
        try refuse(
            "messages before it", try seal(content) { $0.previousLength = 1 }, "notAuthentic",
            comment: "the chain before the first has no messages")
        try refuse("records in its place", try seal(content, kind: 1), "malformed")
        try refuse(
            "small-order ratchet key", try seal(content) { $0.ratchetKey = [UInt8](repeating: 0, count: 32) },
            "notAuthentic")
        try refuse("content cut short", try seal(Array(content.dropLast())), "encoding/truncated")

        func changed(_ change: [Int: CBORValue?]) throws -> [UInt8] {
            guard case .map(let map) = try CBORValue(decoding: content) else { return [] }
            var fields: [Int: CBORValue?] = [:]
            for key in 1...6 { fields[key] = map[key] }
            for (key, value) in change { fields[key] = value }
            return try seal(VectorCBOR.map(fields).encoded())
        }
        let inviter = try VectorIdentity.identity(meeting.inviter)
        let signer = try VectorIdentity.identity(meeting.signer)
        let digest = try made.bytes("digest")
        func signature(
            _ key: borrowing SigningKey, over digest: [UInt8], type: String = HandshakeProof.type
        ) -> CBORValue {
            .bytes(COSESign1.sign(digest, type: type, with: key).encodedDetached())
        }
        try refuse(
            "signer's signature in the pairwise place", try changed([3: signature(signer.signingKey, over: digest)]),
            "signature/invalidSignature")
        try refuse(
            "pairwise signature in the signer's place", try changed([4: signature(inviter.signingKey, over: digest)]),
            "signature/invalidSignature")
        try refuse(
            "signatures of another hello",
            try changed([
                3: signature(inviter.signingKey, over: digest.flipping(0)),
                4: signature(signer.signingKey, over: digest.flipping(0)),
            ]), "signature/invalidSignature")
        try refuse(
            "signature of another type",
            try changed([3: signature(inviter.signingKey, over: digest, type: "handfast-record+cose")]),
            "signature/wrongType")
        try refuse("no address", try changed([2: .array([])]), "malformed")
        let rotated = try VectorIdentity.identity(
            meeting.signer.with("events", .list([.object(VectorIdentity.rotation(&maker, created: 2))])))
        try refuse(
            "signer has rotated, the old key signs",
            try changed([6: .array([.bytes(rotated.log.events[1].encoded())])]), "signature/invalidSignature")
        try refuse(
            "event of another identity since the bundle",
            try changed([6: .array([.bytes(inviter.log.events[0].encoded())])]), "keyLog/inceptionRepeated")
        let revoked = try VectorIdentity.identity(
            meeting.signer.with(
                "events", .list([.object(["kind": .text("revocation"), "created": .number(2)])])))
        try refuse(
            "signer has revoked",
            try changed([
                4: signature(revoked.signingKey, over: digest),
                6: .array([.bytes(revoked.log.events[1].encoded())]),
            ]), "keyLog/revoked")
    }
}
