internal import CSodium

/// ChaCha20-Poly1305 with a nonce of 12 bytes and a tag of 16, from the caller's memory into the caller's memory.
///
/// None of these allocates. A (key, nonce) must seal once only.
/// - Source: RFC 8439 §2.8
public enum ChaCha20Poly1305 {
    /// Size of the tag that follows the ciphertext, in bytes.
    public static let tagCount = 16

    /// Size of the nonce in bytes.
    public static let nonceCount = 12

    /// Seals into a span that is exactly 16 bytes longer than the plaintext.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public static func seal(
        _ plaintext: RawSpan, key: borrowing AEADKey, nonce: FixedBytes<12>, authenticating associatedData: RawSpan,
        into output: inout MutableRawSpan
    ) throws(CryptoError) {
        guard output.byteCount == plaintext.byteCount + tagCount else {
            throw .wrongLength(
                of: "output of sealing", expected: plaintext.byteCount + tagCount, actual: output.byteCount)
        }
        unsafe output.withUnsafeMutableBytes { output in
            unsafe plaintext.withUnsafeBytes { plaintext in
                unsafe seal(plaintext, key: key, nonce: nonce, authenticating: associatedData, into: output)
            }
        }
    }

    /// Seals the first `byteCount - 16` bytes in place and writes the tag over the last 16.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)`` if there is no room for the tag
    public static func sealInPlace(
        _ buffer: inout MutableRawSpan, key: borrowing AEADKey, nonce: FixedBytes<12>,
        authenticating associatedData: RawSpan
    ) throws(CryptoError) {
        guard buffer.byteCount >= tagCount else {
            throw .wrongLength(of: "buffer of sealing", expected: tagCount, actual: buffer.byteCount)
        }
        unsafe buffer.withUnsafeMutableBytes { buffer in
            let plaintext = unsafe UnsafeRawBufferPointer(rebasing: buffer.dropLast(tagCount))
            unsafe seal(plaintext, key: key, nonce: nonce, authenticating: associatedData, into: buffer)
        }
    }

    /// Opens into a span that is exactly 16 bytes shorter than the ciphertext. On failure the span holds zeros.
    /// - Throws: ``CryptoError/authenticationFailed``, ``CryptoError/wrongLength(of:expected:actual:)``
    public static func open(
        _ ciphertext: RawSpan, key: borrowing AEADKey, nonce: FixedBytes<12>, authenticating associatedData: RawSpan,
        into output: inout MutableRawSpan
    ) throws(CryptoError) {
        guard ciphertext.byteCount >= tagCount else { throw .authenticationFailed }
        guard output.byteCount == ciphertext.byteCount - tagCount else {
            throw .wrongLength(
                of: "output of opening", expected: ciphertext.byteCount - tagCount, actual: output.byteCount)
        }
        let isAuthentic = unsafe output.withUnsafeMutableBytes { output in
            unsafe ciphertext.withUnsafeBytes { ciphertext in
                unsafe open(
                    ciphertext, key: key, nonce: nonce, authenticating: associatedData, into: output.baseAddress)
            }
        }
        guard isAuthentic else { throw .authenticationFailed }
    }

    /// Opens in place: the first `byteCount - 16` bytes become the plaintext. On failure they become zeros.
    /// - Throws: ``CryptoError/authenticationFailed``
    public static func openInPlace(
        _ buffer: inout MutableRawSpan, key: borrowing AEADKey, nonce: FixedBytes<12>,
        authenticating associatedData: RawSpan
    ) throws(CryptoError) {
        guard buffer.byteCount >= tagCount else { throw .authenticationFailed }
        let isAuthentic = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe open(
                UnsafeRawBufferPointer(buffer), key: key, nonce: nonce, authenticating: associatedData,
                into: buffer.baseAddress)
        }
        guard isAuthentic else { throw .authenticationFailed }
    }

    @inline(always)
    private static func seal(
        _ plaintext: UnsafeRawBufferPointer, key: borrowing AEADKey, nonce: FixedBytes<12>,
        authenticating associatedData: RawSpan, into output: UnsafeMutableRawBufferPointer
    ) {
        unsafe associatedData.withUnsafeBytes { associatedData in
            unsafe nonce.bytes.withUnsafeBytes { nonce in
                guard let output = output.baseAddress, let nonce = nonce.baseAddress else { return }
                guard plaintext.count > ShortMessage.maximumCount else {
                    return unsafe ShortMessage.seal(
                        plaintext, key: key.secret.pointer, nonce: nonce, authenticating: associatedData, into: output)
                }
                _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
                    output, nil, plaintext.baseAddress, UInt64(plaintext.count), associatedData.baseAddress,
                    UInt64(associatedData.count), nil, nonce, key.secret.pointer)
            }
        }
    }

    @inline(always)
    private static func open(
        _ ciphertext: UnsafeRawBufferPointer, key: borrowing AEADKey, nonce: FixedBytes<12>,
        authenticating associatedData: RawSpan, into output: UnsafeMutableRawPointer?
    ) -> Bool {
        unsafe associatedData.withUnsafeBytes { associatedData in
            unsafe nonce.bytes.withUnsafeBytes { nonce in
                guard let start = ciphertext.baseAddress, let nonce = nonce.baseAddress else {
                    return false
                }
                guard ciphertext.count > ShortMessage.maximumCount + tagCount else {
                    return unsafe ShortMessage.open(
                        ciphertext, key: key.secret.pointer, nonce: nonce, authenticating: associatedData, into: output)
                }
                return unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                    output, nil, nil, start, UInt64(ciphertext.count), associatedData.baseAddress,
                    UInt64(associatedData.count), nonce, key.secret.pointer) == 0
            }
        }
    }
}
