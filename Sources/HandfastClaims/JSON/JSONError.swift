/// Why bytes were refused as JSON; every offset counts bytes from the start of the input.
/// - Source: RFC 8259
public enum JSONError: Error, Equatable, Sendable {
    /// The text is larger than this many bytes.
    case sizeExceeded(limit: Int)
    /// The text ends inside a value.
    case truncated
    /// Something follows the value.
    case trailingBytes(at: Int)
    /// A character that may not be at its place.
    case unexpectedCharacter(at: Int)
    /// The text is not UTF-8, or an escaped surrogate lacks its other half.
    case invalidText(at: Int)
    /// An object has two members of one name; the offset is where the object begins.
    case duplicateName(at: Int)
    /// Arrays and objects nest deeper than 16 levels.
    case depthExceeded(at: Int)
    /// A number is an integer beyond 64 bits, or greater than any double.
    case numberOutOfRange(at: Int)
    /// The item has no form in JSON: bytes, tags, names that are not text, numbers that are not finite.
    case notRepresentable
}

extension JSONError: CustomStringConvertible {
    /// One sentence without the input's content.
    public var description: String {
        switch self {
        case .sizeExceeded(let limit): "the JSON text is larger than its limit of \(limit) bytes"
        case .truncated: "the JSON text ends inside a value"
        case .trailingBytes(let offset): "bytes follow the JSON value, from byte \(offset)"
        case .unexpectedCharacter(let offset): "the JSON text has a wrong character at byte \(offset)"
        case .invalidText(let offset): "the JSON text is not Unicode at byte \(offset)"
        case .duplicateName(let offset): "the JSON object at byte \(offset) has a name twice"
        case .depthExceeded(let offset): "the JSON value at byte \(offset) nests deeper than 16 levels"
        case .numberOutOfRange(let offset): "the JSON number at byte \(offset) is out of range"
        case .notRepresentable: "a value has no form in JSON"
        }
    }
}
