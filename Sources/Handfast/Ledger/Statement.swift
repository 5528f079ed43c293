internal import HandfastCrypto
internal import HandfastEncoding

/// What an entry says, without its signature: judged alike before it is signed and once it has come.
struct Statement {
    let record: Record
    /// The record hash.
    let hash: Digest
    let salt: [UInt8]?
    let body: [UInt8]?

    /// Whether the body has been erased.
    var isErased: Bool { body == nil }

    /// The record's number and hash.
    var reference: RecordReference {
        RecordReference(sequence: record.sequence, hash: hash)
    }

    /// Refuses a body that is not the one signed; an erased one is not there to be refused.
    func checkBodyDigest() throws(RelationshipError) {
        guard let salt, let body else { return }
        guard Record.digest(ofBody: body, salt: salt) == record.bodyDigest else {
            throw .bodyDigestMismatch(sequence: record.sequence)
        }
    }
}

/// An own record that is made and still to be signed.
struct UnsignedEntry {
    let statement: Statement
    /// The record, encoded.
    let payload: [UInt8]

    /// The hash of a record, which its signature is no part of.
    static func hash(of payload: [UInt8], protected: [UInt8]) -> Digest {
        Digest.of(.record, protected, payload)
    }

    /// The entries of many records under one signature, in their order.
    static func sign(
        _ entries: [UnsignedEntry], with key: borrowing SigningKey, using random: inout some RandomNumberGenerator
    ) -> [Entry] {
        let signed = COSESign1.sign(
            batch: entries.map { ($0.payload, $0.statement.hash) }, type: Record.mediaType, with: key, using: &random)
        return zip(signed, entries).map { Entry(signed: $0, statement: $1.statement) }
    }
}
