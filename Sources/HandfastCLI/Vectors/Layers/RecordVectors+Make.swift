internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension RecordVectors {
    static func make(_ maker: inout VectorMaker) throws {
        try makeRecords(&maker)
        try makeEphemeral(&maker)
        let rotation = VectorIdentity.rotation(&maker, created: VectorMeeting.time + 5)
        let meeting = try VectorMeeting(&maker)
        for entry in meeting.helloInput.entries { maker.share(entry.name, entry.value) }
        maker.share("identity", .object(meeting.inviter))
        maker.share(
            "own",
            .list(
                ["Welcome", "How may we help?"].map {
                    .object([
                        "text": .text($0), "time": .number(VectorMeeting.time + 30), "salt": .hex(maker.random(16)),
                    ])
                }))
        let scene = try ReceivingScene(maker: &maker, meeting: meeting, rotation: rotation)
        try scene.makeAccepted(&maker)
        try scene.makeRefused(&maker)
        try scene.makeBodies(&maker)
        try scene.makeKeyEvents(&maker)
        try scene.makeMoves(&maker)
    }

    private static func makeRecords(_ maker: inout VectorMaker) throws {
        let relationship = maker.random(32)
        let seed = maker.random(32)
        let input: VectorFields = [
            "seed": .hex(seed), "relationship": .hex(relationship), "direction": .number(0), "sequence": .number(1),
            "previous": .hex(relationship),
            "lastSeen": .object(["sequence": .number(0), "hash": .hex(relationship)]),
            "time": .number(VectorMeeting.time), "type": .text("message/text"), "salt": .hex(maker.random(16)),
            "body": .hex(try VectorCBOR.body(["text": .text("Grüß Gott"), "language": .text("de-AT")])),
        ]
        let made = try maker.accept("first record", "make", input)
        try maker.accept(
            "record with a thread", "make",
            input.with("direction", .number(1)).with("sequence", .number(300)).with("previous", .hex(maker.random(32)))
                .with("lastSeen", .object(["sequence": .number(70_000), "hash": .hex(maker.random(32))]))
                .with("thread", .hex(maker.random(16))))
        try maker.accept("read", "read", ["entry": try made.value("entry")])
        let record = try made.bytes("record")
        try maker.accept(
            "read an erased entry", "read", ["entry": .hex(try VectorRecord.entry(record, salt: nil, body: nil))])
        let entry = try made.bytes("entry")
        try maker.accept(
            "content of one entry", "content",
            ["content": .hex(try CBORValue.array([VectorCBOR.item(entry)]).encoded())])
        try maker.refuse("content of no entry", "content", ["content": .hex([0x80])], "malformed/wrongLength")
        try maker.refuse(
            "content of 65 entries", "content",
            ["content": .hex(try CBORValue.array([CBORValue](repeating: .null, count: 65)).encoded())],
            "malformed/sizeExceeded")
        for count in [1, 64] {
            try maker.accept("make content of \(count)", "encode", ["entry": .hex(entry), "count": .number(count)])
        }
        for count in [0, 65] {
            try maker.refuse(
                "make content of \(count)", "encode", ["entry": .hex(entry), "count": .number(count)], "tooMany")
        }
        try maker.accept("erase", "erase", ["entry": .hex(entry)])
        let end = try maker.accept(
            "record that ends", "make", input.with("type", .text("relationship/end")).with("body", .hex([0xa0])))
        try maker.refuse("erase what verification needs", "erase", ["entry": try end.value("entry")], "notErasable")
        try makeMalformed(&maker, input, record: record, entry: entry, seed: seed)
    }

    private static func makeMalformed(
        _ maker: inout VectorMaker, _ input: VectorFields, record: [UInt8], entry: [UInt8], seed: [UInt8]
    ) throws {
        let key = try SigningKey(seed: SecretBytes(copying: seed.bytes))
        func refuse(_ name: String, _ entry: [UInt8], _ error: String) throws {
            try maker.refuse("read, " + name, "read", ["entry": .hex(entry)], error)
        }
        let (salt, body) = (try input.bytes("salt"), try input.bytes("body"))
        try refuse("truncated", Array(entry.dropLast()), "malformed/truncated")
        try refuse("a byte behind", entry + [0], "malformed/trailingBytes")
        try refuse(
            "salt without a body", try VectorRecord.entry(record, salt: salt, body: nil), "malformed/wrongType")
        try refuse("body without a salt", try VectorRecord.entry(record, salt: nil, body: body), "malformed/wrongType")
        try refuse(
            "salt of 15 bytes", try VectorRecord.entry(record, salt: Array(salt[1...]), body: body),
            "malformed/wrongLength")
        try refuse(
            "record truncated", try VectorRecord.entry(Array(record.dropLast()), salt: salt, body: body),
            "malformedRecord/truncated")
        func changed(_ change: [Int: CBORValue?]) throws -> [UInt8] {
            let first = try VectorRecord(
                relationship: input.bytes("relationship"), direction: 0, sequence: 1,
                previous: input.bytes("previous"), lastSeenSequence: 0, lastSeenHash: input.bytes("previous"),
                time: VectorMeeting.time, recordType: "message/text", salt: salt, body: body)
            return try first.signed(with: key, changing: change).entry
        }
        try refuse("direction 2", try changed([2: .unsigned(2)]), "malformed/outOfRange")
        try refuse("no previous", try changed([4: nil]), "malformed/missingKey")
        try refuse("hash of 31 bytes", try changed([4: .bytes(maker.random(31))]), "malformed/wrongLength")
        try refuse("last seen without a hash", try changed([5: .array([.unsigned(0)])]), "malformed/wrongLength")
        try refuse("time is text", try changed([6: .text("now")]), "malformed/wrongType")
        try refuse("field 10", try changed([10: .null]), "malformed/unknownKey")
        try refuse("field 0", try changed([0: .null]), "malformed/unknownKey")
        try refuse(
            "payload beyond 512 bytes", try changed([10: .bytes(maker.random(400))]), "malformedRecord/sizeExceeded")
        try refuse(
            "record beyond 1,024 bytes", try changed([10: .bytes(maker.random(900))]), "malformed/sizeExceeded")
        for type in [
            "message", "message/", "/text", "message/text/more", "Message/text", "1message/text", "message/te_xt",
        ] {
            try refuse("type \(type)", try changed([7: .text(type)]), "malformedType")
        }
    }

    private static func makeEphemeral(_ maker: inout VectorMaker) throws {
        let body = try VectorCBOR.map([1: .null])
        func content(_ fields: [Int: CBORValue?]) throws -> VectorFields {
            ["content": .hex(try VectorCBOR.map(fields).encoded())]
        }
        let text = try VectorCBOR.item(VectorCBOR.body(["text": .text("…")]))
        try maker.accept("ephemeral", "ephemeral", content([1: .text("message/typing"), 3: text]))
        try maker.accept(
            "ephemeral in a thread", "ephemeral",
            content([1: .text("message/typing"), 2: .bytes(maker.random(16)), 3: text]))
        try maker.refuse(
            "ephemeral without a body", "ephemeral", content([1: .text("message/typing")]), "malformed/missingKey")
        // The body is 8 bytes longer than its text.
        try maker.accept("ephemeral of 61,440 bytes", "ephemeralText", ["letters": .number(61_431)])
        try maker.refuse("ephemeral of 61,441 bytes", "ephemeralText", ["letters": .number(61_432)], "bodyTooLarge")
        try maker.refuse(
            "ephemeral of no type", "ephemeral", content([1: .text("typing"), 3: text]), "malformedType")
        try maker.refuse(
            "ephemeral whose body has integer keys", "ephemeral", content([1: .text("message/typing"), 3: body]),
            "malformedBody")
    }
}
