/// Offsets and sizes of an envelope, in bytes.
///
/// `version ‖ tag ‖ masked header ‖ [masked ciphertext] ‖ AEAD ciphertext ‖ AEAD tag`
///
/// - Source: Spec/04 §4.4, §4.5
enum EnvelopeLayout {
    static let version: UInt8 = 1
    static let tagRange = 1..<17
    static let headerRange = 17..<62
    /// The block that is masked as one: tag and header, and three bytes of what follows, which are not part of it.
    static let headerBlockRange = 1..<65
    static let afterHeader = 62
    static let ciphertextByteCount = 1088
    static let authenticationTagByteCount = 16
    static let bodyPrefixByteCount = 3
    static let offerByteCount = 1184
    static let offerBit: UInt8 = 0x80

    /// Padded size of ML-KEM ciphertext and body together, at most.
    static let maximumPaddedByteCount = 65_536
    static let minimumByteCount = afterHeader + Padding.minimumByteCount + authenticationTagByteCount
    static let minimumByteCountWithCiphertext =
        afterHeader + ciphertextByteCount + bodyPrefixByteCount + authenticationTagByteCount
    static let maximumByteCount = afterHeader + maximumPaddedByteCount + authenticationTagByteCount
    static let maximumContentByteCount =
        maximumPaddedByteCount - bodyPrefixByteCount - offerByteCount - ciphertextByteCount
}
