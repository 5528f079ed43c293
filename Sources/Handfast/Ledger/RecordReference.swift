public import HandfastCrypto
internal import HandfastEncoding

/// Names one record of one direction: its number and its hash.
///
/// Number 0 stands for "no record yet"; its hash is the relationship's id.
///
/// - Source: Spec/05 §5.1
public struct RecordReference: Hashable, Sendable {
    /// The sequence number, from 1; 0 before any record.
    public let sequence: UInt64
    /// The record hash, 32 bytes.
    public let hash: Digest

    /// Names the record with this number and hash.
    public init(sequence: UInt64, hash: Digest) {
        self.sequence = sequence
        self.hash = hash
    }

    /// What stands before a direction's first record.
    static func start(of relationship: RelationshipID) -> RecordReference {
        RecordReference(sequence: 0, hash: relationship.digest)
    }
}

extension RecordReference {
    init(reading reader: inout CBORReader) throws(CBORError) {
        try reader.readArrayHeader(count: 2)
        sequence = try reader.readUnsigned()
        hash = try Digest(reading: &reader)
    }

    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(2)
        writer.writeUnsigned(sequence)
        writer.writeBytes(hash.bytes)
    }
}

extension Digest {
    init(reading reader: inout CBORReader) throws(CBORError) {
        self.init(try reader.readFixedBytes())
    }
}
