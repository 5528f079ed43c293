internal import CSodium

/// ChaCha20-Poly1305 of a short message, put together from libsodium's two primitives.
///
/// libsodium's own function makes the authenticator's key, the bulk of the stream and what is left of it by one call
/// each, and single blocks take four times as long as blocks in groups of four or eight. Here one call makes the whole
/// stream, rounded up to such a group; what it gives too much is dropped. The bytes are the same.
/// - Source: RFC 8439 §2.8
enum ShortMessage {
    /// The longest message, in bytes; at this size both ways take the same time.
    static let maximumCount = capacity - blockCount

    private static let capacity = 2_304
    private static let blockCount = 64
    /// Four blocks of the stream.
    private static let groupCount = 256

    /// Writes ciphertext and tag, which may take the place of the plaintext.
    @inline(always)
    static func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawPointer, nonce: UnsafeRawPointer,
        authenticating associatedData: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) {
        let count = plaintext.count
        unsafe withStream(over: plaintext, key: key, nonce: nonce) { stream in
            let ciphertext = unsafe UnsafeRawBufferPointer(start: stream + blockCount, count: count)
            unsafe authenticate(ciphertext, associatedData, key: stream, into: output + count)
            unsafe output.copyMemory(from: stream + blockCount, byteCount: count)
        }
    }

    /// Writes the plaintext, which may take the place of the ciphertext, or zeros when the tag is not the message's.
    @inline(always)
    static func open(
        _ ciphertext: UnsafeRawBufferPointer, key: UnsafeRawPointer, nonce: UnsafeRawPointer,
        authenticating associatedData: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer?
    ) -> Bool {
        let count = ciphertext.count - ChaCha20Poly1305.tagCount
        let message = unsafe UnsafeRawBufferPointer(rebasing: ciphertext[..<count])
        return unsafe withStream(over: message, key: key, nonce: nonce) { stream in
            var tag = FixedBytes<16>.zero
            var tagBytes = tag.mutableBytes
            let isAuthentic = unsafe tagBytes.withUnsafeMutableBytes { tag in
                guard let tag = tag.baseAddress, let start = ciphertext.baseAddress else { return false }
                unsafe authenticate(message, associatedData, key: stream, into: tag)
                return unsafe crypto_verify_16(tag, start + count) == 0
            }
            // What did not authenticate never leaves the stack, where it is wiped.
            if isAuthentic {
                unsafe output?.copyMemory(from: stream + blockCount, byteCount: count)
            } else {
                unsafe output?.initializeMemory(as: UInt8.self, repeating: 0, count: count)
            }
            return isAuthentic
        }
    }

    /// Gives `body` the stream: a block whose first 32 bytes are the authenticator's key, then the stream over the message.
    @inline(always)
    private static func withStream<Result>(
        over message: UnsafeRawBufferPointer, key: UnsafeRawPointer, nonce: UnsafeRawPointer,
        _ body: (UnsafeMutableRawPointer) -> Result
    ) -> Result {
        var memory = InlineArray<288, UInt64>(repeating: 0)
        return unsafe withUnsafeMutableBytes(of: &memory) { memory in
            guard let stream = memory.baseAddress else { preconditionFailure("An array stands somewhere") }
            let used = (blockCount + message.count + groupCount - 1) & ~(groupCount - 1)
            defer { unsafe sodium_memzero(stream, used) }
            if let start = message.baseAddress {
                unsafe (stream + blockCount).copyMemory(from: start, byteCount: message.count)
            }
            _ = unsafe crypto_stream_chacha20_ietf_xor_ic(stream, stream, UInt64(used), nonce, 0, key)
            return unsafe body(stream)
        }
    }

    /// Poly1305 over both, each filled up to 16 bytes, and their sizes.
    @inline(always)
    private static func authenticate(
        _ ciphertext: UnsafeRawBufferPointer, _ associatedData: UnsafeRawBufferPointer, key: UnsafeRawPointer,
        into tag: UnsafeMutableRawPointer
    ) {
        let ending: InlineArray<4, UInt64> = [
            0, 0, UInt64(associatedData.count).littleEndian, UInt64(ciphertext.count).littleEndian,
        ]
        var state = crypto_onetimeauth_poly1305_state()
        unsafe ending.span.withUnsafeBytes { ending in
            guard let zeros = ending.baseAddress else { return }
            _ = unsafe crypto_onetimeauth_poly1305_init(&state, key)
            if let start = associatedData.baseAddress {
                _ = unsafe crypto_onetimeauth_poly1305_update(&state, start, UInt64(associatedData.count))
                _ = unsafe crypto_onetimeauth_poly1305_update(&state, zeros, filling(associatedData.count))
            }
            if let start = ciphertext.baseAddress {
                _ = unsafe crypto_onetimeauth_poly1305_update(&state, start, UInt64(ciphertext.count))
            }
            let filling = filling(ciphertext.count)
            _ = unsafe crypto_onetimeauth_poly1305_update(&state, zeros + 16 - Int(filling), filling + 16)
            // It erases the state.
            _ = unsafe crypto_onetimeauth_poly1305_final(&state, tag)
        }
    }

    private static func filling(_ count: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: -count) & 15
    }
}
