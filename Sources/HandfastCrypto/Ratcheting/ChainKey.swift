internal import CSodium

/// The key of one sending or receiving chain, 32 bytes, moved on once per message.
/// - Source: Spec/04
public struct ChainKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    private var secret: SecretBytes

    /// A key of zeros, to be overwritten by ``assign(_:)``.
    public init() {
        secret = SecretBytes(count: Self.count)
    }

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "chain key", expected: Self.count, actual: bytes.byteCount)
        }
        secret = SecretBytes(copying: bytes)
    }

    /// Replaces this key by the next one of the chain and writes the message key of the step; allocates nothing.
    ///
    /// Both come from one ChaCha20 block under the old key with nonce and counter zero: bytes 0..<32 are the next
    /// chain key, 32..<64 the message key. The old key is gone.
    public mutating func advance(into messageKey: inout AEADKey) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 16) { block in
            guard let start = block.baseAddress else { return }
            unsafe block.initializeMemory(as: UInt8.self, repeating: 0)
            unsafe ChaCha20.xor(block, key: secret.pointer, nonce: 0, from: 0)
            unsafe secret.pointer.copyMemory(from: start, byteCount: 32)
            unsafe messageKey.secret.pointer.copyMemory(from: start + 32, byteCount: 32)
            unsafe sodium_memzero(start, 64)
        }
    }

    /// A second chain at the same place, to try a step before it counts.
    public borrowing func copy() -> ChainKey {
        ChainKey(secret: secret.copy())
    }

    private init(secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// Takes over the place of another chain without allocating.
    public mutating func assign(_ other: borrowing ChainKey) {
        unsafe secret.pointer.copyMemory(from: other.secret.pointer, byteCount: Self.count)
    }

    /// The key, borrowed, to be sealed into a vault.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }
}
