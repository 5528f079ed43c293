/// Why text was refused as an encoding of bytes; offsets count UTF-8 bytes from the start.
///
/// - Source: Spec/01 §1.5.
public enum TextError: Error, Equatable, Sendable {
    /// A character outside the alphabet, or a word that is not a proquint.
    case invalidCharacter(at: Int)
    /// No whole number of bytes is written with so many characters, or so many bytes cannot be written.
    case invalidLength(Int)
    /// The bits that the last character has over are not zero.
    case nonZeroTrailingBits
}

extension TextError: CustomStringConvertible {
    /// One sentence without the text itself.
    public var description: String {
        switch self {
        case .invalidCharacter(let offset): "character \(offset + 1) does not belong to the encoding"
        case .invalidLength(let length): "a length of \(length) is not possible: something is missing or too much"
        case .nonZeroTrailingBits: "the last character is not one that an encoder writes"
        }
    }
}
