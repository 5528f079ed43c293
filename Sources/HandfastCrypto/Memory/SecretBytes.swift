internal import CSodium

/// A secret of a size fixed at its birth, in one place on the heap, wiped when it dies.
///
/// It is not copyable, so that the memory that holds the secret is known and is zeroed. Comparing takes constant time.
@safe
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    /// Size in bytes.
    public let count: Int

    /// `count` zero bytes.
    public init(count: Int) {
        Sodium.start()
        self.count = count
        unsafe pointer = .allocate(byteCount: count, alignment: 16)
        unsafe pointer.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    /// Copies the bytes. The caller's copy stays as it is: wipe it where it need not live on.
    public init(copying bytes: RawSpan) {
        self.init(count: bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: pointer, count: count).copyMemory(from: source)
        }
    }

    /// Draws `count` bytes from the generator.
    public init(random count: Int, using generator: inout some RandomNumberGenerator) {
        self.init(count: count)
        var bytes = mutableBytes
        generator.fill(&bytes)
    }

    deinit {
        unsafe sodium_memzero(pointer, count)
        unsafe pointer.deallocate()
    }

    /// The secret, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(pointer), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The secret, to be overwritten in place.
    public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableRawSpan(_unsafeStart: pointer, byteCount: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// A second secret with the same bytes.
    public borrowing func copy() -> SecretBytes {
        SecretBytes(copying: bytes)
    }

    /// Overwrites the secret with zeros; its size stays.
    public mutating func wipe() {
        unsafe sodium_memzero(pointer, count)
    }

    /// Whether the bytes are the same, in a time that depends on the sizes alone.
    public borrowing func isEqual(to other: RawSpan) -> Bool {
        guard other.byteCount == count else { return false }
        return unsafe other.withUnsafeBytes { other in
            guard let start = other.baseAddress else { return true }
            return unsafe sodium_memcmp(pointer, start, count) == 0
        }
    }

    var isZero: Bool {
        borrowing get { unsafe sodium_is_zero(pointer, count) == 1 }
    }

    /// Refuses any other size.
    borrowing func requireCount(_ expected: Int, of name: String) throws(CryptoError) {
        guard count == expected else { throw .wrongLength(of: name, expected: expected, actual: count) }
    }
}
