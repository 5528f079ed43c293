/// Bytes that a vector file writes in hexadecimal.
public struct HexBytes: Decodable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The decoded bytes.
    public let bytes: [UInt8]

    /// Decodes pairs of hexadecimal digits; `nil` if that is not what the text is.
    public init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes = [UInt8]()
        bytes.reserveCapacity(digits.count / 2)
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(digits[start]), let low = Self.value(digits[start + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    /// A literal of hexadecimal digits.
    public init(stringLiteral text: String) {
        guard let decoded = HexBytes(text) else { preconditionFailure("Not hexadecimal: \(text)") }
        self = decoded
    }

    /// Decodes a string of hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let decoded = HexBytes(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "Not hexadecimal")
        }
        self = decoded
    }

    /// The bytes in lowercase hexadecimal.
    public var description: String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
