/// What an encapsulation gives: the ciphertext for the peer and the secret that both then hold.
@frozen
public struct KEMEncapsulation: ~Copyable, Sendable {
    /// For the holder of the private key, 1,088 bytes.
    public let ciphertext: [UInt8]
    /// The shared secret, 32 bytes.
    public let sharedSecret: SecretBytes

    /// A pair that belongs together, as given by the KEM or by a recording of it.
    public init(ciphertext: [UInt8], sharedSecret: consuming SecretBytes) {
        self.ciphertext = ciphertext
        self.sharedSecret = sharedSecret
    }
}
