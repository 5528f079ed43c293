internal import HandfastCrypto
internal import HandfastEncoding

/// A record put together by hand, as the specification has it and beside the library's own code.
///
/// - Source: Spec/05 §5.1, §5.2
struct VectorRecord {
    static let type = "handfast-record+cose"

    var relationship: [UInt8]
    var direction: UInt64
    var sequence: UInt64
    var previous: [UInt8]
    var lastSeenSequence: UInt64
    var lastSeenHash: [UInt8]
    var time: UInt64
    var recordType: String
    var thread: [UInt8]?
    var salt: [UInt8]
    var body: [UInt8]
    /// In the place of the body's true digest.
    var bodyDigest: [UInt8]?

    /// `H("body", salt, body)`
    var digest: [UInt8] { Digest.of(Label("body"), salt, body).array }

    var payload: [Int: CBORValue?] {
        [
            1: .bytes(relationship), 2: .unsigned(direction), 3: .unsigned(sequence), 4: .bytes(previous),
            5: .array([.unsigned(lastSeenSequence), .bytes(lastSeenHash)]), 6: .unsigned(time),
            7: .text(recordType), 8: thread.map { .bytes($0) }, 9: .bytes(bodyDigest ?? digest),
        ]
    }

    struct Signed {
        let record: [UInt8]
        let payload: [UInt8]
        let protected: [UInt8]
        let hash: [UInt8]
        let entry: [UInt8]
    }

    /// Signs, with other fields of the payload where `change` has them.
    func signed(
        with key: borrowing SigningKey, type: String = VectorRecord.type, changing change: [Int: CBORValue?] = [:]
    ) throws -> Signed {
        let payload = try VectorCBOR.map(payload.merging(change) { $1 }).encoded()
        let signed = COSESign1.sign(payload, type: type, with: key)
        return Signed(
            record: signed.encoded(), payload: payload, protected: signed.protected,
            hash: Digest.of(Label("record"), signed.protected, payload).array,
            entry: try Self.entry(signed.encoded(), salt: salt, body: body))
    }

    static func entry(_ record: [UInt8], salt: [UInt8]?, body: [UInt8]?) throws -> [UInt8] {
        try CBORValue.array([
            .bytes(record), salt.map { .bytes($0) } ?? .null, body.map { .bytes($0) } ?? .null,
        ]).encoded()
    }
}
