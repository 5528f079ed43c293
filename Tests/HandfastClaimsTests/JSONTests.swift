import HandfastClaims
import HandfastEncoding
import Testing

@Suite struct JSONTests {
    private func decode(_ text: String) throws(JSONError) -> CBORValue {
        try JSON.decode(Array(text.utf8), maximumSize: 1_024)
    }

    @Test func readsEveryKindOfValue() throws {
        let value = try decode(#" { "a" : [ true , false , null , 0 , -1 , 1.5 , "x" ] , "b" : { } , "c" : [ ] } "#)
        let items: [CBORValue] = [
            .bool(true), .bool(false), .null, .unsigned(0), .negative(0), .double(1.5), .text("x"),
        ]
        let expected = try CBORMap([
            .init(.text("a"), .array(items)), .init(.text("b"), .map(CBORMap())), .init(.text("c"), .array([])),
        ])
        #expect(value == .map(expected))
    }

    @Test(arguments: [
        ("18446744073709551615", CBORValue.unsigned(.max)), ("-18446744073709551615", .negative(.max - 1)),
        ("9007199254740993", .unsigned(9_007_199_254_740_993)), ("-0", .unsigned(0)), ("1e2", .double(100)),
        ("1.0", .double(1)), ("-2.5E-1", .double(-0.25)), ("0e+0", .double(0)),
    ])
    func keepsNumbersExact(text: String, value: CBORValue) throws {
        #expect(try decode(text) == value)
    }

    @Test func readsEscapes() throws {
        let text = #""\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00\u0000""#
        #expect(try decode(text) == .text("\"\\/\u{8}\u{c}\n\r\té😀\0"))
    }

    @Test(arguments: [
        ("", JSONError.truncated), ("{", .truncated), ("[1", .truncated), ("\"a", .truncated), ("-", .truncated),
        ("1.", .truncated), ("tru", .truncated), (#"{"a":1"#, .truncated), (#""\u12"#, .truncated),
        ("1 2", .trailingBytes(at: 2)), ("{}x", .trailingBytes(at: 2)),
        ("01", .unexpectedCharacter(at: 1)), ("+1", .unexpectedCharacter(at: 0)), (".5", .unexpectedCharacter(at: 0)),
        ("1.x", .unexpectedCharacter(at: 2)), ("1ex", .unexpectedCharacter(at: 2)),
        ("NaN", .unexpectedCharacter(at: 0)),
        ("[1,]", .unexpectedCharacter(at: 3)), (#"{"a":1,}"#, .unexpectedCharacter(at: 7)),
        ("{a:1}", .unexpectedCharacter(at: 1)), (#"{"a" 1}"#, .unexpectedCharacter(at: 5)),
        ("'a'", .unexpectedCharacter(at: 0)), ("\"a\nb\"", .unexpectedCharacter(at: 2)),
        (#""\x""#, .unexpectedCharacter(at: 2)), (#""\u12g4""#, .unexpectedCharacter(at: 5)),
        ("\u{feff}1", .unexpectedCharacter(at: 0)), ("//\n1", .unexpectedCharacter(at: 0)),
        (#""\ud800""#, .invalidText(at: 2)), (#""\udc00""#, .invalidText(at: 2)),
        (#""\ud800\u0041""#, .invalidText(at: 2)), (#""\ud800x""#, .invalidText(at: 2)),
        (#"[{"a":1,"a":1}]"#, .duplicateName(at: 1)), (#"{"a":1,"\u0061":2}"#, .duplicateName(at: 0)),
        ("18446744073709551616", .numberOutOfRange(at: 0)), ("1e400", .numberOutOfRange(at: 0)),
    ])
    func refuses(text: String, error: JSONError) {
        #expect(throws: error) { try decode(text) }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: JSONError.invalidText(at: 1)) { try JSON.decode([0x22, 0xC0, 0x80, 0x22], maximumSize: 10) }
        #expect(throws: JSONError.invalidText(at: 1)) {
            try JSON.decode([0x22, 0xED, 0xA0, 0x80, 0x22], maximumSize: 10)
        }
    }

    @Test func boundsSizeAndDepth() throws {
        let deepest = String(repeating: "[", count: 16) + String(repeating: "]", count: 16)
        let value = try decode(deepest)
        #expect(try JSON.encode(value) == Array(deepest.utf8))
        #expect(throws: JSONError.depthExceeded(at: 16)) { try decode("[" + deepest + "]") }
        #expect(throws: JSONError.depthExceeded(at: 16)) { try JSON.encode(.array([value])) }
        #expect(throws: JSONError.sizeExceeded(limit: 1)) { try JSON.decode([0x31, 0x31], maximumSize: 1) }
    }

    @Test(arguments: [
        #"{"a":[1,-1,18446744073709551615,0.5,1e+30,-0.0,true,false,null],"é":"\"\\\u000a\u0000é😀"}"#, "[]", "{}",
        "\"\"",
    ])
    func writesWhatItReads(text: String) throws {
        #expect(String(decoding: try JSON.encode(decode(text)), as: UTF8.self) == text)
    }

    @Test(arguments: [
        CBORValue.bytes([1]), .tag(1, .null), .simple(59), .double(.infinity), .double(.nan), .negative(.max),
    ])
    func writesNothingThatJSONLacks(value: CBORValue) throws {
        #expect(throws: JSONError.notRepresentable) { try JSON.encode(value) }
        let map = try CBORMap([.init(.unsigned(1), .null)])
        #expect(throws: JSONError.notRepresentable) { try JSON.encode(.map(map)) }
    }
}
