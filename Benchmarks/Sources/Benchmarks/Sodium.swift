import CSodiumPeer

/// The limit: libsodium's ChaCha20-Poly1305 on one buffer, and nothing else.
struct Sodium {
    private var key = [UInt8](repeating: 7, count: 32)
    private var nonce = [UInt8](repeating: 0, count: 12)
    private var plaintext: [UInt8]
    private var ciphertext: [UInt8]

    init(byteCount: Int) {
        plaintext = [UInt8](repeating: 0x61, count: byteCount)
        ciphertext = [UInt8](repeating: 0, count: byteCount + 16)
        seal()
    }

    mutating func seal() {
        nonce[0] &+= 1
        _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
            &ciphertext, nil, plaintext, UInt64(plaintext.count), nil, 0, nil, nonce, key)
    }

    /// Opens what was sealed last and tells whether it authenticated.
    mutating func open() -> Bool {
        unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
            &plaintext, nil, nil, ciphertext, UInt64(ciphertext.count), nil, 0, nonce, key) == 0
    }
}
