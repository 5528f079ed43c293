import Handfast
import HandfastEncoding

/// A ledger entry down to its last field, read and written field by field as the library does, without its checks and
/// hashes: what deterministic CBOR itself costs.
///
/// - Source: Spec/05 §5.1, §5.2
struct EntryShape: Equatable {
    private struct Place: Equatable {
        var sequence: UInt64
        var hash: [UInt8]
    }

    private var algorithm: Int64
    private var mediaType: String
    private var relationship: [UInt8]
    private var direction: UInt64
    private var sequence: UInt64
    private var previous: [UInt8]
    private var lastSeen: Place
    private var time: UInt64
    private var type: String
    private var thread: [UInt8]
    private var digest: [UInt8]
    private var signature: [UInt8]
    private var salt: [UInt8]
    private var body: [UInt8]

    /// Reads an entry in which every field is there.
    init(decoding bytes: [UInt8]) throws(CBORError) {
        var entry = CBORReader(bytes.bytes)
        try entry.readArrayHeader(count: 3)
        var record = CBORReader(try entry.readBytes())
        salt = try entry.readByteArray(maximum: 16)
        body = try entry.readByteArray(maximum: 1 << 16)
        try entry.finish()

        try record.readTag(18)
        try record.readArrayHeader(count: 4)
        var header = CBORReader(try record.readBytes())
        var map = try header.readIntegerMap()
        try map.requireKey(1, &header)
        algorithm = try header.readInteger()
        try map.requireKey(16, &header)
        mediaType = try header.readText(maximum: 64)
        try map.finish(&header)
        try header.finish()

        var unprotected = try record.readIntegerMap(maximum: 0)
        try unprotected.finish(&record)
        var payload = CBORReader(try record.readBytes())
        signature = try record.readByteArray(maximum: 64)
        try record.finish()

        map = try payload.readIntegerMap(maximum: 9)
        try map.requireKey(1, &payload)
        relationship = try payload.readByteArray(maximum: 32)
        try map.requireKey(2, &payload)
        direction = try payload.readUnsigned(maximum: 1)
        try map.requireKey(3, &payload)
        sequence = try payload.readUnsigned()
        try map.requireKey(4, &payload)
        previous = try payload.readByteArray(maximum: 32)
        try map.requireKey(5, &payload)
        try payload.readArrayHeader(count: 2)
        lastSeen = Place(sequence: try payload.readUnsigned(), hash: try payload.readByteArray(maximum: 32))
        try map.requireKey(6, &payload)
        time = try payload.readUnsigned()
        try map.requireKey(7, &payload)
        type = try payload.readText(maximum: 128)
        try map.requireKey(8, &payload)
        thread = try payload.readByteArray(maximum: 16)
        try map.requireKey(9, &payload)
        digest = try payload.readByteArray(maximum: 32)
        try map.finish(&payload)
        try payload.finish()
    }

    /// The entry's bytes.
    func encoded() -> [UInt8] {
        var header = CBORWriter(reservingCapacity: 48)
        header.writeMap { header in
            header.writeKey(1)
            header.writeInteger(algorithm)
            header.writeKey(16)
            header.writeText(mediaType)
        }
        var record = CBORWriter(reservingCapacity: 512)
        record.writeTag(18)
        record.writeArrayHeader(4)
        record.writeBytes(header.bytes)
        record.writeMap { _ in }
        record.writeBytes(payload())
        record.writeBytes(signature)
        var entry = CBORWriter(reservingCapacity: 512 + body.count)
        entry.writeArrayHeader(3)
        entry.writeBytes(record.bytes)
        entry.writeBytes(salt)
        entry.writeBytes(body)
        return entry.bytes
    }

    private func payload() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 256)
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(relationship)
            writer.writeKey(2)
            writer.writeUnsigned(direction)
            writer.writeKey(3)
            writer.writeUnsigned(sequence)
            writer.writeKey(4)
            writer.writeBytes(previous)
            writer.writeKey(5)
            writer.writeArrayHeader(2)
            writer.writeUnsigned(lastSeen.sequence)
            writer.writeBytes(lastSeen.hash)
            writer.writeKey(6)
            writer.writeUnsigned(time)
            writer.writeKey(7)
            writer.writeText(type)
            writer.writeKey(8)
            writer.writeBytes(thread)
            writer.writeKey(9)
            writer.writeBytes(digest)
        }
        return writer.bytes
    }
}
