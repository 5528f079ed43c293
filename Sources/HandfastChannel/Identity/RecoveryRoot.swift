public import HandfastCrypto
internal import HandfastEncoding

/// The secret from which next keys derive, kept on paper and never in a vault.
///
/// - Source: Spec/02 §2.4
public struct RecoveryRoot: ~Copyable, Sendable {
    /// The bytes of the root.
    public static let count = 32
    /// The bytes of its name.
    public static let nameCount = 16
    private static let checksumCount = 4

    private let secret: SecretBytes

    /// Takes 32 bytes.
    ///
    /// - Throws: ``ChannelError/malformed(_:)`` for another number.
    public init(copying bytes: RawSpan) throws(ChannelError) {
        guard bytes.byteCount == Self.count else { throw .malformed("recovery root: 32 bytes expected") }
        secret = SecretBytes(copying: bytes)
    }

    /// A new random root.
    public static func random(using random: inout some RandomNumberGenerator) -> RecoveryRoot {
        RecoveryRoot(secret: SecretBytes(random: count, using: &random))
    }

    private init(secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// Reads the words; spaces, line ends and capitals do not matter.
    ///
    /// - Throws: ``ChannelError/malformed(_:)`` for what is no such words, or words that were copied wrongly.
    public init(words: String) throws(ChannelError) {
        let text = words.lowercased().split { $0 == "-" || $0.isWhitespace }.joined(separator: "-")
        guard let bytes = try? Proquint.decode(text), bytes.count == Self.count + Self.checksumCount else {
            throw .malformed("recovery words: 18 words of five letters expected")
        }
        let secret = SecretBytes(copying: bytes.bytes.extracting(0..<Self.count))
        guard Self.checksum(of: secret) == Array(bytes[Self.count...]) else {
            throw .malformed("recovery words: one of them is wrong, or two have changed places")
        }
        self.init(secret: secret)
    }

    /// The root and four bytes of checksum as 18 words, joined by hyphens.
    public var words: String {
        let bytes = [UInt8](secret.bytes) + Self.checksum(of: secret)
        // The number of bytes is even, which is all that words ask for.
        return (try? Proquint.encode(bytes)) ?? ""
    }

    private static func checksum(of secret: borrowing SecretBytes) -> [UInt8] {
        var hash = LabelledHash(.recoverySum)
        hash.absorb(secret.bytes)
        return Array(hash.digest().array.prefix(checksumCount))
    }

    /// What a vault keeps of the root, by which other words are found out: 16 bytes.
    public var name: FixedBytes<16> {
        let hash = LabelledHash(.recoveryName, key: secret)
        let digest = hash.digest().array
        return FixedBytes(digest.bytes, at: 0)
    }

    /// The next key that a salt stands for.
    public func nextKey(_ salt: FixedBytes<16>) throws(ChannelError) -> SigningKey {
        var hash = LabelledHash(.recoveryKey, key: secret)
        hash.absorb(salt.bytes)
        do {
            return try SigningKey(seed: hash.secret())
        } catch {
            throw .cryptography(error, of: "recovery key")
        }
    }

    /// A promise of a next key of its own.
    public func promise(using random: inout some RandomNumberGenerator) throws(ChannelError) -> PromisedKey {
        try promise(of: FixedBytes<16>(random: &random))
    }

    /// The promise of the key that a salt stands for.
    public func promise(of salt: FixedBytes<16>) throws(ChannelError) -> PromisedKey {
        PromisedKey(salt: salt, commitment: KeyEvent.commitment(to: try nextKey(salt).publicKey))
    }
}
