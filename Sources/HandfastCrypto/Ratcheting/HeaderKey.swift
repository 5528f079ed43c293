internal import CSodium

/// The key of one chain that makes tags and hides headers, 32 bytes; it stays the same for the whole chain.
///
/// Each index has its own ChaCha20 stream with nonce `0⁴ ‖ index` (8 bytes, little endian): bytes 0..<16 are the tag,
/// 16..<64 mask the header, and from 64 on they mask a KEM ciphertext.
/// - Source: Spec/04
public struct HeaderKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    /// Size of a tag in bytes.
    public static let tagCount = 16

    /// Size of the largest header in bytes.
    public static let headerCountMaximum = 48

    private let secret: SecretBytes

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "header key", expected: Self.count, actual: bytes.byteCount)
        }
        secret = SecretBytes(copying: bytes)
    }

    /// The tag of the envelope at an index of the chain.
    public borrowing func tag(at index: UInt32) -> FixedBytes<16> {
        var tag = FixedBytes<16>.zero
        var output = tag.mutableBytes
        unsafe output.withUnsafeMutableBytes { output in
            unsafe withNonce(at: index) { nonce in
                guard let start = output.baseAddress else { return }
                _ = unsafe crypto_stream_chacha20_ietf(start, UInt64(Self.tagCount), nonce, secret.pointer)
            }
        }
        return tag
    }

    /// Masks or unmasks a header of at most 48 bytes.
    public borrowing func maskHeader(_ header: inout MutableRawSpan, at index: UInt32) {
        _ = tagMasking(&header, at: index)
    }

    /// Masks or unmasks a header of at most 48 bytes and gives the tag, from one block.
    public borrowing func tagMasking(_ header: inout MutableRawSpan, at index: UInt32) -> FixedBytes<16> {
        precondition(header.byteCount <= Self.headerCountMaximum, "A header has at most 48 bytes")
        var tag = InlineArray<16, UInt8>(repeating: 0)
        unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 16) { block in
            unsafe withNonce(at: index) { nonce in
                guard let start = block.baseAddress else { return }
                _ = unsafe crypto_stream_chacha20_ietf(start, 64, nonce, secret.pointer)
            }
            for offset in 0..<Self.tagCount {
                tag[offset] = unsafe block[offset]
            }
            unsafe header.withUnsafeMutableBytes { header in
                for offset in 0..<header.count {
                    unsafe header[offset] ^= block[Self.tagCount + offset]
                }
            }
        }
        return FixedBytes(storage: tag)
    }

    /// Masks or unmasks a KEM ciphertext.
    public borrowing func maskCiphertext(_ ciphertext: inout MutableRawSpan, at index: UInt32) {
        unsafe ciphertext.withUnsafeMutableBytes { ciphertext in
            unsafe withNonce(at: index) { nonce in
                guard let start = ciphertext.baseAddress else { return }
                _ = unsafe crypto_stream_chacha20_ietf_xor_ic(
                    start, start, UInt64(ciphertext.count), nonce, 1, secret.pointer)
            }
        }
    }

    @inline(always)
    private borrowing func withNonce(at index: UInt32, _ body: (UnsafePointer<UInt8>) -> Void) {
        let nonce = InlineArray<3, UInt32> { $0 == 1 ? index.littleEndian : 0 }
        unsafe nonce.span.withUnsafeBytes { nonce in
            guard let start = nonce.baseAddress else { return }
            unsafe body(start.assumingMemoryBound(to: UInt8.self))
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
