internal import CSodium

/// BLAKE2b, fed piece by piece. Its state is wiped, since it may hold a key.
/// - Source: RFC 7693
@safe
public struct BLAKE2b: ~Copyable {
    // crypto_generichash_blake2b_state is aligned to more than Swift imports.
    private static let stateCount = 384
    private static let stateAlignment = 64

    private let state: OpaquePointer

    /// Size of the result, 16...64 bytes.
    public let count: Int

    /// Starts a plain hash with a result of `count` bytes, 16...64.
    public init(count: Int = 64) {
        precondition((16...64).contains(count), "BLAKE2b gives 16 to 64 bytes")
        self.init(start: count)
        let code = unsafe crypto_generichash_blake2b_init(state, nil, 0, count)
        precondition(code == 0)
    }

    /// Starts a hash under a key of 16...64 bytes.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public init(count: Int = 64, key: RawSpan) throws(CryptoError) {
        guard (16...64).contains(key.byteCount) else {
            throw .outOfRange(of: "BLAKE2b key in bytes", permitted: 16...64, actual: key.byteCount)
        }
        precondition((16...64).contains(count), "BLAKE2b gives 16 to 64 bytes")
        self.init(start: count)
        let code = unsafe key.withUnsafeBytes { key in
            unsafe crypto_generichash_blake2b_init(state, key.baseAddress, key.count, count)
        }
        precondition(code == 0)
    }

    init(count: Int, label: Label, key: RawSpan) {
        self.init(start: count)
        let code = unsafe label.bytes.bytes.withUnsafeBytes { personal in
            unsafe key.withUnsafeBytes { key in
                unsafe crypto_generichash_blake2b_init_salt_personal(
                    state, key.baseAddress, key.count, count, nil, personal.baseAddress)
            }
        }
        precondition(code == 0)
    }

    private init(start count: Int) {
        Sodium.start()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.stateCount, alignment: Self.stateAlignment)
        unsafe state = OpaquePointer(memory)
        self.count = count
    }

    /// The hash of 32 bytes under a label over parts, each preceded by its size as 8 bytes, little endian.
    ///
    /// Every record passes this: the state is on the stack, because aligned memory is dear.
    static func digest(_ label: Label, _ parts: [[UInt8]]) -> Digest {
        Sodium.start()
        var value = FixedBytes<32>.zero
        var output = value.mutableBytes
        let room = stateCount + stateAlignment
        unsafe withUnsafeTemporaryAllocation(byteCount: room, alignment: 16) { memory in
            guard let memory = memory.baseAddress else { return }
            let start = unsafe memory.alignedUp(toMultipleOf: stateAlignment)
            defer { unsafe sodium_memzero(start, stateCount) }
            let state = OpaquePointer(start)
            unsafe label.bytes.bytes.withUnsafeBytes { personal in
                _ = unsafe crypto_generichash_blake2b_init_salt_personal(
                    state, nil, 0, 32, nil, personal.baseAddress)
            }
            for part in parts {
                unsafe withUnsafeBytes(of: UInt64(part.count).littleEndian) { size in
                    _ = unsafe crypto_generichash_blake2b_update(state, size.baseAddress, 8)
                }
                unsafe part.withUnsafeBytes { part in
                    _ = unsafe crypto_generichash_blake2b_update(state, part.baseAddress, UInt64(part.count))
                }
            }
            unsafe output.withUnsafeMutableBytes { output in
                guard let output = output.baseAddress else { return }
                _ = unsafe crypto_generichash_blake2b_final(state, output, 32)
            }
        }
        return Digest(value)
    }

    deinit {
        let memory = unsafe UnsafeMutableRawPointer(state)
        unsafe sodium_memzero(memory, Self.stateCount)
        unsafe memory.deallocate()
    }

    /// Appends bytes to the hashed input.
    public mutating func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { bytes in
            _ = unsafe crypto_generichash_blake2b_update(state, bytes.baseAddress, UInt64(bytes.count))
        }
    }

    /// Writes the hash, ``count`` bytes, into a span of exactly that size.
    public consuming func finalize(into output: inout MutableRawSpan) {
        precondition(output.byteCount == count, "The output is as long as the hash")
        unsafe output.withUnsafeMutableBytes { output in
            guard let start = output.baseAddress else { return }
            _ = unsafe crypto_generichash_blake2b_final(state, start, count)
        }
    }
}
