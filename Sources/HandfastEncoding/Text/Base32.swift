internal import HandfastCrypto

/// Base32 in lower case without padding.
///
/// - Source: RFC 4648 §6; Spec/01 §1.5.
public enum Base32 {
    private static let alphabet = RadixAlphabet(
        "abcdefghijklmnopqrstuvwxyz234567", bitsPerCharacter: 5)

    /// The text of `bytes`.
    public static func encode(_ bytes: RawSpan) -> String {
        alphabet.encode(bytes)
    }

    /// The text of `bytes`.
    public static func encode(_ bytes: [UInt8]) -> String {
        alphabet.encode(bytes.bytes)
    }

    /// The bytes that `text` stands for; no more of them than `text` has characters.
    /// - Throws: Each case of ``TextError``.
    public static func decode(_ text: some StringProtocol) throws(TextError) -> [UInt8] {
        try alphabet.decode(text)
    }
}
