internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// One item of a part: a row in place of an earlier one of its name, or the end of that one.
///
/// - Source: Spec/08 §8.6
enum BackupItem {
    /// The longest encoded item, in bytes.
    static let maximumByteCount = 4 << 20

    /// What a part begins with: its number from 0, when it was made, and the last position of the feed.
    case part(number: UInt64, created: Timestamp, lastEvent: Int64)
    /// A row; nil where the row of this name is gone.
    case row(BackupRow.Kind, name: RowName, mark: RowMark, BackupRow?)

    /// What stands for a row within one backup.
    typealias RowName = FixedBytes<16>
    /// What changes whenever the row does.
    typealias RowMark = FixedBytes<16>

    func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 512)
        writer.writeArrayHeader(4)
        switch self {
        case .part(let number, let created, let lastEvent):
            writer.writeUnsigned(UInt64(BackupRow.Kind.part.rawValue))
            writer.writeUnsigned(number)
            writer.writeUnsigned(created.seconds)
            writer.writeUnsigned(UInt64(max(lastEvent, 0)))
        case .row(let kind, let name, let mark, let row):
            writer.writeUnsigned(UInt64(kind.rawValue))
            writer.writeBytes(name.array)
            writer.writeBytes(mark.array)
            if let row { row.write(to: &writer) } else { writer.writeNull() }
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws {
        var reader = CBORReader(bytes.bytes, limits: CBORLimits(size: Self.maximumByteCount))
        try reader.readArrayHeader(count: 4)
        let number = try reader.readUnsigned(as: UInt8.self)
        guard let kind = BackupRow.Kind(rawValue: number) else {
            throw StoreError.corrupted("a backup's row of kind \(number)")
        }
        if kind == .part {
            self = .part(
                number: try reader.readUnsigned(), created: Timestamp(seconds: try reader.readUnsigned()),
                lastEvent: Int64(try reader.readUnsigned(maximum: UInt64(Int64.max))))
        } else {
            let name = RowName(try reader.readBytes(count: 16), at: 0)
            let mark = RowMark(try reader.readBytes(count: 16), at: 0)
            let row = try reader.readNullIfPresent() ? nil : BackupRow(kind, reading: &reader)
            guard kind != .event || row != nil else { throw StoreError.corrupted("a backup's event that is gone") }
            self = .row(kind, name: name, mark: mark, row)
        }
        try reader.finish()
    }
}

extension BackupRow {
    fileprivate func write(to writer: inout CBORWriter) {
        switch self {
        case .service(let key, let cursor, let bytes):
            writer.writeArrayHeader(3)
            writer.writeBytes(key.array)
            writer.writeUnsigned(cursor)
            writer.writeBytes(bytes)
        case .identity(let id, let bytes):
            writer.writeArrayHeader(2)
            writer.writeBytes(id.digest.array)
            writer.writeBytes(bytes)
        case .queue(let id, let relationship, let bytes):
            writer.writeArrayHeader(3)
            writer.writeBytes(id.array)
            writer.write(relationship)
            writer.writeBytes(bytes)
        case .relationship(let id, let state, let resume, let heads):
            writer.writeArrayHeader(4)
            writer.writeBytes(id.digest.array)
            writer.writeBytes(state)
            if let resume { writer.writeBytes(resume) } else { writer.writeNull() }
            writer.writeArrayHeader(heads.count)
            for head in heads {
                writer.writeArrayHeader(3)
                writer.writeBytes(head.queue.array)
                writer.writeUnsigned(head.next)
                writer.writeBytes(head.chain.array)
            }
        case .record(let entry):
            writer.writeArrayHeader(5)
            writer.writeBytes(entry.relationship.digest.array)
            writer.writeUnsigned(UInt64(entry.direction.rawValue))
            writer.writeUnsigned(entry.sequence)
            writer.writeBytes(entry.hash.array)
            writer.writeBytes(entry.bytes)
        case .wallet(let key, let bytes):
            writer.writeArrayHeader(3)
            writer.writeText(key.table.rawValue)
            writer.writeBytes(key.bytes)
            writer.writeBytes(bytes)
        case .transfer(let key, let isOpen, let bytes):
            writer.writeArrayHeader(5)
            writer.writeBytes(key.relationship.digest.array)
            writer.writeUnsigned(UInt64(key.direction.rawValue))
            writer.writeUnsigned(key.sequence)
            writer.writeBool(isOpen)
            writer.writeBytes(bytes)
        case .event(let position, let relationship, let payload):
            writer.writeArrayHeader(3)
            writer.writeUnsigned(UInt64(max(position, 0)))
            writer.write(relationship)
            writer.writeBytes(payload)
        case .file(let name, let bytes):
            writer.writeArrayHeader(2)
            writer.writeText(name)
            writer.writeBytes(bytes)
        }
    }

    fileprivate init(_ kind: Kind, reading reader: inout CBORReader) throws {
        let maximum = BackupItem.maximumByteCount
        let count = try reader.readArrayHeader(maximum: 5)
        guard count == kind.fieldCount else { throw StoreError.corrupted("a backup's row with \(count) fields") }
        switch kind {
        case .part:
            throw StoreError.corrupted("a backup's part within a part")
        case .service:
            self = .service(
                try VerificationKey(reader.readBytes(count: 32)), cursor: try reader.readUnsigned(),
                bytes: try reader.readByteArray(maximum: maximum))
        case .identity:
            self = .identity(
                IdentityID(try Digest(reader.readBytes(count: 32))), bytes: try reader.readByteArray(maximum: maximum))
        case .queue:
            self = .queue(
                QueueID(try FixedBytes(reader.readBytes(count: 16))), relationship: try reader.readRelationship(),
                bytes: try reader.readByteArray(maximum: maximum))
        case .relationship:
            let id = RelationshipID(try Digest(reader.readBytes(count: 32)))
            let state = try reader.readByteArray(maximum: maximum)
            let resume = try reader.readNullIfPresent() ? nil : reader.readByteArray(maximum: maximum)
            var heads: [BackupQueueHead] = []
            for _ in 0..<(try reader.readArrayHeader(maximum: 1_024)) {
                try reader.readArrayHeader(count: 3)
                heads.append(
                    BackupQueueHead(
                        queue: QueueID(try FixedBytes(reader.readBytes(count: 16))), next: try reader.readUnsigned(),
                        chain: try Digest(reader.readBytes(count: 32))))
            }
            self = .relationship(id, state: state, resume: resume, heads: heads)
        case .record:
            self = .record(
                NewEntry(
                    relationship: RelationshipID(try Digest(reader.readBytes(count: 32))),
                    direction: try reader.readDirection(), sequence: try reader.readUnsigned(),
                    hash: try Digest(reader.readBytes(count: 32)), bytes: try reader.readByteArray(maximum: maximum)))
        case .wallet:
            let name = try reader.readText(maximum: 32)
            guard let table = WalletTable(rawValue: name) else {
                throw StoreError.corrupted("a backup's row of a wallet's table \(name)")
            }
            self = .wallet(
                WalletKey(table, try reader.readByteArray(maximum: 255)),
                bytes: try reader.readByteArray(maximum: maximum))
        case .transfer:
            let key = TransferKey(
                relationship: RelationshipID(try Digest(reader.readBytes(count: 32))),
                direction: try reader.readDirection(), sequence: try reader.readUnsigned())
            self = .transfer(key, isOpen: try reader.readBool(), bytes: try reader.readByteArray(maximum: maximum))
        case .event:
            self = .event(
                position: Int64(try reader.readUnsigned(maximum: UInt64(Int64.max))),
                relationship: try reader.readRelationship(), payload: try reader.readByteArray(maximum: maximum))
        case .file:
            self = .file(
                name: try reader.readText(maximum: 255), bytes: try reader.readByteArray(maximum: maximum))
        }
    }
}

extension BackupRow.Kind {
    fileprivate var fieldCount: Int {
        switch self {
        case .part, .identity, .file: 2
        case .service, .queue, .wallet, .event: 3
        case .relationship: 4
        case .record, .transfer: 5
        }
    }
}

extension CBORWriter {
    fileprivate mutating func write(_ relationship: RelationshipID?) {
        if let relationship { writeBytes(relationship.digest.array) } else { writeNull() }
    }
}

extension CBORReader {
    fileprivate mutating func readRelationship() throws -> RelationshipID? {
        try readNullIfPresent() ? nil : RelationshipID(try Digest(readBytes(count: 32)))
    }

    fileprivate mutating func readDirection() throws -> SenderRole {
        let number = try readUnsigned(as: UInt8.self)
        guard let direction = SenderRole(rawValue: number) else {
            throw StoreError.corrupted("a backup's record of direction \(number)")
        }
        return direction
    }
}
