/// Bounds on everything in a ledger, enforced when it is written and before anything read is allocated.
///
/// - Source: Spec/05 §5.7
public enum LedgerLimits {
    /// The encoded body of a record, in bytes.
    public static let body = 61_440
    /// A signed record without its body, in bytes.
    public static let record = 1_024
    /// The payload of a signed record, in bytes.
    public static let payload = 512
    /// An entry: record, salt, body and their heads, in bytes.
    public static let entry = 62_496
    /// A record type such as `message/text`, in ASCII characters.
    public static let type = 64
    /// The entries in one envelope.
    public static let entriesPerEnvelope = 64
    /// The content of one envelope, in bytes.
    public static let content = 63_261
    /// The records under one signature.
    public static let batch = 32_768
    /// The entries that `hello` and `welcome` each carry.
    public static let firstEntries = 16
    /// The name that a party gives itself, in bytes of UTF-8.
    public static let name = 256
    /// A URL in an introduction, in bytes of UTF-8.
    public static let url = 2_048
    /// The reason given for an end, in bytes of UTF-8.
    public static let reason = 1_024
    /// A BCP 47 language tag, in characters.
    public static let language = 35
    /// The name of an attachment, in bytes of UTF-8.
    public static let fileName = 255
    /// The media type of an attachment, in characters.
    public static let mediaType = 127
    /// The content of an attachment, in bytes.
    public static let attachment: UInt64 = 1 << 40
    /// The content of one chunk of an attachment, in bytes; all but the last have the same.
    public static let chunk = 256...60_416
    /// The chunks of an attachment that its receiver asks for ahead.
    public static let chunksAhead: UInt64 = 64
    /// The reply addresses of one side.
    public static let addresses = 4
    /// The stored form of a relationship, in bytes: two logs of 64 key events each at the utmost.
    public static let relationship = 1 << 19
    /// An exported ledger, in bytes.
    public static let export = 1 << 30
}
