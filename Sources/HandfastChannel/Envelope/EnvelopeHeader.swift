internal import HandfastCrypto

/// The 45 header bytes of an envelope before masking.
///
/// - Source: Spec/04 §4.4
struct EnvelopeHeader {
    /// An ML-KEM ciphertext follows the header.
    static let ciphertextFollows: UInt8 = 1
    /// The step that began this chain used an ML-KEM ciphertext.
    static let chainUsedCiphertext: UInt8 = 2

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

    /// Reads an unmasked header.
    ///
    /// - Throws: ``ChannelError/notAuthentic`` when the flags or the key cannot have been sent: before the body
    ///   authenticates, a header that
    ///   makes no sense is no more than a forged one.
    init(_ bytes: RawSpan) throws(ChannelError) {
        let flags = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt8.self)
        guard flags == 0 || flags == Self.chainUsedCiphertext || flags == 3 else { throw .notAuthentic }
        self.flags = flags
        previousLength = UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt32.self))
        salt = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 5, as: UInt64.self)
        do {
            ratchetKey = try AgreementPublicKey(bytes.extracting(13..<45))
        } catch {
            throw .notAuthentic
        }
    }

    func write(into bytes: inout MutableRawSpan) {
        bytes.storeBytes(of: flags, toByteOffset: 0, as: UInt8.self)
        bytes.storeBytes(of: previousLength.bigEndian, toByteOffset: 1, as: UInt32.self)
        bytes.storeBytes(of: salt, toByteOffset: 5, as: UInt64.self)
        bytes.copy(ratchetKey.bytes, to: 13)
    }
}
