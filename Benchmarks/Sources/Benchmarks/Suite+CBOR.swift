import Handfast
import HandfastEncoding

/// Deterministic CBOR beside cbor2's compiled extension and a plain copy of the bytes, and what refusing costs.
extension Suite {
    /// - Parameter python: An interpreter that has cbor2.
    static func cbor(python: String, _ report: (Row) -> Void) throws {
        let message = TextMessage(text: String(repeating: "It takes two hands to clap. ", count: 8), language: "en")
        let entry = try sampleEntry(message).encoded()
        let body = try CBOREncoder().encode(message)
        let shape = try EntryShape(decoding: entry)
        guard shape.encoded() == entry, try CBORDecoder().decode(TextMessage.self, from: body) == message else {
            throw BenchmarkError.wrongContent
        }
        let peer = try PythonPeer(
            python: python, script: "Peers/cbor2_peer.py", samples: [Hex.encode(entry), Hex.encode(body)])
        let tree = try CBORValue(decoding: body)
        let works: [(name: String, theirs: String, bytes: [UInt8], work: () throws -> Void)] = [
            ("entry/decode", "entry/decode", entry, { keep(try EntryShape(decoding: entry)) }),
            ("entry/encode", "entry/encode", entry, { keep(shape.encoded()) }),
            // A tree of untyped items is what cbor2 makes; a type of Swift's through Codable is what the library makes.
            ("tree/decode", "message/decode", body, { keep(try CBORValue(decoding: body)) }),
            ("tree/encode", "message/encode", body, { keep(try tree.encoded()) }),
            (
                "message/decode", "message/decode", body,
                { keep(try CBORDecoder().decode(TextMessage.self, from: body)) }
            ),
            ("message/encode", "message/encode", body, { keep(try CBOREncoder().encode(message)) }),
        ]
        for (name, theirs, bytes, work) in works {
            let ours = { (count: Int) in
                try Comparison.nanoseconds(count, { _ in }, { for _ in 0..<$0 { try work() } })
            }
            report(
                try perByte("cbor/\(name)", beside: "cbor2/\(theirs)", bytes.count, ours) { count in
                    try peer.nanoseconds(theirs, count)
                })
            var copied = bytes
            report(
                try perByte("cbor/\(name)", beside: "copy", bytes.count, ours) { count in
                    try Comparison.nanoseconds(
                        count, { _ in },
                        {
                            for _ in 0..<$0 {
                                unsafe copied.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
                                keep(copied)
                            }
                        })
                })
        }
        try peer.stop()
        try refusals(of: entry, report)
    }

    /// What lies outside the subset is refused no later than what lies within is accepted: each fault stands as near
    /// the end as its kind allows.
    private static func refusals(of entry: [UInt8], _ report: (Row) -> Void) throws {
        for (name, faulty) in try faults(in: entry) {
            guard (try? EntryShape(decoding: faulty)) == nil else { throw BenchmarkError.wrongContent }
            report(
                try Comparison.measure(
                    "cbor/refuse/\(name)", beside: "cbor/entry/decode",
                    ours: { for _ in 0..<$0 { keep(try? EntryShape(decoding: faulty)) } },
                    theirs: { for _ in 0..<$0 { keep(try EntryShape(decoding: entry)) } }))
        }
    }

    private static func sampleEntry(_ message: TextMessage) throws -> Entry {
        var entropy = SystemEntropy()
        let identity = try Identity.create(at: Parties.now, using: &entropy)
        let (_, entries) = try Relationship.greeted(
            id: RelationshipID(identity.id.digest), identity: identity, signer: identity.log,
            at: Parties.now
        ) { relationship throws(RelationshipError) in
            [
                try relationship.append(
                    message, thread: ThreadID.random(using: &entropy), at: Parties.now, with: identity,
                    using: &entropy)
            ]
        }
        guard let entry = entries.first else { throw BenchmarkError.wrongContent }
        return entry
    }

    /// The same entry with one fault each, all of the same size; most stand at the payload's last field, whose key is 9
    /// and which follows the thread.
    private static func faults(in entry: [UInt8]) throws -> [(name: String, bytes: [UInt8])] {
        let starts = entry.indices.dropLast(21).filter { index in
            entry[index] == 8 && entry[index + 1] == 0x50 && entry[(index + 18)...].starts(with: [9, 0x58, 32])
        }
        guard let thread = starts.first else { throw BenchmarkError.wrongContent }
        let key = thread + 18
        func with(_ byte: UInt8, at index: Int) -> [UInt8] {
            var faulty = entry
            faulty[index] = byte
            return faulty
        }
        return [
            ("non-minimal", with(23, at: key + 2)), ("indefinite-length", with(0x5F, at: key + 1)),
            ("unsorted-keys", with(7, at: key)), ("duplicate-key", with(8, at: key)),
            ("unknown-key", with(10, at: key)), ("unsupported-simple", with(0xF8, at: key + 1)),
            ("truncated", with(33, at: key + 2)), ("trailing-bytes", with(31, at: key + 2)),
            ("invalid-utf8", with(0xFF, at: thread - 1)),
        ]
    }

    private static func perByte(
        _ name: String, beside: String, _ byteCount: Int, _ ours: (Int) throws -> Double,
        _ theirs: (Int) throws -> Double
    ) throws -> Row {
        let count = 1_000
        _ = (try ours(count), try theirs(count))
        var pairs: [(Double, Double)] = []
        for _ in 0..<Comparison.runs { pairs.append((try ours(count), try theirs(count))) }
        return Row(
            name, unit: "ns/B", beside: beside, ours: pairs.map { $0.0 / Double(byteCount) },
            theirs: pairs.map { $0.1 / Double(byteCount) })
    }

    /// Uses a value, so that its making is not optimised away.
    @inline(never)
    @_semantics("optimize.no.crossmodule")
    static func keep<Value>(_ value: Value) {}
}
