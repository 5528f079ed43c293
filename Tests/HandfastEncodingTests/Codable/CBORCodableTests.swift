import Foundation
import HandfastCrypto
import HandfastEncoding
import Testing

@Suite struct CBORCodableTests {
    enum Side: String, Codable { case customer, vendor }
    enum Level: Int, Codable { case low = -1, high = 1 }

    enum Shape: Codable, Equatable {
        case point
        case circle(radius: Double)
        case line(String, to: [UInt8])
    }

    struct Inner: Codable, Equatable {
        var name: String
        var count: Int?
    }

    struct Outer: Codable, Equatable {
        var text = "é"
        var flag = true
        var small = Int8.min
        var large = UInt64.max
        var least = Int64.min
        var ratio = 1.5
        var single = Float(0.1)
        var side = Side.vendor
        var level = Level.low
        var bytes: [UInt8] = [1, 2]
        var none: [UInt8] = []
        var fixed = FixedBytes<4>.zero
        var digest = Digest.of(Label("test"), [1])
        var missing: String?
        var present: String? = "x"
        var optionalBytes: [UInt8]? = [3]
        var inner = Inner(name: "n")
        var list = [Inner(name: "a", count: 1), Inner(name: "b")]
        var empty: [String] = []
        var table = ["bb": 1, "a": 2, "": 3]
        var holes: [Int?] = [1, nil, 3]
        var shapes = [Shape.point, .circle(radius: 2), .line("l", to: [4])]
        var numbered = [7: "seven"]
    }

    private func hex(_ value: some Encodable) throws -> String {
        try Hex.encode(CBOREncoder().encode(value))
    }

    @Test func everythingComesBackAsItWas() throws {
        let value = Outer()
        let encoded = try CBOREncoder().encode(value)
        #expect(try CBORDecoder().decode(Outer.self, from: encoded) == value)
        #expect(try CBORDecoder().decode(Outer.self, from: CBORValue(decoding: encoded)) == value)
        #expect(try CBOREncoder().encode(value) == encoded)
    }

    @Test func writesTheKnownForms() throws {
        #expect(try hex(Inner(name: "n", count: 1)) == "a2" + "646e616d65616e" + "65636f756e7401")
        #expect(try hex(Inner(name: "n")) == "a1" + "646e616d65616e")
        #expect(try hex([1, 2] as [UInt8]) == "420102")
        #expect(try hex([] as [UInt8]) == "40")
        #expect(try hex([] as [String]) == "80")
        #expect(try hex([[1] as [UInt8]]) == "814101")
        #expect(try hex(FixedBytes<2>.zero) == "420000")
        #expect(try hex(["b": 1, "aa": 2, "a": 3]) == "a3" + "616103" + "616201" + "62616102")
        #expect(try hex(1.0) == "f93c00")
        #expect(try hex(Float.nan) == "f97e00")
        #expect(try hex(UInt64.max) == "1bffffffffffffffff")
        #expect(try hex([1, nil] as [Int?]) == "8201f6")
        #expect(try hex(Side.vendor) == "6676656e646f72")
        #expect(try hex(Level.low) == "20")
        #expect(try hex(Shape.point) == "a1" + "65706f696e74" + "a0")
    }

    @Test func keysSortByTheirEncodingAndNotByTheirText() throws {
        let encoded = try CBOREncoder().encode(["aaa": 0, "z": 0, "é": 0])
        #expect(Hex.encode(encoded) == "a3" + "617a00" + "62c3a900" + "6361616100")
    }

    private func context(_ body: () throws -> Void) -> (kind: String, path: String)? {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        }
        do { try body() } catch let error as DecodingError {
            switch error {
            case .typeMismatch(_, let context): return ("type", path(context))
            case .valueNotFound(_, let context): return ("value", path(context))
            case .keyNotFound(let key, let context): return ("key " + key.stringValue, path(context))
            case .dataCorrupted(let context): return ("data", path(context))
            @unknown default: return nil
            }
        } catch { return nil }
        return nil
    }

    struct Nested: Codable {
        var items: [Item]
        struct Item: Codable {
            var size: UInt8
            var fixed: FixedBytes<2>?
        }
    }

    @Test(arguments: [
        ("a1 656974656d73 80", nil, nil),
        ("a0", "key items", ""),
        ("a1 656974656d73 00", "type", "items"),
        ("a1 656974656d73 81a0", "key size", "items.0"),
        ("a1 656974656d73 82 a16473697a6501 a16473697a65 61 61", "type", "items.1.size"),
        ("a1 656974656d73 81 a16473697a65 190100", "data", "items.0.size"),
        ("a1 656974656d73 81 a16473697a65 20", "data", "items.0.size"),
        ("a1 656974656d73 81 a16473697a65 f93c00", "type", "items.0.size"),
        ("a1 656974656d73 81 a26473697a6501 656669786564 4100", "data", "items.0.fixed"),
        ("a1 656974656d73 81 a26473697a6501 656669786564 60", "type", "items.0.fixed"),
        ("80", "type", ""),
    ])
    func errorsNameTheirPlace(hex: String, kind: String?, path: String?) throws {
        let encoded = try bytes(hex)
        let found = context { _ = try CBORDecoder().decode(Nested.self, from: encoded) }
        #expect(found?.kind == kind)
        #expect(found?.path == path)
    }

    @Test func malformedBytesGiveCBORErrors() {
        #expect(throws: CBORError.nonMinimal(at: 0)) { try CBORDecoder().decode(Int.self, from: bytes("1801")) }
        #expect(throws: CBORError.trailingBytes(at: 1)) { try CBORDecoder().decode(Int.self, from: bytes("0101")) }
        #expect(throws: CBORError.sizeExceeded(limit: 1, at: 0)) {
            try CBORDecoder(limits: CBORLimits(size: 1)).decode([Int].self, from: bytes("8101"))
        }
    }

    @Test func numbersKeepTheirType() throws {
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(Double.self, from: bytes("01")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(Int.self, from: bytes("f93c00")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(Float.self, from: bytes("fb3fb999999999999a")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode([UInt8].self, from: bytes("8101")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(String.self, from: bytes("4161")) }
    }

    @Test func ignoresKeysOfLaterVersions() throws {
        let inner = try CBORDecoder().decode(Inner.self, from: bytes("a2" + "646c6174 65 f6" + "646e616d65616e"))
        #expect(inner == Inner(name: "n"))
    }

    @Test(arguments: [
        "a1" + "646e616d65f6", "a2" + "646e616d65616e" + "65636f756e74f6", "a2" + "0100" + "646e616d65616e",
    ])
    func nullIsNoMissingValueAndKeysAreTexts(_ encoded: String) {
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(Inner.self, from: bytes(encoded)) }
    }

    @Test func refusesToEncodeWhatCBORCannotHold() {
        #expect(throws: EncodingError.self) { try CBOREncoder().encode(Int128(1)) }
        #expect(throws: EncodingError.self) { try CBOREncoder().encode(UInt128.max) }
        #expect(throws: EncodingError.self) { try CBOREncoder().encode(EncodesNothing()) }
    }

    struct EncodesNothing: Encodable {
        func encode(to encoder: any Encoder) {}
    }

    final class Chain: Codable {
        var next: Chain?
        init(length: Int) { next = length > 0 ? Chain(length: length - 1) : nil }
    }

    @Test func nestsSixteenDeepAndNoDeeper() throws {
        let deepest = try CBOREncoder().encode(Chain(length: 15))
        #expect(try CBOREncoder().encode(CBORDecoder().decode(Chain.self, from: deepest)) == deepest)
        #expect(throws: CBORError.self) { try CBOREncoder().encode(Chain(length: 16)) }
        #expect(throws: EncodingError.self) { try CBOREncoder().encode(Chain(length: 1000)) }
    }

    class Animal: Codable {
        var legs = 4
    }

    final class Dog: Animal {
        var name = "Rex"

        override init() { super.init() }

        private enum CodingKeys: String, CodingKey { case name }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try super.encode(to: container.superEncoder())
        }
    }

    @Test func classesCarryTheirParent() throws {
        let dog = Dog()
        (dog.legs, dog.name) = (3, "Tripod")
        let decoded = try CBORDecoder().decode(Dog.self, from: CBOREncoder().encode(dog))
        #expect((decoded.legs, decoded.name) == (3, "Tripod"))
    }

    @Test func fixedBytesAreTextInJSON() throws {
        let fixed = try FixedBytes<3>(copying: [0xFB, 0xFF, 0])
        let json = try JSONEncoder().encode([fixed])
        #expect(String(decoding: json, as: UTF8.self) == #"["-_8A"]"#)
        #expect(try JSONDecoder().decode([FixedBytes<3>].self, from: json) == [fixed])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([FixedBytes<4>].self, from: json) }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([FixedBytes<3>].self, from: Data(#"["+_8A"]"#.utf8))
        }
    }
}
