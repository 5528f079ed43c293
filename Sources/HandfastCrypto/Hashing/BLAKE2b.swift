internal import CSodium

/// BLAKE2b, fed piece by piece. Its state is wiped, since it may hold a key.
/// - Source: RFC 7693
@safe
public struct BLAKE2b: ~Copyable {
    private let state: UnsafeMutablePointer<BLAKE2bState>

    /// Size of the result, 16...64 bytes.
    public let count: Int

    /// Starts a plain hash with a result of `count` bytes, 16...64.
    public init(count: Int = 64) {
        precondition((16...64).contains(count), "BLAKE2b gives 16 to 64 bytes")
        self.init(checked: count, key: RawSpan(), label: nil)
    }

    /// Starts a hash under a key of 16...64 bytes.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public init(count: Int = 64, key: RawSpan) throws(CryptoError) {
        guard (16...64).contains(key.byteCount) else {
            throw .outOfRange(of: "BLAKE2b key in bytes", permitted: 16...64, actual: key.byteCount)
        }
        precondition((16...64).contains(count), "BLAKE2b gives 16 to 64 bytes")
        self.init(checked: count, key: key, label: nil)
    }

    init(count: Int, label: Label, key: RawSpan) {
        self.init(checked: count, key: key, label: label)
    }

    private init(checked count: Int, key: RawSpan, label: Label?) {
        unsafe state = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe state.initialize(to: BLAKE2bState(count: count, keyCount: key.byteCount, label: label))
        unsafe state.pointee.begin(key: key)
        self.count = count
    }

    /// The hash of 32 bytes under a label over parts, each preceded by its size as 8 bytes, little endian.
    ///
    /// Every record passes this: the state is on the stack.
    static func digest(_ label: Label, _ parts: [[UInt8]]) -> Digest {
        var value = FixedBytes<32>.zero
        var output = value.mutableBytes
        var state = BLAKE2bState(count: 32, label: label)
        for part in parts {
            unsafe withUnsafeBytes(of: UInt64(part.count).littleEndian) { unsafe state.update($0) }
            unsafe part.withUnsafeBytes { unsafe state.update($0) }
        }
        unsafe output.withUnsafeMutableBytes { unsafe state.finalize(into: $0) }
        unsafe sodium_memzero(&state, MemoryLayout<BLAKE2bState>.size)
        return Digest(value)
    }

    deinit {
        unsafe sodium_memzero(state, MemoryLayout<BLAKE2bState>.size)
        unsafe state.deallocate()
    }

    /// Appends bytes to the hashed input.
    public mutating func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe state.pointee.update($0) }
    }

    /// Writes the hash, ``count`` bytes, into a span of exactly that size.
    public consuming func finalize(into output: inout MutableRawSpan) {
        precondition(output.byteCount == count, "The output is as long as the hash")
        unsafe output.withUnsafeMutableBytes { unsafe state.pointee.finalize(into: $0) }
    }
}
