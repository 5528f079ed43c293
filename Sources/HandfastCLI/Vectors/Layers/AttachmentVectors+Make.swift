internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

extension AttachmentVectors {
    private static let chunkSize = 256

    static func make(_ maker: inout VectorMaker) throws {
        for (name, size) in [
            ("empty file", 0), ("one byte", 1), ("exactly one chunk", chunkSize), ("one byte more", chunkSize + 1),
            ("two full chunks", 2 * chunkSize),
        ] {
            let input = random(&maker, size: size)
            let sealed = try maker.accept("seal, \(name)", "seal", input)
            try maker.accept("open, \(name)", "open", opening(input, sealed))
        }
        try makeRefusals(&maker)
        try makeBodies(&maker)
        try makeMessages(&maker)
    }

    private static func random(_ maker: inout VectorMaker, size: Int) -> VectorFields {
        [
            "key": .hex(maker.random(32)), "header": .hex(maker.random(24)), "chunkSize": .number(chunkSize),
            "content": .hex(maker.random(size)),
        ]
    }

    private static func opening(_ input: VectorFields, _ sealed: VectorFields) throws -> VectorFields {
        [
            "key": input["key"], "header": input["header"], "chunkSize": input["chunkSize"],
            "contentSize": .number(try input.bytes("content").count), "digest": sealed["digest"],
            "chunks": sealed["chunks"],
        ]
    }

    // MARK: Refusals

    private static func makeRefusals(_ maker: inout VectorMaker) throws {
        let input = random(&maker, size: 2 * chunkSize + 10)
        let sealed = try maker.accept("seal, three chunks", "seal", input)
        let good = try opening(input, sealed)
        try maker.accept("open, three chunks", "open", good)
        let chunks = try sealed.byteList("chunks")
        func refuse(_ name: String, _ chunks: [[UInt8]], _ error: String) throws {
            try maker.refuse("open, \(name)", "open", good.with("chunks", .hexes(chunks)), error)
        }
        var damaged = chunks
        damaged[1][100] ^= 1
        try refuse("a changed byte", damaged, "chunk/notAuthentic")
        var retagged = chunks
        retagged[2][0] ^= 3
        try refuse("a changed tag", retagged, "chunk/notAuthentic")
        try refuse("first chunk twice", [chunks[0], chunks[0], chunks[2]], "chunk/notAuthentic")
        try refuse("chunks exchanged", [chunks[1], chunks[0], chunks[2]], "chunk/notAuthentic")
        try refuse("second chunk left out", [chunks[0], chunks[2]], "chunk/wrongLength")
        try refuse("last chunk left out", Array(chunks.dropLast()), "chunk/missing")
        try refuse("no chunk", [], "chunk/missing")
        try refuse("a chunk cut short", [chunks[0], Array(chunks[1].dropLast())], "chunk/wrongLength")
        try refuse("a chunk beyond the end", chunks + [chunks[2]], "chunk/beyondEnd")
        for (name, field, size) in [("another key", "key", 32), ("another header", "header", 24)] {
            try maker.refuse("open, \(name)", "open", good.with(field, .hex(maker.random(size))), "chunk/notAuthentic")
        }
        try maker.refuse(
            "open, another digest", "open", good.with("digest", .hex(maker.random(32))), "attachmentDigestMismatch")
        try maker.refuse(
            "open, size of one byte more", "open", good.with("contentSize", .number(2 * chunkSize + 11)),
            "chunk/wrongLength")
        try maker.refuse(
            "open, size of one chunk less", "open", good.with("contentSize", .number(chunkSize + 10)),
            "chunk/wrongLength")
        for (name, tags) in [
            ("last chunk not said to be the last", [SecretStreamTag.message, .message]),
            ("first chunk said to be the last", [.final]), ("a new key after the first", [.rekey]),
            ("end of a set after the first", [.push]),
        ] {
            try makeWrongTag(&maker, name, tags)
        }
    }

    /// Two chunks under tags that do not say which is the last.
    private static func makeWrongTag(_ maker: inout VectorMaker, _ name: String, _ tags: [SecretStreamTag]) throws {
        let input = random(&maker, size: 2 * chunkSize)
        let (key, header): (FixedBytes<32>, FixedBytes<24>) = (try input.bytes("key"), try input.bytes("header"))
        var stream = SecretStreamSealer(SecretStreamKey(key), header: header)
        var chunks: [[UInt8]] = []
        var rest = try input.bytes("content")[...]
        for tag in tags {
            var sealed = [UInt8](repeating: 0, count: chunkSize + SecretStreamSealer.overhead)
            var output = sealed.mutableBytes
            let part = Array(rest.prefix(chunkSize))
            try stream.seal(part.bytes, tag, into: &output)
            rest = rest.dropFirst(chunkSize)
            chunks.append(sealed)
        }
        let digest = chunks.reduce(into: [header.array]) { $0.append($1) }
        var hash = LabelledHash(Label("attachment"))
        for part in digest { hash.absorb(part) }
        let sealed: VectorFields = ["digest": .hex(hash.digest().array), "chunks": .hexes(chunks)]
        try maker.refuse("open, \(name)", "open", opening(input, sealed), "chunk/wrongTag")
    }

    // MARK: Bodies and messages

    private static func makeBodies(_ maker: inout VectorMaker) throws {
        let whole: [String: CBORValue] = [
            "name": .text("photo.jpg"), "encodingFormat": .text("image/jpeg"), "contentSize": .unsigned(1_000_000),
            "chunkSize": .unsigned(60_416), "key": .bytes(maker.random(32)), "header": .bytes(maker.random(24)),
            "digest": .bytes(maker.random(32)), "text": .text("See what I found"), "language": .text("en"),
        ]
        func changed(_ change: [String: CBORValue?]) throws -> VectorFields {
            var all = whole
            for (key, value) in change { all[key] = value }
            let map = try CBORMap(all.map { CBORMap.Entry(.text($0.key), $0.value) })
            return ["body": .hex(try CBORValue.map(map).encoded())]
        }
        try maker.accept("body", "body", changed([:]))
        try maker.accept(
            "body, least", "body",
            changed([
                "encodingFormat": nil, "text": nil, "language": nil, "contentSize": .unsigned(0),
                "chunkSize": .unsigned(256), "name": .text("a"),
            ]))
        try maker.accept("body, largest file", "body", changed(["contentSize": .unsigned(1 << 40)]))
        try maker.accept(
            "body, a key of a later version", "body", changed(["later": .bool(true)]), comment: "It is ignored.")
        let cases: [(String, [String: CBORValue?])] = [
            ("no name", ["name": nil]), ("empty name", ["name": .text("")]),
            ("name of 256 bytes", ["name": .text(String(repeating: "n", count: 256))]),
            ("name with a slash", ["name": .text("../../etc/passwd")]),
            ("name with a backslash", ["name": .text(#"..\secret"#)]), ("name ..", ["name": .text("..")]),
            ("name with a line break", ["name": .text("a\nb")]),
            ("name that turns its direction", ["name": .text("a\u{202E}gpj.exe")]),
            ("media type without a slash", ["encodingFormat": .text("jpeg")]),
            ("media type with parameters", ["encodingFormat": .text("text/plain; charset=utf-8")]),
            ("file of more than 2^40 bytes", ["contentSize": .unsigned(1 << 40 + 1)]),
            ("chunks of 255 bytes", ["chunkSize": .unsigned(255)]),
            ("chunks of 60,417 bytes", ["chunkSize": .unsigned(60_417)]),
            ("key of 31 bytes", ["key": .bytes(maker.random(31))]),
            ("header of 25 bytes", ["header": .bytes(maker.random(25))]), ("no digest", ["digest": nil]),
            ("size is text", ["contentSize": .text("1")]), ("language is none", ["language": .text("e")]),
        ]
        for (name, change) in cases { try maker.refuse("body, \(name)", "body", changed(change), "malformedBody") }
    }

    private static func makeMessages(_ maker: inout VectorMaker) throws {
        let messages: [(String, TransferMessage)] = [
            ("want", .want(record: 7, round: 1, from: 0, until: 32)),
            ("want of 64", .want(record: 7, round: .max, from: 10, until: 74)), ("have", .have(record: 7)),
            ("decline", .decline(record: 7)),
            ("chunk", .chunk(record: 7, round: 1, number: 31, sealed: maker.random(40))),
            ("offer", .offer(record: 1_000)), ("gone", .gone(record: 1)),
        ]
        for (name, message) in messages {
            try maker.accept("message, \(name)", "message", ["content": .hex(try message.message().encoded())])
        }
        func content(_ type: String, _ body: [String: CBORValue]) throws -> VectorFields {
            let map = try CBORMap(body.map { CBORMap.Entry(.text($0.key), $0.value) })
            let content = try VectorCBOR.map([1: .text("message/attachment-\(type)"), 3: .map(map)])
            return ["content": .hex(try content.encoded())]
        }
        func want(_ from: UInt64, _ until: UInt64, round: UInt64 = 1) throws -> VectorFields {
            try content(
                "want",
                ["record": .unsigned(7), "round": .unsigned(round), "from": .unsigned(from), "until": .unsigned(until)])
        }
        for (name, input) in [
            ("want of nothing", try want(3, 3)), ("want backwards", try want(4, 3)), ("want of 65", try want(0, 65)),
            ("round of 2^32", try want(0, 1, round: 1 << 32)), ("have without a record", try content("have", [:])),
            (
                "chunk without data",
                try content("chunk", ["record": .unsigned(7), "round": .unsigned(1), "chunk": .unsigned(0)])
            ),
        ] {
            try maker.refuse("message, \(name)", "message", input, "malformedBody")
        }
    }
}
