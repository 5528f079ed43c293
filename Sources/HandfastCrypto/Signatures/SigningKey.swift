internal import CSodium

/// A private Ed25519 key.
/// - Source: RFC 8032 §5.1.5, §5.1.6
public struct SigningKey: ~Copyable, Sendable {
    /// Size of the seed in bytes.
    public static let seedCount = 32

    // libsodium's form: seed and public key.
    private let secret: SecretBytes

    /// The key that verifies what this one signs.
    public let publicKey: VerificationKey

    /// The key of a seed of 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(seed: consuming SecretBytes) throws(CryptoError) {
        try seed.requireCount(Self.seedCount, of: "Ed25519 seed")
        var secret = SecretBytes(count: 64)
        var publicKey = FixedBytes<32>.zero
        var secretBytes = secret.mutableBytes
        var publicBytes = publicKey.mutableBytes
        unsafe secretBytes.withUnsafeMutableBytes { secret in
            unsafe publicBytes.withUnsafeMutableBytes { publicKey in
                guard let secret = secret.baseAddress, let publicKey = publicKey.baseAddress else { return }
                _ = unsafe crypto_sign_ed25519_seed_keypair(publicKey, secret, seed.pointer)
            }
        }
        self.secret = secret
        self.publicKey = VerificationKey(trusted: publicKey)
    }

    /// A key from 32 random bytes.
    public static func generate(using generator: inout some RandomNumberGenerator) -> SigningKey {
        let seed = SecretBytes(random: seedCount, using: &generator)
        guard let key = try? SigningKey(seed: seed) else { preconditionFailure("A seed has 32 bytes") }
        return key
    }

    /// Signs a message.
    public borrowing func signature(for message: RawSpan) -> FixedBytes<64> {
        var signature = FixedBytes<64>.zero
        var output = signature.mutableBytes
        unsafe output.withUnsafeMutableBytes { output in
            unsafe message.withUnsafeBytes { message in
                guard let output = output.baseAddress else { return }
                _ = unsafe crypto_sign_ed25519_detached(
                    output, nil, message.baseAddress, UInt64(message.count), secret.pointer)
            }
        }
        return signature
    }

    /// The seed, borrowed, to be sealed into a vault.
    public var seed: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes.extracting(first: Self.seedCount) }
    }
}
