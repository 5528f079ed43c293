internal import CSodium

/// How hard a passphrase is to guess: Argon2id version 1.3 with one lane.
///
/// The parameters are stored in the clear beside what the key seals. Their bounds keep a forged header from making
/// the key cheap to guess or the machine run out of memory.
/// - Source: RFC 9106
public struct PassphraseParameters: Hashable, Sendable {
    /// The memory that may be asked for, in bytes: 64 MiB...1 GiB.
    public static let memoryRange = 64 << 20...1 << 30

    /// The passes that may be asked for.
    public static let passesRange = 1...16

    /// Memory to fill, in bytes.
    public let memory: Int

    /// How often to pass over the memory.
    public let passes: Int

    /// Makes the same passphrase give another key elsewhere, 16 bytes.
    public let salt: FixedBytes<16>

    /// Parameters as read from a header.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public init(memory: Int, passes: Int, salt: FixedBytes<16>) throws(CryptoError) {
        guard Self.memoryRange.contains(memory) else {
            throw .outOfRange(of: "Argon2id memory in bytes", permitted: Self.memoryRange, actual: memory)
        }
        guard Self.passesRange.contains(passes) else {
            throw .outOfRange(of: "Argon2id passes", permitted: Self.passesRange, actual: passes)
        }
        self.init(trustedMemory: memory, passes: passes, salt: salt)
    }

    private init(trustedMemory memory: Int, passes: Int, salt: FixedBytes<16>) {
        self.memory = memory
        self.passes = passes
        self.salt = salt
    }

    /// For a vault, opened seldom: 256 MiB and 3 passes, with a fresh salt.
    public static func vault(using generator: inout some RandomNumberGenerator) -> PassphraseParameters {
        PassphraseParameters(trustedMemory: 256 << 20, passes: 3, salt: FixedBytes(random: &generator))
    }

    /// For what is opened often: 64 MiB and 2 passes, with a fresh salt.
    public static func interactive(using generator: inout some RandomNumberGenerator) -> PassphraseParameters {
        PassphraseParameters(trustedMemory: 64 << 20, passes: 2, salt: FixedBytes(random: &generator))
    }

    /// Derives the key; takes as long as the parameters ask for.
    /// - Throws: ``CryptoError/passphraseHashingFailed``, ``CryptoError/outOfLockedMemory``
    public func deriveKey(from passphrase: RawSpan) throws(CryptoError) -> StorageKey {
        var key = SecretBytes(count: StorageKey.count)
        var output = key.mutableBytes
        let code: CInt = unsafe output.withUnsafeMutableBytes { output in
            unsafe passphrase.withUnsafeBytes { passphrase in
                unsafe salt.bytes.withUnsafeBytes { salt in
                    guard let output = output.baseAddress, let salt = salt.baseAddress else { return -1 }
                    // An empty passphrase has no address, and libsodium asks for one.
                    let start = unsafe passphrase.baseAddress ?? salt
                    return unsafe crypto_pwhash(
                        output, UInt64(StorageKey.count), start.assumingMemoryBound(to: CChar.self),
                        UInt64(passphrase.count), salt, UInt64(passes), memory, crypto_pwhash_ALG_ARGON2ID13)
                }
            }
        }
        guard code == 0 else { throw .passphraseHashingFailed }
        return try StorageKey(copying: key.bytes)
    }
}
