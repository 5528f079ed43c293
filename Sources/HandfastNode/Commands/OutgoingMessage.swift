internal import Handfast
internal import HandfastEncoding

/// One message to send: a record of the ledger, or an ephemeral message.
public struct OutgoingMessage: Codable, Hashable, Sendable {
    /// Its type, `family/name`, at most 64 characters.
    public var type: String
    /// Its body, a deterministic CBOR map with text keys of at most 61,440 bytes.
    public var body: [UInt8]
    /// The thread that it belongs to, 16 bytes.
    public var thread: [UInt8]?
    /// Whether it is sent without signature and kept by nobody.
    public var isEphemeral: Bool

    /// A message with a body that is encoded already.
    public init(type: String, encodedBody: [UInt8], thread: [UInt8]? = nil, isEphemeral: Bool = false) {
        self.type = type
        self.body = encodedBody
        self.thread = thread
        self.isEphemeral = isEphemeral
    }

    /// A message with a body of a `Codable` type.
    ///
    /// - Throws: ``NodeError/badData(_:)`` for a body that has no deterministic CBOR form.
    public init(
        type: String, body: some Encodable, thread: [UInt8]? = nil, isEphemeral: Bool = false
    ) throws(NodeError) {
        let encoded: [UInt8]
        do {
            encoded = try CBOREncoder().encode(body)
        } catch {
            throw .badData("the body of a \(type) cannot be encoded: \(error)")
        }
        self.init(type: type, encodedBody: encoded, thread: thread, isEphemeral: isEphemeral)
    }

    /// A `message/text`.
    ///
    /// - Parameter language: a BCP 47 tag.
    public static func text(_ text: String, language: String? = nil) throws(NodeError) -> OutgoingMessage {
        try OutgoingMessage(type: "message/text", body: TextMessage(text: text, language: language))
    }
}
