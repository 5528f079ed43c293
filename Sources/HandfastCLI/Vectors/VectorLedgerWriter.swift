internal import HandfastCrypto
internal import HandfastEncoding

/// One direction of a ledger, written by hand, record after record.
struct VectorLedgerWriter {
    let relationship: [UInt8]
    let direction: UInt64
    private(set) var sequence: UInt64 = 0
    private(set) var head: [UInt8]
    private(set) var entries: [[UInt8]] = []
    /// The peer's record that the next record has seen.
    var seen: (sequence: UInt64, hash: [UInt8])
    var time = VectorMeeting.time

    init(relationship: [UInt8], direction: UInt64) {
        self.relationship = relationship
        self.direction = direction
        head = relationship
        seen = (0, relationship)
    }

    /// The next record, unsigned.
    func next(_ type: String, _ body: [String: CBORValue], salt: [UInt8], thread: [UInt8]? = nil) throws -> VectorRecord
    {
        VectorRecord(
            relationship: relationship, direction: direction, sequence: sequence + 1, previous: head,
            lastSeenSequence: seen.sequence, lastSeenHash: seen.hash, time: time, recordType: type, thread: thread,
            salt: salt, body: try VectorCBOR.body(body))
    }

    /// Signs the record and goes on from it.
    mutating func add(_ record: VectorRecord, with key: borrowing SigningKey) throws -> [UInt8] {
        let signed = try record.signed(with: key)
        sequence += 1
        time += 60
        head = signed.hash
        entries.append(signed.entry)
        return signed.entry
    }
}
