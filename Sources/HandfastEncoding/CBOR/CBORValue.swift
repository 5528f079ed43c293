internal import HandfastCrypto

/// A deterministic CBOR item as a tree, for content whose type is not known.
///
/// Equality is equality of encodings: texts compare by their UTF-8 bytes, and -0.0 differs from 0.0.
///
/// - Source: RFC 8949 §2, §4.2.1; Spec/01 §1.1.
public enum CBORValue: Sendable {
    /// An integer from 0.
    case unsigned(UInt64)
    /// The integer -1 - n.
    case negative(UInt64)
    /// A byte string.
    case bytes([UInt8])
    /// A text string.
    case text(String)
    /// An array.
    case array([CBORValue])
    /// A map.
    case map(CBORMap)
    /// A tagged item.
    indirect case tag(UInt64, CBORValue)
    /// False or true.
    case bool(Bool)
    /// Null.
    case null
    /// A simple value that is not false, true or null: 0...19 or 32...255.
    case simple(UInt8)
    /// A floating-point number.
    case double(Double)

    /// The item of a signed integer.
    public static func integer(_ value: Int64) -> CBORValue {
        value >= 0 ? .unsigned(UInt64(value)) : .negative(UInt64(~value))
    }

    /// The item's type.
    public var type: CBORType {
        switch self {
        case .unsigned, .negative: .integer
        case .bytes: .bytes
        case .text: .text
        case .array: .array
        case .map: .map
        case .tag: .tag
        case .bool: .bool
        case .null: .null
        case .simple: .simple
        case .double: .double
        }
    }
}

// MARK: - Decoding

extension CBORValue {
    /// Decodes the one item that is all of `bytes`.
    public init(decoding bytes: RawSpan, limits: CBORLimits = .standard) throws(CBORError) {
        var reader = CBORReader(bytes, limits: limits)
        try self.init(reading: &reader)
        try reader.finish()
    }

    /// Decodes the one item that is all of `bytes`.
    public init(decoding bytes: [UInt8], limits: CBORLimits = .standard) throws(CBORError) {
        try self.init(decoding: bytes.bytes, limits: limits)
    }

    /// Decodes the reader's next item.
    public init(reading reader: inout CBORReader) throws(CBORError) {
        switch try reader.peekType() {
        case .integer: self = try reader.readAnyInteger()
        case .bytes: self = .bytes(try reader.readByteArray(maximum: .max))
        case .text: self = .text(try reader.readText(maximum: .max))
        case .array:
            // Grown by what is there: a head may claim as many items as the input has bytes.
            var items: [CBORValue] = []
            for _ in 0..<(try reader.readArrayHeader()) { items.append(try CBORValue(reading: &reader)) }
            self = .array(items)
        case .map: self = .map(try CBORMap(reading: &reader))
        case .tag:
            let number = try reader.readTag()
            self = .tag(number, try CBORValue(reading: &reader))
        case .bool: self = .bool(try reader.readBool())
        case .null:
            _ = try reader.readNullIfPresent()
            self = .null
        case .simple: self = .simple(try reader.readSimple())
        case .double: self = .double(try reader.readDouble())
        }
    }
}

// MARK: - Encoding

extension CBORValue {
    /// The item's only encoding.
    /// - Throws: ``CBORError/depthExceeded(at:)`` if arrays, maps and tags nest deeper than ``CBORLimits/depth``.
    public func encoded() throws(CBORError) -> [UInt8] {
        var writer = CBORWriter()
        try write(to: &writer)
        return writer.bytes
    }

    /// Writes the item.
    /// - Throws: ``CBORError/depthExceeded(at:)``, as ``encoded()``.
    public func write(to writer: inout CBORWriter) throws(CBORError) {
        try write(to: &writer, depth: 0)
    }

    func write(to writer: inout CBORWriter, depth: Int) throws(CBORError) {
        let isContainer =
            switch self {
            case .array, .map, .tag: true
            default: false
            }
        if isContainer, depth == CBORLimits.depth { throw .depthExceeded(at: writer.bytes.count) }
        switch self {
        case .unsigned(let value): writer.writeUnsigned(value)
        case .negative(let argument): writer.writeNegative(argument)
        case .bytes(let value): writer.writeBytes(value)
        case .text(let value): writer.writeText(value)
        case .array(let items):
            writer.writeArrayHeader(items.count)
            for item in items { try item.write(to: &writer, depth: depth + 1) }
        case .map(let map): try map.write(to: &writer, depth: depth + 1)
        case .tag(let number, let content):
            writer.writeTag(number)
            try content.write(to: &writer, depth: depth + 1)
        case .bool(let value): writer.writeBool(value)
        case .null: writer.writeNull()
        case .simple(let value): writer.writeSimple(value)
        case .double(let value): writer.writeDouble(value)
        }
    }
}

// MARK: - Equality

extension CBORValue: Hashable {
    /// Whether both have the same encoding.
    public static func == (left: CBORValue, right: CBORValue) -> Bool {
        switch (left, right) {
        case (.unsigned(let left), .unsigned(let right)): left == right
        case (.negative(let left), .negative(let right)): left == right
        case (.bytes(let left), .bytes(let right)): left == right
        case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.map(let left), .map(let right)): left == right
        case (.tag(let leftNumber, let left), .tag(let rightNumber, let right)):
            leftNumber == rightNumber && left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.null, .null): true
        case (.simple(let left), .simple(let right)): left == right
        case (.double(let left), .double(let right)):
            left.bitPattern == right.bitPattern || (left.isNaN && right.isNaN)
        default: false
        }
    }

    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        switch self {
        case .unsigned(let value), .negative(let value): hasher.combine(value)
        case .bytes(let value): hasher.combine(value)
        case .text(let value): for byte in value.utf8 { hasher.combine(byte) }
        case .array(let items): hasher.combine(items)
        case .map(let map): hasher.combine(map)
        case .tag(let number, let content):
            hasher.combine(number)
            hasher.combine(content)
        case .bool(let value): hasher.combine(value)
        case .null: break
        case .simple(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value.isNaN ? 0 : value.bitPattern)
        }
    }
}
