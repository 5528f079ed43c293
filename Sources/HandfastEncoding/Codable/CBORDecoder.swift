internal import HandfastCrypto

/// Decodes `Decodable` types from deterministic CBOR, as ``CBOREncoder`` writes it.
///
/// Numbers do not change type: an integer is refused where a `Double` is asked for, and the reverse. Map keys that the
/// type does not ask for are ignored, so that a later version may add some.
///
/// - Source: RFC 8949 §4.2.1; Spec/01 §1.1.
public struct CBORDecoder: Sendable {
    /// The bounds on the input.
    public var limits: CBORLimits

    /// A decoder with bounds on its input.
    public init(limits: CBORLimits = .standard) {
        self.limits = limits
    }

    /// The value whose encoding is all of `bytes`.
    /// - Throws: ``CBORError`` if the bytes are not deterministic CBOR; `DecodingError`, with the coding path, if they
    ///   are another value than `type` asks for.
    public func decode<T: Decodable>(_ type: T.Type, from bytes: RawSpan) throws -> T {
        try decode(type, from: CBORValue(decoding: bytes, limits: limits))
    }

    /// The value whose encoding is all of `bytes`.
    /// - Throws: As ``decode(_:from:)-(_,RawSpan)``.
    public func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try decode(type, from: bytes.bytes)
    }

    /// The value that an item stands for.
    /// - Throws: `DecodingError`, with the coding path.
    public func decode<T: Decodable>(_ type: T.Type, from item: CBORValue) throws -> T {
        try TreeDecoder(item: item, codingPath: []).decode(type)
    }
}
