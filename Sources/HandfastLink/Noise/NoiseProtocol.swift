internal import HandfastCrypto

/// The constants of the one Noise protocol that links speak.
/// - Source: Spec/06; Noise Protocol Framework revision 34 §7.5, §8
enum NoiseProtocol {
    /// Exactly the 33 bytes of the name; shorter than HASHLEN, hence padded and not hashed.
    static let name = Array("Noise_NK_25519_ChaChaPoly_BLAKE2b".utf8)

    /// What links put into their transcript first.
    static let linkPrologue = Array("HF1.link".utf8)

    /// An X25519 public key in a message, in bytes.
    static let publicKeyCount = 32

    /// A handshake message with an empty payload, in bytes.
    static let handshakeMessageCount = publicKeyCount + ChaCha20Poly1305.tagCount

    /// The largest Noise message, in bytes.
    static let maximumMessageCount = 65_535
}
