internal import HandfastCrypto
internal import HandfastEncoding

extension BackupVectors {
    private static let passphrase = "for paper, not for a vault"

    static func make(_ maker: inout VectorMaker) throws {
        maker.share("passphrase", .text(passphrase))
        try makeItems(&maker)
        try makeFiles(&maker)
    }

    // MARK: Items

    private static func part(_ number: UInt64) -> CBORValue {
        .array([.unsigned(0), .unsigned(number), .unsigned(1_800_000_000 + number), .unsigned(40 + number)])
    }

    private static func row(_ kind: UInt64, _ maker: inout VectorMaker, _ content: [CBORValue]?) -> CBORValue {
        .array([
            .unsigned(kind), .bytes(maker.random(16)), .bytes(maker.random(16)), content.map { .array($0) } ?? .null,
        ])
    }

    private static func makeItems(_ maker: inout VectorMaker) throws {
        func bytes(_ count: Int) -> CBORValue { .bytes(maker.random(count)) }
        let head = CBORValue.array([bytes(16), .unsigned(7), bytes(32)])
        let rows: [(String, UInt64, [CBORValue]?)] = [
            ("service", 1, [bytes(32), .unsigned(9), bytes(20)]), ("identity", 2, [bytes(32), bytes(20)]),
            ("queue of a relationship", 3, [bytes(16), bytes(32), bytes(5)]),
            ("queue of strangers", 3, [bytes(16), .null, bytes(5)]),
            ("relationship", 4, [bytes(32), bytes(40), bytes(33), .array([head, head])]),
            ("relationship without secrets", 4, [bytes(32), bytes(40), .null, .array([])]),
            ("record", 5, [bytes(32), .unsigned(1), .unsigned(3), bytes(32), bytes(60)]),
            ("wallet", 6, [.text("credential"), bytes(16), bytes(50)]),
            ("transfer", 7, [bytes(32), .unsigned(0), .unsigned(3), .bool(true), bytes(9)]),
            ("event", 8, [.unsigned(41), .null, bytes(9)]), ("file", 9, [.text("config.json"), bytes(2)]),
            ("a row that is gone", 2, nil),
        ]
        try maker.accept("item, beginning of a part", "item", ["item": .hex(try part(0).encoded())])
        for (name, kind, content) in rows {
            try maker.accept("item, \(name)", "item", ["item": .hex(try row(kind, &maker, content).encoded())])
        }
        let refused: [(String, UInt64, [CBORValue]?)] = [
            ("an event that is gone", 8, nil), ("a kind that there is not", 10, [bytes(32), bytes(20)]),
            ("an identity with a third field", 2, [bytes(32), bytes(20), bytes(1)]),
            ("a record of a third side", 5, [bytes(32), .unsigned(2), .unsigned(3), bytes(32), bytes(60)]),
            ("a short id", 2, [bytes(31), bytes(20)]),
        ]
        for (name, kind, content) in refused {
            let item = row(kind, &maker, content)
            try maker.refuse("item, \(name)", "item", ["item": .hex(try item.encoded())], "damaged")
        }
        let good = try row(9, &maker, [.text("a"), bytes(2)]).encoded()
        try maker.refuse("item, a byte more", "item", ["item": .hex(good + [0])], "damaged")
        try maker.refuse("item, cut short", "item", ["item": .hex(Array(good.dropLast()))], "damaged")
    }

    // MARK: Files

    /// A file as it is written.
    private struct Writing {
        private(set) var bytes: [UInt8]
        private(set) var partStarts: [Int] = []
        private let key: [UInt8]
        private var chain: Digest

        /// Begins with a header that a passphrase opens.
        init(_ maker: inout VectorMaker, memory: Int = 64 << 20, passes: Int = 1, version: UInt8 = 1) throws {
            let (id, salt) = (maker.random(16), maker.random(16))
            let key = maker.random(32)
            self.key = key
            let parameters = try PassphraseParameters(memory: 64 << 20, passes: 1, salt: FixedBytes(copying: salt))
            let passphrase = Array(BackupVectors.passphrase.utf8)
            var data = Array("handfast backup".utf8) + id
            for number in [memory, passes] { data += Self.bigEndian(number, count: 8) }
            data += salt
            let byPassphrase = try parameters.deriveKey(from: passphrase.bytes)
                .seal(key.bytes, authenticating: data.bytes, using: &maker.entropy)
            let content = try CBORValue.array([
                .bytes(id), .unsigned(UInt64(memory)), .unsigned(UInt64(passes)), .bytes(salt), .bytes(byPassphrase),
                .bytes(maker.random(72)),
            ]).encoded()
            let header = Array("HFBK".utf8) + [version] + Self.bigEndian(content.count, count: 2) + content
            var hash = LabelledHash(Label("backup file"))
            hash.absorb(header)
            bytes = header
            chain = hash.digest()
        }

        private static func bigEndian(_ number: Int, count: Int) -> [UInt8] {
            (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }

        /// Items, each behind its length.
        static func joined(_ items: [CBORValue]) throws -> [UInt8] {
            try items.flatMap { item in
                let bytes = try item.encoded()
                return bigEndian(bytes.count, count: 4) + bytes
            }
        }

        mutating func add(_ items: [CBORValue], _ maker: inout VectorMaker) throws {
            try add(content: Self.joined(items), &maker)
        }

        mutating func add(
            content: [UInt8], _ maker: inout VectorMaker, chunkCount: Int = 65_536, last: SecretStreamTag = .final
        ) throws {
            var hash = LabelledHash(Label("backup part"), key: SecretBytes(copying: key.bytes))
            hash.absorb(UInt64(partStarts.count))
            hash.absorb(chain.array)
            let secret = hash.secret()
            let header = FixedBytes<24>(random: &maker.entropy)
            var stream = SecretStreamSealer(try SecretStreamKey(copying: secret.bytes), header: header)
            var (part, chunk, rest) = (header.array, [UInt8](), content[...])
            repeat {
                let plain = Array(rest.prefix(chunkCount))
                rest = rest.dropFirst(plain.count)
                chunk = [UInt8](repeating: 0, count: plain.count + SecretStreamSealer.overhead)
                var output = chunk.mutableBytes
                try stream.seal(plain.bytes, rest.isEmpty ? last : .message, into: &output)
                part += chunk
            } while !rest.isEmpty
            partStarts.append(bytes.count)
            bytes += Self.bigEndian(part.count, count: 8) + part
            var next = LabelledHash(Label("backup file"))
            next.absorb(chain.array)
            next.absorb(chunk)
            chain = next.digest()
        }
    }

    private static func makeFiles(_ maker: inout VectorMaker) throws {
        func file(_ bytes: [UInt8]) -> VectorFields { ["file": .hex(bytes)] }
        let rows = [
            row(2, &maker, [.bytes(maker.random(32)), .bytes(maker.random(20))]),
            row(9, &maker, [.text("config.json"), .bytes(Array("{}".utf8))]),
        ]
        var whole = try Writing(&maker)
        try whole.add([part(0)] + rows, &maker)
        let one = whole.bytes
        try maker.accept("one part", "open", file(one))
        try whole.add([part(1), row(2, &maker, nil)], &maker)
        try whole.add([part(2)], &maker)
        let bytes = whole.bytes
        try maker.accept("three parts", "open", file(bytes))
        try maker.accept("a part that was begun", "open", file(one + [UInt8](repeating: 0, count: 8) + [1, 2, 3]))
        try maker.accept(
            "a part that is not there to its end", "open", file(Array(bytes.dropLast())),
            comment: "Its length says more than there is: it counts as nothing.")
        var long = try Writing(&maker)
        try long.add([part(0), row(9, &maker, [.text("long"), .bytes(maker.random(65_600))])], &maker)
        try maker.accept("a part of two chunks", "open", file(long.bytes))

        func refuse(_ name: String, _ bytes: [UInt8], _ error: String) throws {
            try maker.refuse(name, "open", file(bytes), error)
        }
        func changed(_ place: Int) -> [UInt8] {
            var copy = bytes
            copy[place] ^= 1
            return copy
        }
        let starts = whole.partStarts
        try refuse("another file", Array("SQLite format 3".utf8), "notABackup")
        try refuse("a later version", try Writing(&maker, version: 2).bytes, "newerVersion")
        try refuse("nothing but a header", Array(bytes[..<starts[0]]), "unfinished")
        try refuse("a header that is cut short", Array(bytes[..<20]), "unfinished")
        try refuse("a first part that is cut short", Array(one.dropLast()), "unfinished")
        try refuse("less memory than may be asked for", try Writing(&maker, memory: 1 << 20).bytes, "damaged")
        try refuse("more passes than may be asked for", try Writing(&maker, passes: 17).bytes, "damaged")
        try refuse("another id", changed(10), "wrongPassphrase")
        try maker.refuse(
            "another passphrase", "open", file(bytes).with("passphrase", .text("For paper")), "wrongPassphrase")
        try refuse("a changed byte of what opens it for the vault", changed(starts[0] - 1), "damaged")
        try refuse("a changed byte of the second part", changed(starts[1] + 40), "damaged")
        try refuse("the second part left out", Array(bytes[..<starts[1]] + bytes[starts[2]...]), "damaged")
        try refuse("the first part again", Array(bytes[..<starts[1]] + bytes[starts[0]...]), "damaged")
        let items = try Writing.joined([part(0)] + rows)
        for (name, content, chunkCount, last) in [
            ("a part without an end", items, 65_536, SecretStreamTag.message),
            ("shorter chunks", items, 32, .final), ("an item that is cut short", items.dropLast(), 65_536, .final),
            ("an item longer than any", [0x7f, 0, 0, 0] + items, 65_536, .final),
        ] as [(String, [UInt8], Int, SecretStreamTag)] {
            var wrong = try Writing(&maker)
            try wrong.add(content: content, &maker, chunkCount: chunkCount, last: last)
            try refuse(name, wrong.bytes, "damaged")
        }
    }
}
