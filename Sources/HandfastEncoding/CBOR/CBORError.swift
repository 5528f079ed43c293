/// Why bytes were refused as deterministic CBOR; every offset counts bytes from the start of the input.
///
/// - Source: RFC 8949 §4.2.1, §5.3; Spec/01 §1.1.
public enum CBORError: Error, Equatable, Sendable {
    /// The item whose head is at this offset claims more bytes or items than the input holds.
    case truncated(at: Int)
    /// Bytes follow the end of the item.
    case trailingBytes(at: Int)
    /// A length, integer, tag or floating-point number is not in its shortest form.
    case nonMinimal(at: Int)
    /// A string, array or map of indefinite length, or a stray break.
    case indefiniteLength(at: Int)
    /// A map key sorts before the key that precedes it.
    case unsortedKeys(at: Int)
    /// A map key occurs twice.
    case duplicateKey(at: Int)
    /// Arrays, maps and tags nest deeper than ``CBORLimits/depth``.
    case depthExceeded(at: Int)
    /// The input, string, array or map is larger than `limit` bytes or items.
    case sizeExceeded(limit: Int, at: Int)
    /// A reserved head or a simple value outside false, true and null; `initialByte` is the item's first byte.
    case unsupported(initialByte: UInt8, at: Int)
    /// The item is of another type than the one asked for.
    case wrongType(expected: CBORType, actual: CBORType, at: Int)
    /// The tag number is another one.
    case wrongTag(expected: UInt64, actual: UInt64, at: Int)
    /// A byte string, or array, is not of the fixed size asked for, in bytes or items.
    case wrongLength(expected: Int, actual: Int, at: Int)
    /// The integer does not fit the type or bound asked for.
    case outOfRange(at: Int)
    /// A text string is not UTF-8.
    case invalidUTF8(at: Int)
    /// An integer-keyed map lacks a required key.
    case missingKey(Int, at: Int)
    /// An integer-keyed map holds a key that its type does not define.
    case unknownKey(Int, at: Int)
}

extension CBORError: CustomStringConvertible {
    /// One sentence without the input's content.
    public var description: String {
        switch self {
        case .truncated(let offset): "CBOR ends inside the item at byte \(offset)"
        case .trailingBytes(let offset): "bytes follow the CBOR item, from byte \(offset)"
        case .nonMinimal(let offset): "CBOR item at byte \(offset) is not in shortest form"
        case .indefiniteLength(let offset): "CBOR item at byte \(offset) has indefinite length"
        case .unsortedKeys(let offset): "CBOR map key at byte \(offset) is out of order"
        case .duplicateKey(let offset): "CBOR map key at byte \(offset) occurs twice"
        case .depthExceeded(let offset):
            "CBOR item at byte \(offset) nests deeper than \(CBORLimits.depth) levels"
        case .sizeExceeded(let limit, let offset): "CBOR item at byte \(offset) is larger than its limit of \(limit)"
        case .unsupported(let initialByte, let offset):
            "CBOR item at byte \(offset) starts with \(initialByte), which is not supported"
        case .wrongType(let expected, let actual, let offset):
            "CBOR item at byte \(offset) is of type \(actual), not \(expected)"
        case .wrongTag(let expected, let actual, let offset):
            "CBOR tag at byte \(offset) is \(actual), not \(expected)"
        case .wrongLength(let expected, let actual, let offset):
            "CBOR item at byte \(offset) has length \(actual), not \(expected)"
        case .outOfRange(let offset): "CBOR integer at byte \(offset) is out of range"
        case .invalidUTF8(let offset): "CBOR text at byte \(offset) is not UTF-8"
        case .missingKey(let key, let offset): "CBOR map lacks key \(key), expected at byte \(offset)"
        case .unknownKey(let key, let offset): "CBOR map holds unknown key \(key) at byte \(offset)"
        }
    }
}
