internal import HandfastCrypto
package import HandfastEncoding

/// The value of an attribute of an anonymous credential.
///
/// - Source: Spec/11 §11.3
public enum AnonymousValue: Hashable, Sendable {
    /// The longest text or byte string, in bytes.
    public static let maximumCount = 256

    /// A whole number.
    case integer(Int64)
    /// A text of at most 256 bytes of UTF-8; texts are equal just when their bytes are.
    case text(String)
    /// A byte string of at most 256 bytes.
    case bytes([UInt8])

    /// Refuses what is too long.
    func requireBounds() throws(AnonymousClaimError) {
        let count =
            switch self {
            case .integer: 0
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        guard count <= Self.maximumCount else {
            throw .invalidValue("it has \(count) bytes, at most \(Self.maximumCount) are permitted")
        }
    }

    /// The value as a CBOR item.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives.
    /// - Throws: ``AnonymousClaimError/encoding(_:of:)``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("value", bytes, maximum: Self.maximumCount + 9) { reader in
            try Self.read(from: &reader)
        }
    }

    /// The scalar that stands for the value: different ones for different values, unless SHA-512 gives way.
    var scalar: RistrettoScalar {
        var transcript = AnonymousTranscript()
        transcript.absorb(encoded())
        return transcript.scalar(.anonymousValue)
    }

    func write(to writer: inout CBORWriter) {
        switch self {
        case .integer(let number): writer.writeInteger(number)
        case .text(let text): writer.writeText(text)
        case .bytes(let bytes): writer.writeBytes(bytes)
        }
    }

    /// Reads the next item as a value.
    package static func read(from reader: inout CBORReader) throws(CBORError) -> AnonymousValue {
        let type = try reader.peekType()
        switch type {
        case .integer: return .integer(try reader.readInteger())
        case .text: return .text(try reader.readText(maximum: maximumCount))
        case .bytes: return .bytes(try reader.readByteArray(maximum: maximumCount))
        default: throw .wrongType(expected: .text, actual: type, at: reader.offset)
        }
    }
}
