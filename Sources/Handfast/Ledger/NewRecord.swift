internal import HandfastEncoding

/// What a record is to say, before it has a place in a ledger.
///
/// - Source: Spec/05 §5.1
public struct NewRecord: Hashable, Sendable {
    /// The record type; of the family `relationship` only ``RecordType/introduce``.
    public let type: RecordType
    /// A CBOR map with text keys, at most ``LedgerLimits/body`` bytes.
    public let body: [UInt8]
    /// The matter that the record belongs to.
    public let thread: ThreadID?
    /// What the body says, read once however often it is said.
    let meaning: RecordMeaning

    /// A record with a body of any `Codable` type.
    /// - Throws: ``RelationshipError/reservedType(_:)``, ``RelationshipError/malformedBody(_:reason:)``,
    ///   ``RelationshipError/bodyTooLarge(bytes:)``
    public init(_ type: RecordType, _ body: some Encodable, thread: ThreadID? = nil) throws(RelationshipError) {
        guard !type.isPermanent || type == .introduce else { throw .reservedType(type) }
        try self.init(checking: type, body, thread: thread)
    }

    /// A record of a type that has a method of its own.
    init(reserved type: RecordType, _ body: some RecordBody) throws(RelationshipError) {
        try self.init(checking: type, body, thread: nil)
    }

    private init(checking type: RecordType, _ body: some Encodable, thread: ThreadID?) throws(RelationshipError) {
        self.type = type
        self.body = try RecordMeaning.encode(body, as: type)
        self.thread = thread
        meaning = try RecordMeaning(of: type, body: self.body)
    }

    /// A record with a body of one of the types that this version knows.
    /// - Throws: as ``init(_:_:thread:)``
    public init(_ body: some RecordBody, thread: ThreadID? = nil) throws(RelationshipError) {
        try self.init(Swift.type(of: body).recordType, body, thread: thread)
    }
}
