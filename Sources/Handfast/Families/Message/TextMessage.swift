internal import HandfastEncoding

/// `message/text`: words for a person.
///
/// - Source: Spec/05 §5.3
public struct TextMessage: RecordBody {
    /// The words, as long as the body may be; line breaks and tabs are allowed.
    public var text: String
    /// The language as a BCP 47 tag of 2 to 35 characters.
    public var language: String?

    /// A message of these words.
    public init(text: String, language: String? = nil) {
        self.text = text
        self.language = language
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .textMessage }

    /// Why the language is not a tag; nil when it is one or is absent.
    public var fault: String? {
        TextRule.fault(inLanguage: language)
    }
}

extension TextMessage {
    /// Reads a body that is in order and has nothing but words and language, as nearly every message's; nil for any
    /// other, of which ``RecordBody/decode(_:)`` tells what it is.
    init?(plain body: [UInt8]) {
        guard body.count <= LedgerLimits.body else { return nil }
        do {
            var reader = CBORReader(body.bytes)
            let count = try reader.readMapHeader(maximum: 2)
            guard count > 0, try reader.readText(maximum: 8) == "text" else { return nil }
            text = try reader.readText(maximum: body.count)
            if count == 2 {
                guard try reader.readText(maximum: 8) == "language" else { return nil }
                language = try reader.readText(maximum: LedgerLimits.language)
            }
            try reader.finish()
        } catch {
            return nil
        }
        guard fault == nil else { return nil }
    }
}
