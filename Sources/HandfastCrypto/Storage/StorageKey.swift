internal import CSodium

/// A key of 32 bytes that seals a vault's contents, in guarded memory.
///
/// XChaCha20-Poly1305 with a random nonce of 24 bytes: a sealed value is `nonce ‖ ciphertext ‖ tag`, 40 bytes longer.
/// - Source: draft-irtf-cfrg-xchacha-03 §2
public struct StorageKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = 32

    /// How many bytes a sealed value is longer than its plaintext.
    public static let overhead = nonceCount + tagCount

    private static let nonceCount = 24
    private static let tagCount = 16

    private let secret: GuardedBytes

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/outOfLockedMemory``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "storage key", expected: Self.count, actual: bytes.byteCount)
        }
        secret = try GuardedBytes(copying: bytes)
    }

    init(_ secret: consuming GuardedBytes) {
        self.secret = secret
    }

    /// A key from 32 random bytes.
    /// - Throws: ``CryptoError/outOfLockedMemory``
    public static func generate(using generator: inout some RandomNumberGenerator) throws(CryptoError) -> StorageKey {
        StorageKey(try GuardedBytes(random: count, using: &generator))
    }

    /// Seals under a fresh random nonce.
    public borrowing func seal(
        _ plaintext: RawSpan, authenticating associatedData: RawSpan, using generator: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let nonce = FixedBytes<24>(random: &generator)
        return unsafe [UInt8](unsafeUninitializedCapacity: plaintext.byteCount + Self.overhead) { output, count in
            unsafe nonce.bytes.withUnsafeBytes { nonce in
                unsafe plaintext.withUnsafeBytes { plaintext in
                    unsafe associatedData.withUnsafeBytes { associatedData in
                        guard let start = output.baseAddress, let nonceStart = nonce.baseAddress else {
                            return
                        }
                        unsafe UnsafeMutableRawPointer(start).copyMemory(from: nonceStart, byteCount: Self.nonceCount)
                        _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                            start + Self.nonceCount, nil, plaintext.baseAddress, UInt64(plaintext.count),
                            associatedData.baseAddress, UInt64(associatedData.count), nil, nonceStart, secret.pointer)
                    }
                }
            }
            count = plaintext.byteCount + Self.overhead
        }
    }

    /// Opens what ``seal(_:authenticating:using:)`` made.
    /// - Throws: ``CryptoError/authenticationFailed``
    public borrowing func open(
        _ sealed: RawSpan, authenticating associatedData: RawSpan
    ) throws(CryptoError) -> [UInt8] {
        guard sealed.byteCount >= Self.overhead else { throw .authenticationFailed }
        var isAuthentic = false
        let plaintext = unsafe [UInt8](unsafeUninitializedCapacity: sealed.byteCount - Self.overhead) { output, count in
            unsafe sealed.withUnsafeBytes { sealed in
                unsafe associatedData.withUnsafeBytes { associatedData in
                    guard let nonce = sealed.baseAddress else { return }
                    let code = unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                        output.baseAddress, nil, nil, nonce + Self.nonceCount, UInt64(sealed.count - Self.nonceCount),
                        associatedData.baseAddress, UInt64(associatedData.count), nonce, secret.pointer)
                    isAuthentic = code == 0
                }
            }
            count = sealed.byteCount - Self.overhead
        }
        guard isAuthentic else { throw .authenticationFailed }
        return plaintext
    }

    /// The key that XChaCha20 takes for all nonces that begin with these 16 bytes.
    borrowing func deriveKey(for nonce: FixedBytes<16>, into key: inout AEADKey) {
        unsafe nonce.bytes.withUnsafeBytes { nonce in
            guard let nonce = nonce.baseAddress else { return }
            _ = unsafe crypto_core_hchacha20(key.secret.pointer, nonce, secret.pointer, nil)
        }
    }

    /// The key, borrowed, to be wrapped by another one.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }
}
