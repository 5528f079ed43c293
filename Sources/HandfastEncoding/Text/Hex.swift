internal import HandfastCrypto

/// Hexadecimal digits in lower case.
///
/// - Source: RFC 4648 §8; Spec/01 §1.5.
public enum Hex {
    private static let alphabet = RadixAlphabet(
        "0123456789abcdef", bitsPerCharacter: 4)

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
