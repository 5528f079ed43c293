internal import CSodium

/// What a stream's sealer and opener carry from chunk to chunk: key, counter and what the last tag left. Wiped.
@safe
struct SecretStreamState: ~Copyable, @unchecked Sendable {
    let pointer: UnsafeMutablePointer<crypto_secretstream_xchacha20poly1305_state>

    /// The state at the beginning of a stream, which key and header determine.
    ///
    /// libsodium's `init_push` draws a header and then does what `init_pull` does with it: `HChaCha20(key, header[0..<16])`
    /// is the stream's key, its counter starts at 1 and header[16..<24] is the rest of the nonce. So one beginning serves
    /// both sides, and the header comes from our own source of randomness, where tests and vectors can fix it.
    init(_ key: borrowing SecretStreamKey, header: FixedBytes<24>) {
        Sodium.start()
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: crypto_secretstream_xchacha20poly1305_state())
        unsafe header.bytes.withUnsafeBytes { header in
            guard let header = header.baseAddress else { return }
            _ = unsafe crypto_secretstream_xchacha20poly1305_init_pull(pointer, header, key.secret.pointer)
        }
    }

    deinit {
        unsafe sodium_memzero(pointer, MemoryLayout<crypto_secretstream_xchacha20poly1305_state>.size)
        unsafe pointer.deallocate()
    }
}
