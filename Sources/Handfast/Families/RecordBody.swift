/// A body that this version understands, tied to its one record type.
///
/// Its properties are the text keys of the CBOR map; keys that a later version adds are ignored when read.
///
/// - Source: Spec/05 §5.3
public protocol RecordBody: Codable, Hashable, Sendable {
    /// The type of record that has this body.
    static var recordType: RecordType { get }

    /// Why the values are out of bounds; nil when they are in order.
    var fault: String? { get }
}

extension RecordBody {
    /// Reads the body of a record of this type.
    /// - Throws: ``RelationshipError/malformedBody(_:reason:)``, ``RelationshipError/bodyTooLarge(bytes:)``
    public static func decode(_ body: [UInt8]) throws(RelationshipError) -> Self {
        try RecordMeaning.decode(RecordMeaning.map(body, of: recordType))
    }
}

/// Checks on text that another party wrote and a person will read.
enum TextRule {
    /// Why `text` is refused: it is empty, longer than `maximum` bytes, or could pass for what stands around it.
    static func fault(in text: String, named name: String, maximum: Int) -> String? {
        if text.isEmpty { return "\(name) is empty" }
        if text.utf8.count > maximum { return "\(name) is longer than \(maximum) bytes" }
        if text.unicodeScalars.contains(where: isControl) { return "\(name) holds control characters" }
        return nil
    }

    /// Why `language` is not a BCP 47 tag; nil when it is one or is absent.
    static func fault(inLanguage language: String?) -> String? {
        guard let language else { return nil }
        let isTag = language.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isTag && (2...LedgerLimits.language).contains(language.utf8.count) ? nil : "language is not a BCP 47 tag"
    }

    /// Controls, line and paragraph separators, and what turns the direction of the text after it.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension Entry {
    /// The body as a value of `type`; nil if the record is of another type or its body has been erased.
    /// - Throws: ``RelationshipError/malformedBody(_:reason:)``, ``RelationshipError/bodyTooLarge(bytes:)``
    public func body<B: RecordBody>(as type: B.Type) throws(RelationshipError) -> B? {
        guard record.type == B.recordType, let body else { return nil }
        return try B.decode(body)
    }
}

extension EphemeralMessage {
    /// The body as a value of `type`; nil if the message is of another type.
    /// - Throws: ``RelationshipError/malformedBody(_:reason:)``
    public func body<B: RecordBody>(as type: B.Type) throws(RelationshipError) -> B? {
        guard self.type == B.recordType else { return nil }
        return try RecordMeaning.decode(RecordMeaning.map(body, of: self.type))
    }
}
