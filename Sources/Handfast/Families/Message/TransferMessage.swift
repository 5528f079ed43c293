internal import HandfastCrypto

/// What two nodes say to each other while an attachment travels: ephemeral messages of the family `message`.
///
/// `record` is the number of the `message/attachment` record in its sender's direction. Who receives the file asks;
/// nothing comes unasked.
///
/// - Source: Spec/09 §9.4
public enum TransferMessage: Hashable, Sendable {
    /// `attachment-want`: everything below `from` is here; send from there on, below `until`. A `round` that differs
    /// from the one before starts again at `from`, the same one only asks for more.
    case want(record: UInt64, round: UInt32, from: UInt64, until: UInt64)
    /// `attachment-have`: the whole file is here, durably.
    case have(record: UInt64)
    /// `attachment-decline`: it is not wanted, or not any more.
    case decline(record: UInt64)
    /// `attachment-chunk`: a sealed chunk, sent because of the want of this round.
    case chunk(record: UInt64, round: UInt32, number: UInt64, sealed: [UInt8])
    /// `attachment-offer`: it is still to be had; ask again.
    case offer(record: UInt64)
    /// `attachment-gone`: it is not to be had any more.
    case gone(record: UInt64)

    private enum Name: String {
        case want = "message/attachment-want"
        case have = "message/attachment-have"
        case decline = "message/attachment-decline"
        case chunk = "message/attachment-chunk"
        case offer = "message/attachment-offer"
        case gone = "message/attachment-gone"
    }

    private struct Reference: Codable {
        var record: UInt64
    }

    private struct Want: Codable {
        var record: UInt64
        var round: UInt32
        var from: UInt64
        var until: UInt64
    }

    private struct Chunk: Codable {
        var record: UInt64
        var round: UInt32
        var chunk: UInt64
        var data: [UInt8]
    }

    /// Reads a message; nil when it is none of these.
    /// - Throws: ``RelationshipError/malformedBody(_:reason:)``
    public init?(_ message: EphemeralMessage) throws(RelationshipError) {
        guard let name = Name(rawValue: message.type.text) else { return nil }
        func read<T: Decodable>(_ type: T.Type) throws(RelationshipError) -> T {
            try RecordMeaning.decode(type, from: message.body, of: message.type)
        }
        switch name {
        case .want:
            let body = try read(Want.self)
            guard body.from < body.until, body.until - body.from <= LedgerLimits.chunksAhead else {
                throw .malformedBody(message.type, reason: "it asks for no chunk, or for more than may be asked for")
            }
            self = .want(record: body.record, round: body.round, from: body.from, until: body.until)
        case .chunk:
            let body = try read(Chunk.self)
            self = .chunk(record: body.record, round: body.round, number: body.chunk, sealed: body.data)
        case .have: self = .have(record: try read(Reference.self).record)
        case .decline: self = .decline(record: try read(Reference.self).record)
        case .offer: self = .offer(record: try read(Reference.self).record)
        case .gone: self = .gone(record: try read(Reference.self).record)
        }
    }

    /// The message to seal.
    /// - Throws: ``RelationshipError/bodyTooLarge(bytes:)`` for a chunk that is none.
    public func message() throws(RelationshipError) -> EphemeralMessage {
        switch self {
        case .want(let record, let round, let from, let until):
            try Self.make(.want, Want(record: record, round: round, from: from, until: until))
        case .chunk(let record, let round, let number, let sealed):
            try Self.make(.chunk, Chunk(record: record, round: round, chunk: number, data: sealed))
        case .have(let record): try Self.make(.have, Reference(record: record))
        case .decline(let record): try Self.make(.decline, Reference(record: record))
        case .offer(let record): try Self.make(.offer, Reference(record: record))
        case .gone(let record): try Self.make(.gone, Reference(record: record))
        }
    }

    private static func make(_ name: Name, _ body: some Encodable) throws(RelationshipError) -> EphemeralMessage {
        try EphemeralMessage(RecordType(name.rawValue), body)
    }
}
