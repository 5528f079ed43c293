/// `relationship/introduce`: the name that a party gives itself; nobody vouches for it.
///
/// - Source: Spec/05 §5.3
public struct Introduction: RecordBody {
    /// The name, 1 to 256 bytes of UTF-8 without control characters.
    public var name: String
    /// A page about the party, at most 2,048 bytes.
    public var url: String?

    /// An introduction under this name.
    public init(name: String, url: String? = nil) {
        self.name = name
        self.url = url
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .introduce }

    /// Why name or URL is out of bounds.
    public var fault: String? {
        TextRule.fault(in: name, named: "name", maximum: LedgerLimits.name)
            ?? url.flatMap { TextRule.fault(in: $0, named: "url", maximum: LedgerLimits.url) }
    }
}
