public import HandfastCrypto
public import HandfastEncoding

/// A signed record and, until it is erased, the body that it stands for.
///
/// Reading an entry checks its form only; ``Relationship`` and ``LedgerExport`` check what it claims.
///
/// - Source: Spec/05 §5.2
public struct Entry: Hashable, Sendable {
    /// The record with its signature, at most ``LedgerLimits/record`` bytes encoded.
    public let signed: COSESign1
    /// What was signed.
    public let record: Record
    /// `H("record", protected header, payload)`, the record's name in the ledger.
    public let hash: Digest
    /// The 16 bytes that keep an erased body from being guessed; nil once erased.
    public let salt: [UInt8]?
    /// The body, a CBOR map of at most ``LedgerLimits/body`` bytes; nil once erased.
    public let body: [UInt8]?

    /// The number of bytes in a salt.
    static let saltCount = 16

    init(signed: COSESign1, salt: [UInt8]?, body: [UInt8]?) throws(RelationshipError) {
        self.signed = signed
        self.salt = salt
        self.body = body
        record = try Record(payload: signed.payload)
        hash = UnsignedEntry.hash(of: signed.payload, protected: signed.protected)
    }

    init(signed: COSESign1, statement: Statement) {
        self.signed = signed
        record = statement.record
        hash = statement.hash
        salt = statement.salt
        body = statement.body
    }

    /// Whether the body has been erased; the record still verifies.
    public var isErased: Bool { body == nil }

    /// The record's number and hash.
    public var reference: RecordReference {
        RecordReference(sequence: record.sequence, hash: hash)
    }

    /// The entry without its body and salt.
    /// - Throws: ``RelationshipError/notErasable(_:)`` in the family `relationship`, whose bodies verification needs.
    public func erased() throws(RelationshipError) -> Entry {
        guard record.type.isErasable else { throw .notErasable(record.type) }
        return withoutBody
    }

    /// The signed record alone, as evidence keeps it.
    var withoutBody: Entry {
        Entry(withoutBodyOf: self)
    }

    private init(withoutBodyOf entry: Entry) {
        signed = entry.signed
        record = entry.record
        hash = entry.hash
        salt = nil
        body = nil
    }

    /// What the signature is about.
    var statement: Statement {
        Statement(record: record, hash: hash, salt: salt, body: body)
    }

    /// Refuses a signature that none of the keys made.
    func verify(with keys: RecordKeys, batches: inout BatchVerifier) throws(RelationshipError) {
        do {
            try batches.verify(
                signed, type: Record.mediaType, leaf: hash, with: keys.own, orInBatch: keys.endorsing)
        } catch {
            throw .invalidSignature(sequence: record.sequence, error)
        }
    }
}

// MARK: - Wire form

extension Entry {
    /// Reads the entry that is all of `bytes`.
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/malformedRecord(_:)``,
    ///   ``RelationshipError/malformedType(_:)``
    public init(decoding bytes: RawSpan) throws(RelationshipError) {
        self = try RelationshipError.decoding("ledger entry", bytes, maximum: LedgerLimits.entry) { reader in
            try Entry(reading: &reader)
        }
    }

    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 3)
        let record = try reader.readBytes(maximum: LedgerLimits.record)
        var salt: [UInt8]?
        var body: [UInt8]?
        if try reader.readNullIfPresent() {
            guard try reader.readNullIfPresent() else {
                throw CBORError.wrongType(expected: .null, actual: try reader.peekType(), at: reader.offset)
            }
        } else {
            salt = [UInt8](try reader.readBytes(count: Entry.saltCount))
            body = try reader.readByteArray(maximum: LedgerLimits.body)
        }
        let signed: COSESign1
        do {
            signed = try COSESign1(
                decoding: record, maximumPayload: LedgerLimits.payload, allowsBatch: true, expecting: Record.header)
        } catch {
            throw RelationshipError.malformedRecord(error)
        }
        try self.init(signed: signed, salt: salt, body: body)
    }

    /// The wire form, at most ``LedgerLimits/entry`` bytes.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 512 + (body?.count ?? 0))
        write(to: &writer)
        return writer.bytes
    }

    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(3)
        writer.writeBytes(signed.encoded())
        if let salt, let body {
            writer.writeBytes(salt)
            writer.writeBytes(body)
        } else {
            writer.writeNull()
            writer.writeNull()
        }
    }
}
