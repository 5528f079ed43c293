import HandfastCrypto
import HandfastEncoding
import Testing

/// Every example of RFC 8949 appendix A: accepted and encoded again to the same bytes, or refused for the named reason.
@Suite struct AppendixATests {
    struct Example: Decodable, Sendable {
        var hex: String
    }

    /// Everything that the deterministic subset refuses; offsets are those of the offending item.
    static let refused: [String: CBORError] = [
        // Infinity and not-a-number in more bytes than they need.
        "fa7f800000": .nonMinimal(at: 0),
        "fa7fc00000": .nonMinimal(at: 0),
        "faff800000": .nonMinimal(at: 0),
        "fb7ff0000000000000": .nonMinimal(at: 0),
        "fb7ff8000000000000": .nonMinimal(at: 0),
        "fbfff0000000000000": .nonMinimal(at: 0),
        // Undefined and other simple values, which no structure uses.
        "f7": .unsupported(initialByte: 0xF7, at: 0),
        "f0": .unsupported(initialByte: 0xF0, at: 0),
        "f818": .unsupported(initialByte: 0xF8, at: 0),
        "f8ff": .unsupported(initialByte: 0xF8, at: 0),
        // Indefinite lengths.
        "5f42010243030405ff": .indefiniteLength(at: 0),
        "7f657374726561646d696e67ff": .indefiniteLength(at: 0),
        "9fff": .indefiniteLength(at: 0),
        "9f018202039f0405ffff": .indefiniteLength(at: 0),
        "9f01820203820405ff": .indefiniteLength(at: 0),
        "83018202039f0405ff": .indefiniteLength(at: 5),
        "83019f0203ff820405": .indefiniteLength(at: 2),
        "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff": .indefiniteLength(at: 0),
        "bf61610161629f0203ffff": .indefiniteLength(at: 0),
        "826161bf61626163ff": .indefiniteLength(at: 3),
        "bf6346756ef563416d7421ff": .indefiniteLength(at: 0),
    ]

    @Test func acceptsOrRefusesEveryExampleAsNamed() throws {
        let examples = try Vectors.decode([Example].self, from: "cbor-test-vectors/appendix_a.json")
        #expect(examples.count == 82)
        #expect(Set(Self.refused.keys).isSubset(of: examples.map(\.hex)))
        for example in examples {
            let bytes = try bytes(example.hex)
            if let reason = Self.refused[example.hex] {
                #expect(throws: reason, "\(example.hex)") { try CBORValue(decoding: bytes) }
                #expect(throws: reason, "\(example.hex)") { try read(example.hex) { try $0.skipItem() } }
            } else {
                let value = try CBORValue(decoding: bytes)
                #expect(try Hex.encode(value.encoded()) == example.hex)
                try read(example.hex) { try $0.skipItem() }
            }
        }
    }
}
