public import HandfastCrypto

/// Writes deterministic CBOR into memory that is wiped: ``CBORWriter`` would leave copies of secrets behind as it grows.
public struct SecretWriter: ~Copyable {
    private var buffer: SecretBytes
    private var count = 0

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 1_024) {
        buffer = SecretBytes(count: capacity)
    }

    /// Writes the head of an array; the next `count` items are its elements.
    public mutating func writeArrayHeader(_ count: Int) {
        writeHead(major: 4, UInt64(count))
    }

    /// Writes an unsigned integer.
    public mutating func writeUnsigned(_ value: UInt64) {
        writeHead(major: 0, value)
    }

    /// Writes null.
    public mutating func writeNull() {
        reserve(1)
        append(0xF6)
    }

    /// Writes a byte string.
    public mutating func writeBytes(_ bytes: RawSpan) {
        writeHead(major: 2, UInt64(bytes.byteCount))
        reserve(bytes.byteCount)
        for offset in 0..<bytes.byteCount {
            append(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
        }
    }

    /// Writes a byte string.
    public mutating func writeBytes(_ bytes: [UInt8]) {
        writeBytes(bytes.bytes)
    }

    /// What was written, at its exact size.
    public consuming func finish() -> SecretBytes {
        SecretBytes(copying: buffer.bytes.extracting(0..<count))
    }

    private mutating func writeHead(major: UInt8, _ value: UInt64) {
        reserve(9)
        let width: Int
        switch value {
        case 0..<24:
            append(major << 5 | UInt8(value))
            return
        case 24...0xFF: width = 1
        case 0x100...0xFFFF: width = 2
        case 0x1_0000...0xFFFF_FFFF: width = 4
        default: width = 8
        }
        append(major << 5 | UInt8(24 + width.trailingZeroBitCount))
        for shift in stride(from: (width - 1) * 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > buffer.count else { return }
        var larger = SecretBytes(count: max(buffer.count * 2, count + more))
        var target = larger.mutableBytes
        for offset in 0..<count {
            unsafe target.storeBytes(
                of: buffer.bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self), toByteOffset: offset,
                as: UInt8.self)
        }
        buffer = larger
    }

    private mutating func append(_ byte: UInt8) {
        let offset = count
        var target = buffer.mutableBytes
        target.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        count = offset + 1
    }
}
