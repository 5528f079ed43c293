internal import CSodium

/// BLAKE2b, fed piece by piece. Its state is wiped, since it may hold a key.
/// - Source: RFC 7693
@safe
public struct BLAKE2b: ~Copyable {
    // crypto_generichash_blake2b_state is aligned to more than Swift imports.
    private static let stateCount = 384

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
        unsafe state = OpaquePointer(UnsafeMutableRawPointer.allocate(byteCount: Self.stateCount, alignment: 64))
        self.count = count
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
