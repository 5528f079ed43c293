/// The key of one chain that makes tags and hides headers, 32 bytes; it stays the same for the whole chain.
///
/// Each index has its own ChaCha20 stream with nonce `0⁴ ‖ index` (8 bytes, little endian): bytes 0..<16 are the tag,
/// 16..<64 mask the header, and from 64 on they mask a KEM ciphertext.
/// - Source: Spec/04
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
    /// place of the zeros when the tag is another's.
    public borrowing func mask(_ block: inout MutableRawSpan, at index: UInt32) {
        precondition(block.byteCount == Self.blockCount, "A header is masked in a block of 64 bytes")
        xor(&block, at: index, from: 0)
    }

    /// Masks or unmasks a KEM ciphertext.
    public borrowing func maskCiphertext(_ ciphertext: inout MutableRawSpan, at index: UInt32) {
        xor(&ciphertext, at: index, from: 1)
    }

    private borrowing func xor(_ bytes: inout MutableRawSpan, at index: UInt32, from counter: UInt32) {
        unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe ChaCha20.xor(bytes, key: secret.pointer, nonce: UInt64(index), from: counter)
        }
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
