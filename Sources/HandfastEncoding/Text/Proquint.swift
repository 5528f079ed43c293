internal import HandfastCrypto

/// Words that can be read aloud: each 16 bits are five letters, consonants and vowels in turn, joined by hyphens.
///
/// - Source: arXiv 0901.4016; Spec/01 §1.5.
public enum Proquint {
    private static let consonants = Array("bdfghjklmnprstvz".utf8)
    private static let vowels = Array("aiou".utf8)
    private static let letterCount = 5

    /// The words of `bytes`, joined by hyphens.
    /// - Throws: ``TextError/invalidLength(_:)`` if the number of bytes is odd.
    public static func encode(_ bytes: RawSpan) throws(TextError) -> String {
        guard bytes.byteCount.isMultiple(of: 2) else { throw .invalidLength(bytes.byteCount) }
        let words = stride(from: 0, to: bytes.byteCount, by: 2).map { offset in
            // The load checks its bounds; every bit pattern is a valid integer.
            word(UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        }
        return words.joined(separator: "-")
    }

    /// The words of `bytes`, joined by hyphens.
    /// - Throws: ``TextError/invalidLength(_:)`` if the number of bytes is odd.
    public static func encode(_ bytes: [UInt8]) throws(TextError) -> String {
        try encode(bytes.bytes)
    }

    /// The bytes that `text` stands for, two for each word.
    /// - Throws: ``TextError/invalidCharacter(at:)``, ``TextError/invalidLength(_:)``.
    public static func decode(_ text: some StringProtocol) throws(TextError) -> [UInt8] {
        let letters = Array(text.utf8)
        guard !letters.isEmpty else { return [] }
        guard (letters.count + 1).isMultiple(of: letterCount + 1) else { throw .invalidLength(letters.count) }
        var bytes: [UInt8] = []
        var value: UInt16 = 0
        for (offset, letter) in letters.enumerated() {
            switch offset % (letterCount + 1) {
            case 0, 2, 4:
                guard let index = consonants.firstIndex(of: letter) else { throw .invalidCharacter(at: offset) }
                value = value << 4 | UInt16(index)
            case 1, 3:
                guard let index = vowels.firstIndex(of: letter) else { throw .invalidCharacter(at: offset) }
                value = value << 2 | UInt16(index)
            default:
                guard letter == UInt8(ascii: "-") else { throw .invalidCharacter(at: offset) }
            }
            if offset % (letterCount + 1) == letterCount - 1 {
                bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
            }
        }
        return bytes
    }

    private static func word(_ value: UInt16) -> String {
        let letters = [
            consonants[Int(value >> 12)], vowels[Int(value >> 10 & 3)], consonants[Int(value >> 6 & 15)],
            vowels[Int(value >> 4 & 3)], consonants[Int(value & 15)],
        ]
        return String(decoding: letters, as: UTF8.self)
    }
}
