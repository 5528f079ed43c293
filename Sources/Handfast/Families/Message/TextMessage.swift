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
