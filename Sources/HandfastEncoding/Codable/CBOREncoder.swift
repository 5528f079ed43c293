/// Encodes `Encodable` types as deterministic CBOR: maps with text keys, integers, texts, arrays.
///
/// Nil properties are left out, `[UInt8]` and fixed-size bytes are byte strings, `Float` and `Double` take their
/// shortest form. Containers nest at most ``CBORLimits/depth`` deep.
///
/// - Source: RFC 8949 §4.2.1; Spec/01 §1.1.
public struct CBOREncoder: Sendable {
    /// An encoder; it has no options, for a value has one encoding.
    public init() {}

    /// The encoding of `value`.
    /// - Throws: `EncodingError`, with the coding path, for a value that CBOR cannot hold; ``CBORError``.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
        try encodeTree(value).encoded()
    }

    /// The item that ``encode(_:)`` encodes.
    /// - Throws: As ``encode(_:)``.
    public func encodeTree(_ value: some Encodable) throws -> CBORValue {
        try EncodingNode(of: value, codingPath: []).tree()
    }
}
