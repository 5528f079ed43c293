internal import HandfastCrypto

/// The 45 header bytes of an envelope before masking.
///
/// - Source: Spec/04 §4.4
struct EnvelopeHeader {
    /// An ML-KEM ciphertext follows the header.
    static let ciphertextFollows: UInt8 = 1
    /// The step that began this chain used an ML-KEM ciphertext.
    static let chainUsedCiphertext: UInt8 = 2

    /// Where the header stands in its block, after the tag.
    private static let blockRange = 16..<61

    let flags: UInt8
    /// Number of messages in the sender's chain before this one.
    let previousLength: UInt32
    let salt: UInt64
    let ratchetKey: AgreementPublicKey

    var carriesCiphertext: Bool { flags & Self.ciphertextFollows != 0 }
    var usedCiphertext: Bool { flags & Self.chainUsedCiphertext != 0 }

    init(flags: UInt8, previousLength: UInt32, salt: UInt64, ratchetKey: AgreementPublicKey) {
        self.flags = flags
        self.previousLength = previousLength
        self.salt = salt
        self.ratchetKey = ratchetKey
    }

    /// Whether unmasking left zeros in the place of the tag, that is, whether the tag was the one of its index.
    static func hasTag(inBlock block: RawSpan) -> Bool {
        let first = unsafe block.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
        let second = unsafe block.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return first | second == 0
    }

    /// Reads an unmasked header from its block.
    ///
    /// - Throws: ``ChannelError/notAuthentic`` when the flags cannot have been sent: before the body
    ///   authenticates, a header that
    ///   makes no sense is no more than a forged one.
    init(block: RawSpan) throws(ChannelError) {
        let bytes = block.extracting(Self.blockRange)
        let flags = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt8.self)
        guard flags == 0 || flags == Self.chainUsedCiphertext || flags == 3 else { throw .notAuthentic }
        self.flags = flags
        previousLength = UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt32.self))
        salt = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 5, as: UInt64.self)
        ratchetKey = AgreementPublicKey(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 13, as: FixedBytes<32>.self))
    }

    /// Writes the block to be masked: zeros in the place of the tag, then the header.
    func write(into block: inout MutableRawSpan) {
        block.storeBytes(of: 0, toByteOffset: 0, as: UInt64.self)
        block.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        var bytes = block._mutatingExtracting(Self.blockRange)
        bytes.storeBytes(of: flags, toByteOffset: 0, as: UInt8.self)
        bytes.storeBytes(of: previousLength.bigEndian, toByteOffset: 1, as: UInt32.self)
        bytes.storeBytes(of: salt, toByteOffset: 5, as: UInt64.self)
        bytes.copy(ratchetKey.bytes, to: 13)
    }
}
