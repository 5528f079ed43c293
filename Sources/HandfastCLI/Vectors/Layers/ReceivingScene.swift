internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// An invitee that writes records, and an inviter that judges them.
struct ReceivingScene {
    let relationship: [UInt8]
    let invitee: VectorFields
    let rotation: VectorFields
    /// The inviter's records that an invitee can have seen.
    let ownHashes: [[UInt8]]

    init(maker: inout VectorMaker, meeting: VectorMeeting, rotation: VectorFields) throws {
        relationship = meeting.relationship.digest.array
        invitee = meeting.invitee
        self.rotation = rotation
        let made = try maker.accept("nothing received", "receive", ["entries": .list([])])
        ownHashes = try made.byteList("ownHashes")
    }

    private var writer: VectorLedgerWriter { VectorLedgerWriter(relationship: relationship, direction: 0) }

    private func receive(
        _ name: String, _ entries: [[UInt8]], _ maker: inout VectorMaker, error: String? = nil, comment: String? = nil
    ) throws {
        let output = try maker.accept(
            name, "receive", ["entries": .hexes(entries)], comment: comment,
            without: error == nil ? [] : ["relationship", "ownHashes", "peerKey"])
        guard let error else { return }
        let last = try output.fieldsList("results").last
        guard try last?.optionalText("error") == error else {
            throw VectorFault.wrongClass(expected: error, actual: (try? last?.text("error")) ?? "accepted").at(name)
        }
    }

    private func text(_ writer: VectorLedgerWriter, _ text: String, _ maker: inout VectorMaker) throws -> VectorRecord {
        try writer.next("message/text", ["text": .text(text)], salt: maker.random(16))
    }

    func makeAccepted(_ maker: inout VectorMaker) throws {
        let identity = try VectorIdentity.identity(invitee)
        var writer = writer
        let introduction = try writer.next(
            "relationship/introduce", ["name": .text("Ada"), "url": .text("https://ada.example"), "x-later": .null],
            salt: maker.random(16))
        let first = try writer.add(introduction, with: identity.signingKey)
        writer.seen = (1, ownHashes[0])
        let second = try writer.add(text(writer, "Hello", &maker), with: identity.signingKey)
        writer.seen = (2, ownHashes[1])
        let third = try writer.add(
            writer.next("shop/order", ["item": .text("tea"), "count": .unsigned(2)], salt: maker.random(16)),
            with: identity.signingKey)
        try receive(
            "introduction, message, unknown type", [first, second, third], &maker,
            comment: "a body may have keys that the receiver does not know")
        try receive("the same again", [first, second, first, second, third, third], &maker)

        var ending = writer
        let end = try ending.add(
            ending.next("relationship/end", ["reason": .text("moved")], salt: maker.random(16)),
            with: identity.signingKey)
        let after = try ending.add(text(ending, "One more thing", &maker), with: identity.signingKey)
        try receive(
            "a record after the end", [first, second, third, end, after], &maker, error: "notAllowed",
            comment: "the relationship has ended at the receiver, who takes nothing more")

        var other = self.writer
        _ = try other.add(introduction, with: identity.signingKey)
        other.seen = (1, ownHashes[0])
        let told = try other.add(text(other, "Something else", &maker), with: identity.signingKey)
        try receive("fork", [first, second, told], &maker, comment: "two records of one number, both signed")
        let stranger = SigningKey.generate(using: &maker.entropy)
        var forger = self.writer
        _ = try forger.add(introduction, with: identity.signingKey)
        forger.seen = (1, ownHashes[0])
        let forged = try forger.add(text(forger, "Forged", &maker), with: stranger)
        try receive(
            "no fork", [first, second, forged], &maker, error: "invalidSignature", comment: "not signed by the sender")
    }

    func makeRefused(_ maker: inout VectorMaker) throws {
        let identity = try VectorIdentity.identity(invitee)
        var started = writer
        started.seen = (1, ownHashes[0])
        let first = try started.add(text(started, "One", &maker), with: identity.signingKey)
        /// The second record with something wrong.
        func refuse(
            _ name: String, _ error: String, comment: String? = nil, _ change: (inout VectorRecord) -> Void
        ) throws {
            var record = try text(started, "Two", &maker)
            change(&record)
            let entry = try record.signed(with: identity.signingKey).entry
            try receive(name, [first, entry], &maker, error: error, comment: comment)
        }
        try refuse("of another relationship", "wrongRelationship") { $0.relationship = $0.previous }
        try refuse("of the other direction", "wrongDirection", comment: "as if the receiver had said it") {
            $0.direction = 1
        }
        try refuse("number 3 after 1", "missingRecord") { $0.sequence = 3 }
        try refuse("number 0", "missingRecord") { $0.sequence = 0 }
        try refuse("previous is another", "previousMismatch") { $0.previous[0] ^= 1 }
        try refuse("has seen less than before", "lastSeenWentBack") {
            ($0.lastSeenSequence, $0.lastSeenHash) = (0, relationship)
        }
        try refuse("has seen what was never sent", "lastSeenAhead") { $0.lastSeenSequence = 3 }
        try refuse("has seen another record", "lastSeenMismatch") {
            ($0.lastSeenSequence, $0.lastSeenHash) = (2, ownHashes[0])
        }
        try refuse("body of another digest", "bodyDigestMismatch") { $0.bodyDigest = ownHashes[0] }
        let record = try text(started, "Two", &maker)
        let signed = try record.signed(with: identity.signingKey)
        try receive(
            "came without its body", [first, VectorRecord.entry(signed.record, salt: nil, body: nil)], &maker,
            error: "bodyMissing")
        try receive(
            "with another salt", [first, VectorRecord.entry(signed.record, salt: maker.random(16), body: record.body)],
            &maker, error: "bodyDigestMismatch")
        let bad = VectorCBOR.changingSignature(of: signed.record) { $0.flipping(40) }
        try receive(
            "changed signature", [first, VectorRecord.entry(bad, salt: record.salt, body: record.body)], &maker,
            error: "invalidSignature")
        let noncanonical = VectorCBOR.changingSignature(of: signed.record) {
            $0[..<32] + PrimitiveVectors.plusOrder($0[32...])
        }
        try receive(
            "non-canonical scalar in a record",
            [first, VectorRecord.entry(noncanonical, salt: record.salt, body: record.body)], &maker,
            error: "invalidSignature")
        let typed = try record.signed(with: identity.signingKey, type: "handfast-hello+cose")
        try receive("of another COSE type", [first, typed.entry], &maker, error: "invalidSignature")
    }

    func makeBodies(_ maker: inout VectorMaker) throws {
        let identity = try VectorIdentity.identity(invitee)
        let cases: [(String, String, [String: CBORValue])] = [
            ("message without text", "message/text", ["language": .text("en")]),
            ("text that is a number", "message/text", ["text": .unsigned(1)]),
            ("text that is null", "message/text", ["text": .null]),
            ("language of one letter", "message/text", ["text": .text("a"), "language": .text("e")]),
            ("language with a space", "message/text", ["text": .text("a"), "language": .text("en US")]),
            ("empty name", "relationship/introduce", ["name": .text("")]),
            ("name of 257 bytes", "relationship/introduce", ["name": .text(String(repeating: "n", count: 257))]),
            ("name with a control character", "relationship/introduce", ["name": .text("A\u{7}da")]),
            ("name with a line feed", "relationship/introduce", ["name": .text("A\nda")]),
            ("name that turns the text beside it", "relationship/introduce", ["name": .text("A\u{202E}da")]),
            ("empty reason", "relationship/end", ["reason": .text("")]),
            ("rotation without an event", "relationship/rotate", [:]),
            ("rotation whose event is none", "relationship/rotate", ["event": .bytes([1, 2, 3])]),
        ]
        for (name, type, body) in cases {
            let record = try writer.next(type, body, salt: maker.random(16))
            try receive(name, [record.signed(with: identity.signingKey).entry], &maker, error: "malformedBody")
        }
        for (name, body) in [
            ("body that is an array", [UInt8]([0x80])), ("body with integer keys", [0xa1, 0x01, 0x00]),
            ("body that is not deterministic", [0xb8, 0x00]), ("empty body", []),
        ] {
            var record = try text(writer, "", &maker)
            record.recordType = "shop/order"
            record.body = body
            try receive(name, [record.signed(with: identity.signingKey).entry], &maker, error: "malformedBody")
        }
    }

    func makeMoves(_ maker: inout VectorMaker) throws {
        let identity = try VectorIdentity.identity(invitee)
        func address(_ host: String) throws -> [UInt8] {
            let fields: [CBORValue] = [
                .text(host), .unsigned(7_447), .bytes(maker.random(32)), .bytes(maker.random(16)),
                .bytes(maker.random(32)),
            ]
            return try CBORValue.array(fields).encoded()
        }
        func move(_ addresses: [[UInt8]]) throws -> [UInt8] {
            let record = try writer.next(
                "relationship/move", ["addresses": .array(addresses.map { .bytes($0) })], salt: maker.random(16))
            return try record.signed(with: identity.signingKey).entry
        }
        let (first, second) = (try address("relay.example"), try address("192.0.2.7"))
        try receive("move to two addresses", [move([first, second])], &maker)
        let moved = try maker.accept("erase a move", "erase", ["entry": .hex(try move([first]))])
        try maker.accept("read a move without its body", "read", ["entry": try moved.value("entry")])
        for (name, addresses) in [
            ("move to no address", []), ("move to five addresses", try (0..<5).map { _ in try address("a.example") }),
            ("move to one queue twice", [first, first]), ("move to what is no address", [[1, 2, 3]]),
            ("move to an address with a byte behind", [first + [0]]), ("move to an empty host", [try address("")]),
        ] {
            try receive(name, [try move(addresses)], &maker, error: "malformedBody")
        }
    }

    func makeKeyEvents(_ maker: inout VectorMaker) throws {
        let identity = try VectorIdentity.identity(invitee)
        let rotated = try VectorIdentity.identity(invitee.with("events", .list([.object(rotation)])))
        let revocation: VectorFields = ["kind": .text("revocation"), "created": .number(VectorMeeting.time + 99)]
        let revoked = try VectorIdentity.identity(invitee.with("events", .list([.object(revocation)])))
        let event = rotated.log.events[1].encoded()
        func rotate(_ writer: VectorLedgerWriter, _ event: [UInt8], _ type: String = "relationship/rotate") throws
            -> VectorRecord
        {
            try writer.next(type, ["event": .bytes(event)], salt: maker.random(16))
        }
        var turned = writer
        let first = try turned.add(rotate(turned, event), with: rotated.signingKey)
        let new = try text(turned, "With the new key", &maker).signed(with: rotated.signingKey).entry
        let old = try text(turned, "With the old key", &maker).signed(with: identity.signingKey).entry
        try receive("rotation, then a record of the new key", [first, new], &maker)
        try receive("record of the old key after a rotation", [first, old], &maker, error: "invalidSignature")
        try receive(
            "rotation signed by the old key", [rotate(writer, event).signed(with: identity.signingKey).entry], &maker,
            error: "invalidSignature")
        try receive(
            "the same rotation again",
            [first, rotate(turned, event).signed(with: rotated.signingKey).entry], &maker,
            error: "keyEventRefused/keyLog/wrongSequence", comment: "it adds nothing to the log")
        let other = try VectorIdentity.identity(VectorIdentity.random(&maker, created: 5))
        var otherRotated = try VectorIdentity.identity(VectorIdentity.random(&maker, created: 5))
        _ = try otherRotated.rotate(at: Timestamp(seconds: 6), using: &maker.entropy)
        try receive(
            "rotation of another identity",
            [rotate(writer, otherRotated.log.events[1].encoded()).signed(with: otherRotated.signingKey).entry], &maker,
            error: "keyEventRefused/keyLog/wrongIdentity")
        try receive(
            "inception for a rotation",
            [rotate(writer, other.log.events[0].encoded()).signed(with: identity.signingKey).entry], &maker,
            error: "malformedBody")
        try receive(
            "revocation for a rotation",
            [rotate(writer, revoked.log.events[1].encoded()).signed(with: revoked.signingKey).entry], &maker,
            error: "malformedBody")
        let ended = try rotate(writer, revoked.log.events[1].encoded(), "relationship/revoke")
        try receive("revocation", [ended.signed(with: revoked.signingKey).entry], &maker)
        let contradicting = try rotate(turned, revoked.log.events[1].encoded(), "relationship/revoke")
        try receive(
            "fork of the key log", [first, contradicting.signed(with: revoked.signingKey).entry], &maker,
            comment: "a revocation with the number of a rotation that is known")
    }
}
