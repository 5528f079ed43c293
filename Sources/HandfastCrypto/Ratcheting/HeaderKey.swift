internal import CSodium

/// The key of one chain that makes tags and hides headers, 32 bytes; it stays the same for the whole chain.
///
/// All tags and headers of a chain share one ChaCha20 stream with nonce `0¹²`; the block of an index, by which it is
/// counted, has 16 bytes of tag and 48 to mask a header. A KEM ciphertext of index n has a stream of its own with nonce
/// `0⁴ ‖ n + 1` (8 bytes, little endian).
/// - Source: Spec/04 §4.2
public struct HeaderKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    /// Size of the block of one index in bytes: 16 of tag, 48 to mask a header.
    public static let blockCount = 64

    private let secret: SecretBytes

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "header key", expected: Self.count, actual: bytes.byteCount)
        }
        secret = SecretBytes(copying: bytes)
    }

    /// XORs the block of an index over 64 bytes.
    ///
    /// Over `0¹⁶ ‖ header` it leaves tag ‖ masked header; over those it leaves `0¹⁶ ‖ header`, and anything else in the
    /// place of the zeros when the tag is another's. ``HeaderStream`` does the same for many indices of a chain.
    public borrowing func mask(_ block: inout MutableRawSpan, at index: UInt32) {
        precondition(block.byteCount == Self.blockCount, "A header is masked in a block of 64 bytes")
        unsafe block.withUnsafeMutableBytes { block in
            unsafe ChaCha20.xor(block, key: secret.pointer, nonce: 0, from: index)
        }
    }

    /// Masks or unmasks a KEM ciphertext.
    public borrowing func maskCiphertext(_ ciphertext: inout MutableRawSpan, at index: UInt32) {
        unsafe ciphertext.withUnsafeMutableBytes { ciphertext in
            unsafe ChaCha20.xor(ciphertext, key: secret.pointer, nonce: UInt64(index) + 1, from: 0)
        }
    }

    /// Writes the blocks of the indices from one on.
    borrowing func writeBlocks(from index: UInt32, into blocks: inout SecretBytes) {
        blocks.wipe()
        unsafe ChaCha20.xor(
            UnsafeMutableRawBufferPointer(start: blocks.pointer, count: blocks.count), key: secret.pointer, nonce: 0,
            from: index)
    }

    /// A second key with the same bytes.
    public borrowing func copy() -> HeaderKey {
        HeaderKey(secret: secret.copy())
    }

    private init(secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// The key, borrowed, to be sealed into a vault.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }
}
