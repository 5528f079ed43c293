internal import Crypto
internal import FoundationEssentials

/// An X-Wing private key, kept as its seed of 32 bytes.
///
/// The seed here is wiped; the expanded key that swift-crypto makes of it is freed without being wiped.
/// - Source: draft-connolly-cfrg-xwing-kem
public struct SealingPrivateKey: ~Copyable, Sendable {
    /// Size of the seed in bytes.
    public static let seedCount = 32

    private let secret: SecretBytes
    private let key: XWingMLKEM768X25519.PrivateKey

    /// The key that others seal to.
    public let publicKey: SealingPublicKey

    /// The key of a seed of 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(seed: consuming SecretBytes) throws(CryptoError) {
        try seed.requireCount(Self.seedCount, of: "X-Wing seed")
        do {
            key = try unsafe seed.bytes.withUnsafeBytes {
                try unsafe XWingMLKEM768X25519.PrivateKey(seedRepresentation: $0, publicKey: nil)
            }
        } catch {
            throw .invalidKey("X-Wing seed")
        }
        publicKey = SealingPublicKey(key.publicKey)
        secret = seed
    }

    /// A key from 32 random bytes.
    public static func generate(using generator: inout some RandomNumberGenerator) -> SealingPrivateKey {
        guard let key = try? SealingPrivateKey(seed: SecretBytes(random: seedCount, using: &generator)) else {
            preconditionFailure("Any 32 bytes are an X-Wing seed")
        }
        return key
    }

    /// Sets up the context that opens what was sealed to this key under the same `info`.
    ///
    /// A forged encapsulation of the right size is found when the first message fails to open.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/authenticationFailed`` if the
    ///   encapsulation cannot be processed
    public borrowing func recipient(encapsulation: RawSpan, info: RawSpan) throws(CryptoError) -> HPKERecipient {
        guard encapsulation.byteCount == HPKESender.encapsulationCount else {
            throw .wrongLength(
                of: "X-Wing encapsulation", expected: HPKESender.encapsulationCount, actual: encapsulation.byteCount)
        }
        do {
            return HPKERecipient(
                try HPKE.Recipient(
                    privateKey: key, ciphersuite: .handfast, info: Data(info), encapsulatedKey: Data(encapsulation)))
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
