internal import HandfastCrypto

/// Reads one deterministic CBOR item from borrowed bytes, without allocating for what it has not checked.
///
/// Everything but the shortest, definite-length, sorted form is refused, so that a value has exactly one encoding.
/// After an error the reader's position means nothing.
///
/// - Source: RFC 8949 §4.2.1; Spec/01 §1.1.
public struct CBORReader: ~Escapable {
    private let input: RawSpan
    let limits: CBORLimits
    /// Items still to come in each open array, map or tag; `openCount` of them are in use.
    private var remaining = InlineArray<16, Int>(repeating: 0)
    private var openCount = 0

    /// The next byte to read.
    public private(set) var offset = 0

    /// A reader at the start of `bytes`; input larger than `limits.size` is refused at the first read.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan, limits: CBORLimits = .standard) {
        input = bytes
        self.limits = limits
    }

    /// Ends reading.
    /// - Throws: ``CBORError/trailingBytes(at:)``, or ``CBORError/truncated(at:)`` if an array, map or tag is unfinished.
    public consuming func finish() throws(CBORError) {
        guard offset == input.byteCount else { throw .trailingBytes(at: offset) }
        guard openCount == 0 else { throw .truncated(at: offset) }
    }

    /// The type of the next item, which is not consumed.
    /// - Throws: ``CBORError/truncated(at:)`` at the end, ``CBORError/unsupported(initialByte:at:)``.
    public func peekType() throws(CBORError) -> CBORType {
        guard offset < input.byteCount else { throw .truncated(at: offset) }
        let initialByte = byte(at: offset)
        switch initialByte >> 5 {
        case 0, 1: return .integer
        case 2: return .bytes
        case 3: return .text
        case 4: return .array
        case 5: return .map
        case 6: return .tag
        default:
            switch initialByte & 0x1F {
            case 20, 21: return .bool
            case 22: return .null
            case 25, 26, 27: return .double
            case 31: throw .indefiniteLength(at: offset)
            case 0...19, 24:
                guard limits.allowsSimpleValues else { throw .unsupported(initialByte: initialByte, at: offset) }
                return .simple
            default: throw .unsupported(initialByte: initialByte, at: offset)
            }
        }
    }
}

// MARK: - Scalars

extension CBORReader {
    /// Reads an unsigned integer up to `maximum`.
    public mutating func readUnsigned(maximum: UInt64 = .max) throws(CBORError) -> UInt64 {
        let head = try readHead(.integer)
        guard head.major == 0, head.argument <= maximum else { throw .outOfRange(at: head.start) }
        endItem()
        return head.argument
    }

    /// Reads an unsigned integer that fits `type`.
    public mutating func readUnsigned<T: FixedWidthInteger & UnsignedInteger>(
        as type: T.Type
    ) throws(CBORError) -> T {
        T(truncatingIfNeeded: try readUnsigned(maximum: UInt64(clamping: T.max)))
    }

    /// Reads a signed integer of 64 bits.
    public mutating func readInteger() throws(CBORError) -> Int64 {
        let head = try readHead(.integer)
        guard head.argument <= UInt64(Int64.max) else { throw .outOfRange(at: head.start) }
        endItem()
        let argument = Int64(head.argument)
        return head.major == 0 ? argument : ~argument
    }

    /// Reads any integer of 65 bits.
    mutating func readAnyInteger() throws(CBORError) -> CBORValue {
        let head = try readHead(.integer)
        endItem()
        return head.major == 0 ? .unsigned(head.argument) : .negative(head.argument)
    }

    /// Reads false or true.
    public mutating func readBool() throws(CBORError) -> Bool {
        let head = try readHead(.bool)
        endItem()
        return head.argument == 21
    }

    /// Consumes a null if it is the next item, and tells whether it was.
    public mutating func readNullIfPresent() throws(CBORError) -> Bool {
        guard try peekType() == .null else { return false }
        _ = try readHead(.null)
        endItem()
        return true
    }

    /// Reads a simple value other than false, true and null.
    /// - Throws: ``CBORError/nonMinimal(at:)`` if one below 32 takes two bytes.
    /// - Source: RFC 8949 §3.3.
    public mutating func readSimple() throws(CBORError) -> UInt8 {
        let head = try readHead(.simple)
        guard head.info < 24 || head.argument >= 32 else { throw .nonMinimal(at: head.start) }
        endItem()
        return UInt8(truncatingIfNeeded: head.argument)
    }

    /// Reads a floating-point number, refusing widths that are wider than it needs.
    /// - Source: RFC 8949 §4.2.1, §4.2.2 (one not-a-number, 0xf97e00).
    public mutating func readDouble() throws(CBORError) -> Double {
        let head = try readHead(.double)
        endItem()
        switch head.info {
        case 25:
            let value = HalfPrecision.value(of: UInt16(head.argument))
            guard !value.isNaN || head.argument == HalfPrecision.notANumber else { throw .nonMinimal(at: head.start) }
            return value
        case 26:
            let value = Double(Float(bitPattern: UInt32(head.argument)))
            guard HalfPrecision.bits(exactly: value) == nil else { throw .nonMinimal(at: head.start) }
            return value
        default:
            let value = Double(bitPattern: head.argument)
            guard !value.isNaN, Float(exactly: value) == nil else { throw .nonMinimal(at: head.start) }
            return value
        }
    }

    /// Reads a tag number; its content is the next item.
    public mutating func readTag() throws(CBORError) -> UInt64 {
        let head = try readHead(.tag)
        try open(itemCount: 1, at: head.start)
        return head.argument
    }

    /// Reads the tag `expected`; its content is the next item.
    public mutating func readTag(_ expected: UInt64) throws(CBORError) {
        let start = offset
        let actual = try readTag()
        guard actual == expected else { throw .wrongTag(expected: expected, actual: actual, at: start) }
    }
}

// MARK: - Strings

extension CBORReader {
    /// Reads a byte string of at most `maximum` bytes as a part of the input, without copying it.
    @_lifetime(copy self)
    public mutating func readBytes(maximum: Int = .max) throws(CBORError) -> RawSpan {
        let range = try readString(.bytes, maximum: maximum)
        return input.extracting(range)
    }

    /// Reads a byte string of exactly `count` bytes as a part of the input, without copying it.
    @_lifetime(copy self)
    public mutating func readBytes(count: Int) throws(CBORError) -> RawSpan {
        let start = offset
        let range = try readString(.bytes, maximum: .max)
        guard range.count == count else {
            throw .wrongLength(expected: count, actual: range.count, at: start)
        }
        return input.extracting(range)
    }

    /// Reads a byte string of at most `maximum` bytes into an array.
    public mutating func readByteArray(maximum: Int) throws(CBORError) -> [UInt8] {
        let bytes = try readBytes(maximum: maximum)
        return [UInt8](bytes)
    }

    /// Reads a text string of at most `maximum` bytes of UTF-8.
    public mutating func readText(maximum: Int) throws(CBORError) -> String {
        let start = offset
        let range = try readString(.text, maximum: maximum)
        return String(copying: try validUTF8(in: range, of: start))
    }

    /// The range of a string's content, which lies within the input.
    private mutating func readString(_ type: CBORType, maximum: Int) throws(CBORError) -> Range<Int> {
        let head = try readHead(type)
        guard head.argument <= UInt64(input.byteCount - offset) else { throw .truncated(at: head.start) }
        let count = Int(head.argument)
        guard count <= maximum else { throw .sizeExceeded(limit: maximum, at: head.start) }
        let range = offset..<offset + count
        offset = range.upperBound
        endItem()
        return range
    }

    @_lifetime(copy self)
    private func validUTF8(in range: Range<Int>, of start: Int) throws(CBORError) -> UTF8Span {
        do {
            return try UTF8Span(validating: unsafe input.extracting(range)._unsafeView(as: UInt8.self))
        } catch {
            throw .invalidUTF8(at: start)
        }
    }
}

// MARK: - Arrays and maps

extension CBORReader {
    /// Reads the head of an array of at most `maximum` items, each of which is at least a byte of the input.
    public mutating func readArrayHeader(maximum: Int = .max) throws(CBORError) -> Int {
        let head = try readHead(.array)
        guard head.argument <= UInt64(input.byteCount - offset) else { throw .truncated(at: head.start) }
        let count = Int(head.argument)
        guard count <= maximum else { throw .sizeExceeded(limit: maximum, at: head.start) }
        try open(itemCount: count, at: head.start)
        return count
    }

    /// Reads the head of an array of exactly `count` items.
    public mutating func readArrayHeader(count: Int) throws(CBORError) {
        let start = offset
        let actual = try readArrayHeader()
        guard actual == count else { throw .wrongLength(expected: count, actual: actual, at: start) }
    }

    /// Reads the head of a map of at most `maximum` entries whose keys are integers.
    public mutating func readIntegerMap(maximum: Int = .max) throws(CBORError) -> CBORIntegerMap {
        CBORIntegerMap(count: try readMapHeader(maximum: maximum))
    }

    /// Reads the head of a map; who reads its keys checks their order.
    package mutating func readMapHeader(maximum: Int) throws(CBORError) -> Int {
        let head = try readHead(.map)
        guard head.argument <= UInt64(input.byteCount - offset) / 2 else { throw .truncated(at: head.start) }
        let count = Int(head.argument)
        guard count <= maximum else { throw .sizeExceeded(limit: maximum, at: head.start) }
        try open(itemCount: count * 2, at: head.start)
        return count
    }

    /// Refuses the key at `key` unless it sorts after the key at `previous`, both ranges of the input.
    func checkOrder(of key: Range<Int>, after previous: Range<Int>?) throws(CBORError) {
        guard let previous else { return }
        let count = min(previous.count, key.count)
        for index in 0..<count {
            let (earlier, later) = (byte(at: previous.lowerBound + index), byte(at: key.lowerBound + index))
            if earlier < later { return }
            if earlier > later { throw .unsortedKeys(at: key.lowerBound) }
        }
        // No item's encoding is a proper prefix of another's.
        throw .duplicateKey(at: key.lowerBound)
    }

    private mutating func open(itemCount: Int, at start: Int) throws(CBORError) {
        guard openCount < CBORLimits.depth else { throw .depthExceeded(at: start) }
        guard itemCount > 0 else { return endItem() }
        remaining[openCount] = itemCount
        openCount += 1
    }

    private mutating func endItem() {
        while openCount > 0 {
            remaining[openCount - 1] -= 1
            if remaining[openCount - 1] > 0 { return }
            openCount -= 1
        }
    }
}

// MARK: - Whole items

extension CBORReader {
    /// Checks the next item in every respect and skips it.
    public mutating func skipItem() throws(CBORError) {
        switch try peekType() {
        case .integer:
            _ = try readHead(.integer)
            endItem()
        case .bytes: _ = try readString(.bytes, maximum: .max)
        case .text:
            let start = offset
            let range = try readString(.text, maximum: .max)
            _ = try validUTF8(in: range, of: start)
        case .array:
            for _ in 0..<(try readArrayHeader()) { try skipItem() }
        case .map:
            var previous: Range<Int>?
            for _ in 0..<(try readMapHeader(maximum: .max)) {
                let start = offset
                try skipItem()
                try checkOrder(of: start..<offset, after: previous)
                previous = start..<offset
                try skipItem()
            }
        case .tag:
            _ = try readTag()
            try skipItem()
        case .bool: _ = try readBool()
        case .null: _ = try readNullIfPresent()
        case .simple: _ = try readSimple()
        case .double: _ = try readDouble()
        }
    }

    /// Checks the next item in every respect and returns its encoding as a part of the input.
    @_lifetime(copy self)
    public mutating func readEncodedItem() throws(CBORError) -> RawSpan {
        let start = offset
        try skipItem()
        return input.extracting(start..<offset)
    }
}

// MARK: - Heads

extension CBORReader {
    private func byte(at offset: Int) -> UInt8 {
        // The load checks its bounds; every bit pattern is a valid byte.
        unsafe input.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The first bytes of an item: its major type and argument.
    private struct Head {
        var start: Int
        var major: UInt8
        var info: UInt8
        var argument: UInt64
    }

    @inline(always)
    private mutating func readHead(_ expected: CBORType) throws(CBORError) -> Head {
        let start = offset
        guard input.byteCount <= limits.size else { throw .sizeExceeded(limit: limits.size, at: 0) }
        guard start < input.byteCount else { throw .truncated(at: start) }
        let initialByte = byte(at: start)
        var head = Head(start: start, major: initialByte >> 5, info: initialByte & 0x1F, argument: 0)
        // Of major type 7 each value is a type of its own.
        if !expected.hasMajor(head.major) || head.major == 7 {
            let actual = try peekType()
            guard actual == expected else { throw .wrongType(expected: expected, actual: actual, at: start) }
        }
        offset += 1
        head.argument = head.info < 24 ? UInt64(head.info) : try readArgument(of: head, initialByte)
        return head
    }

    /// The argument in the bytes after the first, in its shortest form.
    private mutating func readArgument(of head: Head, _ initialByte: UInt8) throws(CBORError) -> UInt64 {
        guard head.info < 28 else {
            let isString = (2...5).contains(head.major)
            throw isString && head.info == 31
                ? .indefiniteLength(at: head.start) : .unsupported(initialByte: initialByte, at: head.start)
        }
        let width = 1 << Int(head.info - 24)
        guard width <= input.byteCount - offset else { throw .truncated(at: head.start) }
        var argument: UInt64 = 0
        for index in offset..<offset + width { argument = argument << 8 | UInt64(byte(at: index)) }
        offset += width
        if head.major != 7 {
            let least: UInt64 = head.info == 24 ? 24 : 1 << (UInt64(width) * 4)
            guard argument >= least else { throw .nonMinimal(at: head.start) }
        }
        return argument
    }
}

extension CBORType {
    /// Whether items of the type have this major type.
    fileprivate func hasMajor(_ major: UInt8) -> Bool {
        switch self {
        case .integer: major < 2
        case .bytes: major == 2
        case .text: major == 3
        case .array: major == 4
        case .map: major == 5
        case .tag: major == 6
        case .bool, .null, .simple, .double: major == 7
        }
    }
}
