internal import HandfastCrypto

/// Base64 with the alphabet that is safe in URLs, without padding.
///
/// - Source: RFC 4648 §5; Spec/01 §1.5.
public enum Base64URL {
    private static let alphabet = RadixAlphabet(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", bitsPerCharacter: 6)

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
