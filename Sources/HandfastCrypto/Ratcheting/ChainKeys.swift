internal import CSodium

/// The keys that a sending or receiving chain has left: message keys not used yet, and after them the one that the next
/// eight come from.
///
/// Single blocks of ChaCha20 are dear and four cost little more than one, hence eight keys at once. Each is erased when
/// it is used, so that none leads back to an earlier message.
/// - Source: Spec/04 §4.2
public struct ChainKeys: ~Copyable, Sendable {
    /// Size of one key in bytes.
    public static let count = 32

    /// The most bytes that are ever left between two messages.
    public static let maximumByteCount = groupByteCount - count

    private static let groupByteCount = 256

    private var group: SecretBytes
    /// Where what is left begins; it goes on to the end of the group.
    private var start: Int

    /// One key of zeros, to be overwritten by ``assign(_:)``.
    public init() {
        group = SecretBytes(count: Self.groupByteCount)
        start = Self.groupByteCount - Self.count
    }

    /// Copies a chain's first key, 32 bytes, or what ``bytes`` gave.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount > 0, bytes.byteCount <= Self.maximumByteCount, bytes.byteCount % Self.count == 0 else {
            throw .wrongLength(of: "chain key", expected: Self.count, actual: bytes.byteCount)
        }
        self.init()
        start = Self.groupByteCount - bytes.byteCount
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: group.pointer + start, count: bytes.count)
                .copyMemory(from: bytes)
        }
    }

    /// Takes the next message key out of the chain; allocates nothing.
    ///
    /// When one key alone is left, the 256 bytes of its ChaCha20 stream with nonce and counter zero first take its
    /// place.
    public mutating func advance(into messageKey: inout AEADKey) {
        if start == Self.groupByteCount - Self.count { expand() }
        unsafe messageKey.secret.pointer.copyMemory(from: group.pointer + start, byteCount: Self.count)
        unsafe sodium_memzero(group.pointer + start, Self.count)
        start += Self.count
    }

    private mutating func expand() {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.count, alignment: 16) { last in
            guard let key = last.baseAddress else { return }
            unsafe key.copyMemory(from: group.pointer + start, byteCount: Self.count)
            group.wipe()
            let stream = unsafe UnsafeMutableRawBufferPointer(start: group.pointer, count: Self.groupByteCount)
            unsafe ChaCha20.xor(stream, key: key, nonce: 0, from: 0)
            unsafe sodium_memzero(key, Self.count)
        }
        start = 0
    }

    /// A second chain at the same place, to try a step before it counts.
    public borrowing func copy() -> ChainKeys {
        ChainKeys(group: group.copy(), start: start)
    }

    private init(group: consuming SecretBytes, start: Int) {
        self.group = group
        self.start = start
    }

    /// Takes over the place of another chain without allocating.
    public mutating func assign(_ other: borrowing ChainKeys) {
        unsafe group.pointer.copyMemory(from: other.group.pointer, byteCount: Self.groupByteCount)
        start = other.start
    }

    /// The keys that are left, 32 to 224 bytes, borrowed, to be sealed into a vault.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { group.bytes.extracting(start..<Self.groupByteCount) }
    }
}
