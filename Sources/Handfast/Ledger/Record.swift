public import HandfastCrypto
internal import HandfastEncoding

/// What a party signs: one step of its direction of the ledger, without the body itself.
///
/// - Source: Spec/05 §5.1
public struct Record: Hashable, Sendable {
    /// The relationship in which this was said; it counts in no other.
    public let relationship: RelationshipID
    /// The side that said it.
    public let direction: SenderRole
    /// The number in its direction, from 1 without gaps.
    public let sequence: UInt64
    /// The hash of the record before in this direction, or the relationship's id for the first.
    public let previous: Digest
    /// The latest record of the other side when this was signed.
    public let lastSeen: RecordReference
    /// When it was signed, by the signer's clock, which nobody vouches for.
    public let time: Timestamp
    /// What kind of record it is.
    public let type: RecordType
    /// The matter that it belongs to.
    public let thread: ThreadID?
    /// `H("body", salt, body)`, 32 bytes.
    public let bodyDigest: Digest

    /// The `typ` of a signed record.
    static let mediaType = "handfast-record+cose"

    /// The protected header of every record, encoded.
    static let protectedHeader = COSESign1.protectedHeader(type: mediaType)

    /// The same, to be recognised.
    static let header = COSESign1.Header(type: mediaType)

    /// The digest that stands for a body in the signed record.
    static func digest(ofBody body: [UInt8], salt: [UInt8]) -> Digest {
        Digest.of(.body, salt, body)
    }
}

extension Record {
    /// Reads a signed record's payload.
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/malformedType(_:)``
    init(payload: [UInt8]) throws(RelationshipError) {
        self = try RelationshipError.decoding("record", payload.bytes, maximum: LedgerLimits.payload) { reader in
            try Record(reading: &reader)
        }
    }

    private init(reading reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 9)
        try map.requireKey(1, &reader)
        relationship = RelationshipID(try Digest(reading: &reader))
        try map.requireKey(2, &reader)
        direction = try reader.readUnsigned(maximum: 1) == 0 ? .invitee : .inviter
        try map.requireKey(3, &reader)
        sequence = try reader.readUnsigned()
        try map.requireKey(4, &reader)
        previous = try Digest(reading: &reader)
        try map.requireKey(5, &reader)
        lastSeen = try RecordReference(reading: &reader)
        try map.requireKey(6, &reader)
        time = Timestamp(seconds: try reader.readUnsigned())
        try map.requireKey(7, &reader)
        type = try RecordType(reader.readText(maximum: LedgerLimits.type))
        thread = try map.hasKey(8, &reader) ? ThreadID(reader.readFixedBytes()) : nil
        try map.requireKey(9, &reader)
        bodyDigest = try Digest(reading: &reader)
        try map.finish(&reader)
    }

    /// The payload that is signed.
    func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 256)
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(relationship.digest.bytes)
            writer.writeKey(2)
            writer.writeUnsigned(UInt64(direction.rawValue))
            writer.writeKey(3)
            writer.writeUnsigned(sequence)
            writer.writeKey(4)
            writer.writeBytes(previous.bytes)
            writer.writeKey(5)
            lastSeen.write(to: &writer)
            writer.writeKey(6)
            writer.writeUnsigned(time.seconds)
            writer.writeKey(7)
            writer.writeText(type.text)
            if let thread {
                writer.writeKey(8)
                writer.writeBytes(thread.bytes.bytes)
            }
            writer.writeKey(9)
            writer.writeBytes(bodyDigest.bytes)
        }
        return writer.bytes
    }
}
