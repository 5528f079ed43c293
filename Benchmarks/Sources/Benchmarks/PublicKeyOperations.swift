import CSodiumPeer
import Handfast

/// The public-key operations that hello and welcome cannot do without, of both sides, by the same functions.
///
/// One X-Wing encapsulation and decapsulation; two X25519 key pairs and two agreements; one ML-KEM-768 key pair,
/// encapsulation and decapsulation; three Ed25519 signatures (hello; welcome by the pairwise identity and by the
/// bundle's signer); five verifications (those three and both sides' inceptions).
struct PublicKeyOperations: ~Copyable {
    private let sealingKey: SealingPrivateKey
    private let signingKey: SigningKey
    private let message = [UInt8](repeating: 0x61, count: 64)

    init(using entropy: inout SystemEntropy) {
        sealingKey = SealingPrivateKey.generate(using: &entropy)
        signingKey = SigningKey.generate(using: &entropy)
    }

    borrowing func run(using entropy: inout SystemEntropy) throws {
        let sender = try entropy.sender(to: sealingKey.publicKey, info: message.bytes)
        _ = try sealingKey.recipient(encapsulation: sender.encapsulation.bytes, info: message.bytes)

        let first = AgreementPrivateKey.generate(using: &entropy)
        let second = AgreementPrivateKey.generate(using: &entropy)
        let agreed = try first.sharedSecret(with: second.publicKey)
        guard try second.sharedSecret(with: first.publicKey).isEqual(to: agreed.bytes) else {
            throw BenchmarkError.wrongContent
        }

        let offer = KEMPrivateKey.generate(using: &entropy)
        let encapsulation = try entropy.encapsulate(to: offer.publicKey)
        _ = try offer.decapsulate(encapsulation.ciphertext.bytes)

        var signature = FixedBytes<64>.zero
        for _ in 0..<3 { signature = signingKey.signature(for: message.bytes) }
        for _ in 0..<5 { try signingKey.publicKey.verify(signature.bytes, of: message.bytes) }
    }
}

/// What a turn cannot do without, on libsodium: an X25519 key pair and one multiplication at each side.
enum SodiumTurn {
    static let name = "libsodium/x25519-turn"

    static func run() throws {
        var (secret, peerSecret) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 1, count: 32))
        var (publicKey, shared) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
        unsafe randombytes_buf(&secret, 32)
        guard unsafe crypto_scalarmult_base(&publicKey, secret) == 0,
            unsafe crypto_scalarmult(&shared, secret, publicKey) == 0
        else { throw BenchmarkError.wrongContent }
        peerSecret[0] = shared[0]
        guard unsafe crypto_scalarmult(&shared, peerSecret, publicKey) == 0 else { throw BenchmarkError.wrongContent }
    }
}
