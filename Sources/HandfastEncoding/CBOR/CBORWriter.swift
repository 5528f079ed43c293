/// Writes deterministic CBOR into a growing array of bytes.
///
/// Every item takes its shortest form. Maps are written by ``writeMap(_:)``, which counts entries and refuses keys out
/// of order; the caller of ``writeArrayHeader(_:)`` and ``writeTag(_:)`` writes the items that they announce.
///
/// - Source: RFC 8949 §4.2.1; Spec/01 §1.1.
public struct CBORWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8]

    private var map: OpenMap?

    /// How many bytes have been written.
    public var count: Int { bytes.count }

    /// An empty writer.
    public init() {
        bytes = []
    }

    /// An empty writer with room for `capacity` bytes.
    public init(reservingCapacity capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }
}

// MARK: - Scalars

extension CBORWriter {
    /// Writes an unsigned integer.
    public mutating func writeUnsigned(_ value: UInt64) {
        writeHead(major: 0, value)
    }

    /// Writes a signed integer.
    public mutating func writeInteger(_ value: Int64) {
        if value >= 0 { writeHead(major: 0, UInt64(value)) } else { writeHead(major: 1, UInt64(~value)) }
    }

    /// Writes the integer -1 - `argument`.
    mutating func writeNegative(_ argument: UInt64) {
        writeHead(major: 1, argument)
    }

    /// Writes false or true.
    public mutating func writeBool(_ value: Bool) {
        bytes.append(value ? 0xF5 : 0xF4)
    }

    /// Writes null.
    public mutating func writeNull() {
        bytes.append(0xF6)
    }

    /// Writes a simple value other than false, true and null: 0...19 or 32...255.
    public mutating func writeSimple(_ value: UInt8) {
        precondition(value < 20 || value >= 32, "a simple value that has another meaning or none")
        writeHead(major: 7, UInt64(value))
    }

    /// Writes a floating-point number in the narrowest width that holds it; every not-a-number as 0xf97e00.
    public mutating func writeDouble(_ value: Double) {
        if let half = HalfPrecision.bits(exactly: value) {
            bytes.append(0xF9)
            append(bigEndian: UInt64(half), width: 2)
        } else if let single = Float(exactly: value) {
            bytes.append(0xFA)
            append(bigEndian: UInt64(single.bitPattern), width: 4)
        } else {
            bytes.append(0xFB)
            append(bigEndian: value.bitPattern, width: 8)
        }
    }

    /// Writes a tag number; the next item is its content.
    public mutating func writeTag(_ number: UInt64) {
        writeHead(major: 6, number)
    }
}

// MARK: - Strings and encoded items

extension CBORWriter {
    /// Writes a byte string.
    public mutating func writeBytes(_ value: RawSpan) {
        writeHead(major: 2, UInt64(value.byteCount))
        append(value)
    }

    /// Writes a byte string.
    public mutating func writeBytes(_ value: [UInt8]) {
        writeHead(major: 2, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a byte string whose content `body` writes, as an encoded item within another is.
    public mutating func writeBytes<E: Error>(_ body: (inout CBORWriter) throws(E) -> Void) throws(E) {
        let outer = map
        let start = bytes.count
        bytes.append(0x40)
        map = nil
        try body(&self)
        map = outer
        setHead(at: start, major: 2, UInt64(bytes.count - start - 1))
    }

    /// Writes a text string.
    public mutating func writeText(_ value: String) {
        writeHead(major: 3, UInt64(value.utf8.count))
        append(unsafe value.utf8Span.span.bytes)
    }

    /// Writes an item that is already encoded, which must be deterministic CBOR.
    public mutating func writeEncoded(_ item: RawSpan) {
        append(item)
    }

    /// Writes an item that is already encoded, which must be deterministic CBOR.
    public mutating func writeEncoded(_ item: [UInt8]) {
        bytes.append(contentsOf: item)
    }
}

// MARK: - Arrays and maps

extension CBORWriter {
    /// The state of the innermost map being written.
    private struct OpenMap {
        var count = 0
        /// Where the latest key stands in `bytes`.
        var key: Range<Int>?
    }

    /// Writes the head of an array; the next `count` items are its elements.
    public mutating func writeArrayHeader(_ count: Int) {
        writeHead(major: 4, UInt64(count))
    }

    /// Writes a map whose entries `body` writes: each a key by ``writeKey(_:)-(Int)`` and then one item.
    ///
    /// Keys ascend by their encoding: 0, 1, 2 … then -1, -2 … then texts, shorter ones first. Another order is a
    /// programming error and traps.
    public mutating func writeMap<E: Error>(_ body: (inout CBORWriter) throws(E) -> Void) throws(E) {
        let outer = map
        let start = bytes.count
        bytes.append(0xA0)
        map = OpenMap()
        try body(&self)
        let count = map?.count ?? 0
        map = outer
        setHead(at: start, major: 5, UInt64(count))
    }

    /// Writes the integer key of a map's next entry.
    public mutating func writeKey(_ key: Int) {
        let start = bytes.count
        writeInteger(Int64(key))
        endKey(from: start)
    }

    /// Writes the text key of a map's next entry.
    public mutating func writeKey(_ key: String) {
        let start = bytes.count
        writeText(key)
        endKey(from: start)
    }

    /// Writes a simple value, as ``writeSimple(_:)`` does, as the key of a map's next entry: after every integer and text.
    public mutating func writeKey(simple value: UInt8) {
        let start = bytes.count
        writeSimple(value)
        endKey(from: start)
    }

    /// Writes a map key of any type.
    mutating func writeKey(encoded key: [UInt8]) {
        let start = bytes.count
        writeEncoded(key)
        endKey(from: start)
    }

    private mutating func endKey(from start: Int) {
        guard var open = map else { preconditionFailure("a CBOR key outside a map") }
        let key = start..<bytes.count
        if let previous = open.key {
            // Nearly every key is one byte, of which no slices need be made.
            let ascends =
                previous.count == 1 && key.count == 1
                ? bytes[previous.lowerBound] < bytes[key.lowerBound]
                : bytes[previous].lexicographicallyPrecedes(bytes[key])
            precondition(ascends, "CBOR map keys must ascend by their encoding")
        }
        open.count += 1
        open.key = key
        map = open
    }
}

// MARK: - Heads

extension CBORWriter {
    /// Writes the head of an item in its shortest form.
    private mutating func writeHead(major: UInt8, _ argument: UInt64) {
        let type = major << 5
        switch argument {
        case 0..<24: bytes.append(type | UInt8(argument))
        case 24...0xFF:
            bytes.append(type | 24)
            append(bigEndian: argument, width: 1)
        case 0x100...0xFFFF:
            bytes.append(type | 25)
            append(bigEndian: argument, width: 2)
        case 0x1_0000...0xFFFF_FFFF:
            bytes.append(type | 26)
            append(bigEndian: argument, width: 4)
        default:
            bytes.append(type | 27)
            append(bigEndian: argument, width: 8)
        }
    }

    /// Puts the head of an item in the place of the one byte that was kept for it.
    private mutating func setHead(at start: Int, major: UInt8, _ argument: UInt64) {
        switch argument {
        case 0..<24: bytes[start] = major << 5 | UInt8(argument)
        case 24...0xFF:
            bytes[start] = major << 5 | 24
            bytes.insert(UInt8(argument), at: start + 1)
        default:
            var head = CBORWriter()
            head.writeHead(major: major, argument)
            bytes.replaceSubrange(start...start, with: head.bytes)
        }
    }

    private mutating func append(bigEndian value: UInt64, width: Int) {
        for index in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (UInt64(index) * 8))) }
    }

    private mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }
}
