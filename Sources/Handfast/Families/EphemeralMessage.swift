internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Something said under the channel's authentication alone: not signed, not in the ledger, provable to nobody.
///
/// - Source: Spec/05 §5.4
public struct EphemeralMessage: Hashable, Sendable {
    /// What kind of message it is.
    public let type: RecordType
    /// The matter that it belongs to.
    public let thread: ThreadID?
    /// A CBOR map with text keys, at most ``LedgerLimits/body`` bytes.
    public let body: [UInt8]

    /// A message with this body.
    /// - Throws: ``RelationshipError/malformedBody(_:reason:)`` unless the body is a map with text keys,
    ///   ``RelationshipError/bodyTooLarge(bytes:)``
    public init(_ type: RecordType, _ body: some Encodable, thread: ThreadID? = nil) throws(RelationshipError) {
        self.type = type
        self.thread = thread
        self.body = try RecordMeaning.encode(body, as: type)
        do {
            // The message is one more level around its body, so that the peer reads a level less of it.
            _ = try EphemeralMessage(decoding: encoded().bytes)
        } catch {
            throw .malformedBody(type, reason: error.description)
        }
    }

    /// Reads the content of an envelope of kind 2.
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/malformedType(_:)``,
    ///   ``RelationshipError/malformedBody(_:reason:)``, ``RelationshipError/bodyTooLarge(bytes:)``
    public init(decoding content: RawSpan) throws(RelationshipError) {
        self = try RelationshipError.decoding("ephemeral message", content, maximum: LedgerLimits.content) { reader in
            try EphemeralMessage(reading: &reader)
        }
    }

    private init(reading reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 3)
        try map.requireKey(1, &reader)
        type = try RecordType(reader.readText(maximum: LedgerLimits.type))
        thread = try map.hasKey(2, &reader) ? ThreadID(reader.readFixedBytes()) : nil
        try map.requireKey(3, &reader)
        body = [UInt8](try reader.readEncodedItem())
        if type != .textMessage || TextMessage(plain: body) == nil { _ = try RecordMeaning.map(body, of: type) }
        try map.finish(&reader)
    }

    /// The content of an envelope of kind 2, at most ``LedgerLimits/content`` bytes.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: body.count + 96)
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeText(type.text)
            if let thread {
                writer.writeKey(2)
                writer.writeBytes(thread.bytes.bytes)
            }
            writer.writeKey(3)
            writer.writeEncoded(body)
        }
        return writer.bytes
    }
}
