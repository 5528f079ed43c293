public import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// A relationship's whole ledger in one file that proves itself, with nothing else at hand.
///
/// What a verified export proves: these two identities exchanged these records in this order, and the signer of the
/// bundle vouched for the inviter's. An invitee without a record is only claimed. It does not prove the times, nor that
/// nothing followed.
///
/// - Source: Spec/05 §5.6
public struct LedgerExport: Hashable, Sendable {
    /// The relationship.
    public let relationship: RelationshipID
    /// The side that wrote the export, by its own word.
    public let role: SenderRole
    /// The handshake that bound the two identities to the relationship.
    public let proof: HandshakeProof
    /// The invitee's records, all from the first on.
    public let inviteeEntries: [Entry]
    /// The inviter's records, all from the first on.
    public let inviterEntries: [Entry]

    private static let version: UInt64 = 1

    /// Joins what a vault holds of a relationship, without the bodies of moves; ``verify()`` tells whether it is whole.
    public init(
        relationship: RelationshipID, role: SenderRole, proof: HandshakeProof, inviteeEntries: [Entry],
        inviterEntries: [Entry]
    ) {
        self.relationship = relationship
        self.role = role
        self.proof = proof
        self.inviteeEntries = inviteeEntries.map(Self.shown)
        self.inviterEntries = inviterEntries.map(Self.shown)
    }

    /// Who reads an export must not learn how to send to its parties.
    private static func shown(_ entry: Entry) -> Entry {
        entry.record.type == .move ? entry.withoutBody : entry
    }

    /// One direction's records.
    public func entries(of direction: SenderRole) -> [Entry] {
        direction == .invitee ? inviteeEntries : inviterEntries
    }
}

// MARK: - File form

extension LedgerExport {
    /// Reads the form that ``encoded()`` writes, at most ``LedgerLimits/export`` bytes.
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/malformedPart(_:_:)``,
    ///   ``RelationshipError/malformedRecord(_:)``, ``RelationshipError/malformedType(_:)``,
    ///   ``RelationshipError/unsupportedVersion(_:)``
    public init(decoding bytes: RawSpan) throws(RelationshipError) {
        self = try RelationshipError.decoding("ledger export", bytes, maximum: LedgerLimits.export) { reader in
            try LedgerExport(reading: &reader)
        }
    }

    private init(reading reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 6)
        try map.requireKey(1, &reader)
        let version = try reader.readUnsigned()
        guard version == Self.version else { throw RelationshipError.unsupportedVersion(version) }
        try map.requireKey(2, &reader)
        relationship = RelationshipID(try Digest(reading: &reader))
        try map.requireKey(3, &reader)
        role = try reader.readUnsigned(maximum: 1) == 0 ? .invitee : .inviter
        try map.requireKey(4, &reader)
        proof = try HandshakeProof(reading: &reader)
        try map.requireKey(5, &reader)
        inviteeEntries = try Self.readEntries(&reader)
        try map.requireKey(6, &reader)
        inviterEntries = try Self.readEntries(&reader)
        try map.finish(&reader)
    }

    private static func readEntries(_ reader: inout CBORReader) throws -> [Entry] {
        // Grown by what is there: a head may claim as many items as the input has bytes.
        var entries: [Entry] = []
        for _ in 0..<(try reader.readArrayHeader()) { entries.append(try Entry(reading: &reader)) }
        return entries
    }

    /// The file form: deterministic CBOR, so that equal ledgers give equal files.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 16_384 + 512 * (inviteeEntries.count + inviterEntries.count))
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeUnsigned(Self.version)
            writer.writeKey(2)
            writer.writeBytes(relationship.digest.bytes)
            writer.writeKey(3)
            writer.writeUnsigned(UInt64(role.rawValue))
            writer.writeKey(4)
            proof.write(to: &writer)
            writer.writeKey(5)
            Self.write(inviteeEntries, to: &writer)
            writer.writeKey(6)
            Self.write(inviterEntries, to: &writer)
        }
        return writer.bytes
    }

    private static func write(_ entries: [Entry], to writer: inout CBORWriter) {
        writer.writeArrayHeader(entries.count)
        for entry in entries { entry.write(to: &writer) }
    }
}
