internal import HandfastCrypto
internal import HandfastEncoding

/// Deterministic CBOR: what is accepted, and every kind of what is not.
///
/// - Source: Spec/01 §1.1, §1.2
enum CBORVectors: VectorLayer {
    static let name = "cbor"

    static let operations: [String: VectorOperation] = ["decode": decode]

    private static func decode(_ input: VectorFields) throws -> VectorFields {
        let value = try CBORValue(decoding: input.bytes("bytes"))
        return ["value": vectorValue(value), "encoded": .hex(try value.encoded())]
    }

    /// A value as JSON that keeps types apart: an object with one key that names the type.
    private static func vectorValue(_ value: CBORValue) -> VectorValue {
        switch value {
        case .unsigned, .negative: .object(["int": .text(value.jsonText)])
        case .bytes(let bytes): .object(["bytes": .hex(bytes)])
        case .text(let text): .object(["text": .text(text)])
        case .array(let items): .object(["array": .list(items.map(vectorValue))])
        case .map(let map):
            .object(["map": .list(map.entries.map { .list([vectorValue($0.key), vectorValue($0.value)]) })])
        case .tag(let number, let content):
            .object(["tag": .list([.object(["int": .text(String(number))]), vectorValue(content)])])
        case .bool(let flag): .object(["bool": .flag(flag)])
        case .null: .object(["null": .null])
        case .simple(let number): .object(["simple": .text(String(number))])
        case .double(let double):
            .object([
                "float": .text(
                    Hex.encode((0..<8).map { UInt8(truncatingIfNeeded: double.bitPattern >> (56 - 8 * UInt64($0))) }))
            ])
        }
    }

    static func make(_ maker: inout VectorMaker) throws {
        for (name, hex) in accepted { try maker.accept(name, "decode", ["bytes": .text(hex)]) }
        let random = maker.random(300)
        let value = CBORValue.array([
            .bytes(random),
            .map(try CBORMap([.init(.integer(-1), .bytes(maker.random(24))), .init(.text("z"), .null)])),
        ])
        try maker.accept("random bytes in containers", "decode", ["bytes": .hex(try value.encoded())])
        for (name, hex, error) in refused {
            try maker.refuse(name, "decode", ["bytes": .text(hex)], error)
        }
    }

    private static let accepted: [(String, String)] = [
        ("zero", "00"), ("23", "17"), ("24", "1818"), ("255", "18ff"), ("256", "190100"), ("65,536", "1a00010000"),
        ("2^32", "1b0000000100000000"), ("2^64 - 1", "1bffffffffffffffff"), ("-1", "20"), ("-25", "3818"),
        ("-2^64", "3bffffffffffffffff"), ("no bytes", "40"), ("bytes", "43010203"), ("empty text", "60"),
        ("text of two-, three- and four-byte characters", "69c3bce6b0b4f09f9982"),
        ("text that is not normalised", "6365cc81"), ("empty array", "80"), ("array in array", "8201820203"),
        ("array of 24", "9818000102030405060708090a0b0c0d0e0f1011121314151617"),
        ("empty map", "a0"), ("integer keys, in order", "a40100020020002100"),
        ("text keys: shorter before longer", "a361620061630062616100"),
        ("keys of several types", "a50a001864002000617a0062616100"),
        ("tag", "c11a514b67b0"), ("unknown tag", "d9d9f700"), ("false", "f4"), ("true", "f5"), ("null", "f6"),
        ("1.0 stays a float", "f93c00"), ("-0.0", "f98000"), ("not a number", "f97e00"), ("infinity", "f97c00"),
        ("minus infinity", "f9fc00"), ("smallest half subnormal", "f90001"), ("100000.0", "fa47c35000"),
        ("1.1", "fb3ff199999999999a"), ("16 levels", "81818181818181818181818181818180"),
    ]

    private static let refused: [(String, String, String)] = [
        ("nothing", "", "truncated"), ("integer cut short", "1a0001", "truncated"),
        ("bytes cut short", "430102", "truncated"), ("text cut short", "6261", "truncated"),
        ("array with a missing item", "8201", "truncated"), ("map with a missing value", "a101", "truncated"),
        ("tag without content", "c1", "truncated"), ("length beyond the input", "5b7fffffffffffffff", "truncated"),
        ("items beyond the input", "9b7fffffffffffffff00", "truncated"),
        ("entries beyond the input", "ba0fffffff0000", "truncated"),
        ("a byte after the item", "0000", "trailingBytes"), ("an item after the array", "80f6", "trailingBytes"),
        ("23 in two bytes", "1817", "nonMinimal"), ("255 in three bytes", "1900ff", "nonMinimal"),
        ("65,535 in five bytes", "1a0000ffff", "nonMinimal"), ("2^32 - 1 in nine", "1b00000000ffffffff", "nonMinimal"),
        ("-24 in two bytes", "3817", "nonMinimal"), ("length of bytes", "580100", "nonMinimal"),
        ("length of text", "780161", "nonMinimal"), ("length of an array", "980100", "nonMinimal"),
        ("length of a map", "b8010000", "nonMinimal"), ("number of a tag", "d80100", "nonMinimal"),
        ("1.0 as a single", "fa3f800000", "nonMinimal"), ("1.0 as a double", "fb3ff0000000000000", "nonMinimal"),
        ("100000.0 as a double", "fb40f86a0000000000", "nonMinimal"),
        ("another not-a-number", "f97e01", "nonMinimal"), ("not-a-number as a single", "fa7fc00000", "nonMinimal"),
        ("infinity as a double", "fb7ff0000000000000", "nonMinimal"),
        ("indefinite bytes", "5f4100ff", "indefiniteLength"), ("indefinite text", "7f6161ff", "indefiniteLength"),
        ("indefinite array", "9f00ff", "indefiniteLength"), ("indefinite map", "bf0000ff", "indefiniteLength"),
        ("break alone", "ff", "indefiniteLength"), ("integer keys out of order", "a202000100", "unsortedKeys"),
        ("negative before positive", "a220000100", "unsortedKeys"),
        ("text keys by alphabet, not by length", "a262616100616200", "unsortedKeys"),
        ("text before integer", "a26161000100", "unsortedKeys"),
        ("integer key twice", "a201000100", "duplicateKey"), ("text key twice", "a2616100616100", "duplicateKey"),
        ("17 levels", "8181818181818181818181818181818180", "depthExceeded"),
        ("17th level cut short", "818181818181818181818181818181818200", "truncated"),
        ("17 levels of tags", "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c100", "depthExceeded"),
        ("undefined", "f7", "unsupported"), ("simple value 0", "e0", "unsupported"),
        ("simple value 32", "f820", "unsupported"), ("reserved head of an integer", "1c", "unsupported"),
        ("reserved head of bytes", "5d", "unsupported"), ("reserved head of an array", "9e", "unsupported"),
        ("reserved head of a simple value", "fc", "unsupported"),
        ("indefinite integer", "1f", "unsupported"), ("indefinite tag", "df00", "unsupported"),
        ("stray continuation byte", "6180", "invalidUTF8"), ("overlong slash", "62c0af", "invalidUTF8"),
        ("surrogate", "63eda080", "invalidUTF8"), ("beyond U+10FFFF", "64f4908080", "invalidUTF8"),
        ("character cut short", "61c3", "invalidUTF8"), ("text key that is not UTF-8", "a161ff00", "invalidUTF8"),
    ]
}
