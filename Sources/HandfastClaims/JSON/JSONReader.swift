internal import HandfastCrypto
internal import HandfastEncoding

/// Reads one JSON value from bytes that have been found to be UTF-8.
struct JSONReader {
    private let input: [UInt8]
    private var offset = 0

    init(_ input: [UInt8], maximumSize: Int) throws(JSONError) {
        guard input.count <= maximumSize else { throw .sizeExceeded(limit: maximumSize) }
        do {
            _ = try UTF8Span(validating: input.span)
        } catch {
            throw .invalidText(at: error.byteOffsets.lowerBound)
        }
        self.input = input
    }

    mutating func readOnlyValue() throws(JSONError) -> CBORValue {
        let value = try readValue(depth: 0)
        skipWhitespace()
        guard offset == input.count else { throw .trailingBytes(at: offset) }
        return value
    }

    private mutating func readValue(depth: Int) throws(JSONError) -> CBORValue {
        skipWhitespace()
        switch try peek() {
        case UInt8(ascii: "{"): return .map(try readObject(depth: depth))
        case UInt8(ascii: "["): return .array(try readArray(depth: depth))
        case UInt8(ascii: "\""): return .text(try readString())
        case UInt8(ascii: "t"): return try readLiteral("true", as: .bool(true))
        case UInt8(ascii: "f"): return try readLiteral("false", as: .bool(false))
        case UInt8(ascii: "n"): return try readLiteral("null", as: .null)
        default: return try readNumber()
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard offset < input.count else { throw .truncated }
        return input[offset]
    }

    private mutating func skipWhitespace() {
        while offset < input.count {
            switch input[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    /// Takes the next character, after whitespace, if it is this one.
    private mutating func take(_ character: Unicode.Scalar) throws(JSONError) -> Bool {
        skipWhitespace()
        guard try peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func require(_ character: Unicode.Scalar) throws(JSONError) {
        guard try take(character) else { throw .unexpectedCharacter(at: offset) }
    }

    private mutating func readLiteral(_ literal: StaticString, as value: CBORValue) throws(JSONError) -> CBORValue {
        for expected in literal.description.utf8 {
            guard try peek() == expected else { throw .unexpectedCharacter(at: offset) }
            offset += 1
        }
        return value
    }
}

// MARK: - Objects and arrays

extension JSONReader {
    private mutating func readObject(depth: Int) throws(JSONError) -> CBORMap {
        guard depth < JSON.depth else { throw .depthExceeded(at: offset) }
        let start = offset
        try require("{")
        guard try !take("}") else { return CBORMap() }
        var entries: [CBORMap.Entry] = []
        repeat {
            skipWhitespace()
            guard try peek() == UInt8(ascii: "\"") else { throw .unexpectedCharacter(at: offset) }
            let name = try readString()
            try require(":")
            entries.append(CBORMap.Entry(.text(name), try readValue(depth: depth + 1)))
        } while try take(",")
        try require("}")
        do { return try CBORMap(entries) } catch { throw .duplicateName(at: start) }
    }

    private mutating func readArray(depth: Int) throws(JSONError) -> [CBORValue] {
        guard depth < JSON.depth else { throw .depthExceeded(at: offset) }
        try require("[")
        guard try !take("]") else { return [] }
        var items: [CBORValue] = []
        repeat { items.append(try readValue(depth: depth + 1)) } while try take(",")
        try require("]")
        return items
    }
}

// MARK: - Strings

extension JSONReader {
    private mutating func readString() throws(JSONError) -> String {
        offset += 1
        let start = offset
        // Most strings have no escapes and are a part of the input.
        while true {
            switch try peek() {
            case UInt8(ascii: "\""):
                defer { offset += 1 }
                return String(decoding: input[start..<offset], as: UTF8.self)
            case UInt8(ascii: "\\"): return try readEscapedString(after: start)
            case 0..<0x20: throw .unexpectedCharacter(at: offset)
            default: offset += 1
            }
        }
    }

    private mutating func readEscapedString(after start: Int) throws(JSONError) -> String {
        var bytes = Array(input[start..<offset])
        while true {
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: try readEscape())
            case 0..<0x20: throw .unexpectedCharacter(at: offset)
            default:
                bytes.append(byte)
                offset += 1
            }
        }
    }

    /// The UTF-8 of an escape sequence.
    private mutating func readEscape() throws(JSONError) -> [UInt8] {
        offset += 1
        let start = offset
        let kind = try peek()
        offset += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [kind]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try readHexadecimal()
            if 0xD800..<0xDC00 ~= code {
                for expected in "\\u".utf8 {
                    guard try peek() == expected else { throw .invalidText(at: start) }
                    offset += 1
                }
                let low = try readHexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw .invalidText(at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .invalidText(at: start) }
            return Array(Character(scalar).utf8)
        default: throw .unexpectedCharacter(at: start)
        }
    }

    private mutating func readHexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let byte = try peek()
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw .unexpectedCharacter(at: offset)
            }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}

// MARK: - Numbers

extension JSONReader {
    private mutating func readNumber() throws(JSONError) -> CBORValue {
        let start = offset
        let isNegative = input[offset] == UInt8(ascii: "-")
        if isNegative { offset += 1 }
        let digits = offset
        try skipDigits()
        guard input[digits] != UInt8(ascii: "0") || offset == digits + 1 else {
            throw .unexpectedCharacter(at: digits + 1)
        }
        let end = offset
        if offset < input.count, input[offset] == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if offset < input.count, input[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(try peek()) { offset += 1 }
            try skipDigits()
        }
        guard offset == end else {
            let text = String(decoding: input[start..<offset], as: UTF8.self)
            guard let value = Double(text), value.isFinite else { throw .numberOutOfRange(at: start) }
            return .double(value)
        }
        guard let magnitude = UInt64(String(decoding: input[digits..<end], as: UTF8.self)) else {
            throw .numberOutOfRange(at: start)
        }
        return isNegative && magnitude > 0 ? .negative(magnitude - 1) : .unsigned(magnitude)
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = offset
        while offset < input.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= input[offset] { offset += 1 }
        guard offset > start else { throw offset < input.count ? .unexpectedCharacter(at: offset) : .truncated }
    }
}
