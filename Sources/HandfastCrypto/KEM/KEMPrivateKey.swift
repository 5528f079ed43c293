internal import Crypto
internal import FoundationEssentials

/// An ML-KEM-768 decapsulation key, kept as its seed `d ‖ z` of 64 bytes.
///
/// The seed here is wiped; the expanded key that swift-crypto makes of it is freed without being wiped.
/// - Source: FIPS 203 §7.1, §7.3
public struct KEMPrivateKey: ~Copyable, Sendable {
    /// Size of the seed in bytes.
    public static let seedCount = 64

    /// Size of a ciphertext in bytes.
    public static let ciphertextCount = 1_088

    private let secret: SecretBytes
    private let key: MLKEM768.PrivateKey

    /// The key that the peer encapsulates to.
    public let publicKey: KEMPublicKey

    /// The key of a seed of 64 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(seed: consuming SecretBytes) throws(CryptoError) {
        try seed.requireCount(Self.seedCount, of: "ML-KEM-768 seed")
        do {
            key = try unsafe seed.bytes.withUnsafeBytes {
                try unsafe MLKEM768.PrivateKey(seedRepresentation: $0, publicKey: nil)
            }
        } catch {
            throw .invalidKey("ML-KEM-768 seed")
        }
        publicKey = KEMPublicKey(key.publicKey)
        secret = seed
    }

    /// A key from 64 random bytes.
    public static func generate(using generator: inout some RandomNumberGenerator) -> KEMPrivateKey {
        guard let key = try? KEMPrivateKey(seed: SecretBytes(random: seedCount, using: &generator)) else {
            preconditionFailure("Any 64 bytes are an ML-KEM-768 seed")
        }
        return key
    }

    /// The shared secret of 32 bytes. A forged ciphertext gives an unrelated secret, not an error.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public borrowing func decapsulate(_ ciphertext: RawSpan) throws(CryptoError) -> SecretBytes {
        guard ciphertext.byteCount == Self.ciphertextCount else {
            throw .wrongLength(
                of: "ML-KEM-768 ciphertext", expected: Self.ciphertextCount, actual: ciphertext.byteCount)
        }
        do {
            return SecretBytes(copying: try key.decapsulate(Data(ciphertext)))
        } catch {
            throw .authenticationFailed
        }
    }

    /// The seed, borrowed, to be sealed into a vault.
    public var seed: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }
}
