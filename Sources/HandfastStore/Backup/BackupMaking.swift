internal import Foundation
package import HandfastChannel
package import HandfastCrypto

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One backup being made from one state of the vault.
package struct BackupMaking {
    private typealias Name = BackupItem.RowName
    private typealias Mark = BackupItem.RowMark

    /// What the file holds already.
    private struct Held {
        var marks: [RowKey: Mark] = [:]
        var lastEvent: Int64 = 0
    }

    private struct RowKey: Hashable {
        let kind: BackupRow.Kind
        let name: Name
    }

    private static let markLabel = Label("backup mark")
    private static let nameLabel = Label("backup row")
    /// Below this the file is never written whole again.
    private static let leastWhole: UInt64 = 1 << 20

    private let snapshot: any VaultSnapshot
    private let seal: VaultSeal
    private let files: [(name: String, bytes: [UInt8])]
    private let now: Timestamp
    private let keeping: (BackupRow) throws -> BackupRow?

    /// - Parameters:
    ///   - files: files of the vault's folder that are to be kept, too.
    ///   - now: noted in the file.
    ///   - keeping: gives the row as the backup is to hold it; nil for none at all.
    package init(
        _ snapshot: any VaultSnapshot, _ seal: VaultSeal, files: [(name: String, bytes: [UInt8])], now: Timestamp,
        _ keeping: @escaping (BackupRow) throws -> BackupRow?
    ) {
        self.snapshot = snapshot
        self.seal = seal
        self.files = files
        self.now = now
        self.keeping = keeping
    }

    /// Makes the backup, or adds to it.
    ///
    /// - Throws: ``StoreError``
    package func run(
        at path: String, passphrase: [UInt8]?, _ parameters: PassphraseParameters
    ) throws -> BackupOutcome {
        do {
            return try write(at: path, passphrase: passphrase, parameters)
        } catch let fault as BackupFault {
            throw StoreError.backup(path: path, fault)
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw StoreError.full
        } catch let error as CocoaError {
            throw StoreError.backup(path: path, .file(error.localizedDescription))
        }
    }

    private func write(at path: String, passphrase: [UInt8]?, _ parameters: PassphraseParameters) throws
        -> BackupOutcome
    {
        guard FileManager.default.fileExists(atPath: path) else {
            guard let passphrase else { throw BackupFault.needsPassphrase }
            let (header, key) = try BackupHeader.make(passphrase: passphrase, parameters, vault: seal)
            return try writeWhole(header, key, at: path)
        }
        let backup = try BackupFile(path: path, writing: true) { header in try header.open(vault: seal) }
        var held = Held()
        while let item = try backup.next() {
            switch item {
            case .part(_, _, let lastEvent): held.lastEvent = lastEvent
            case .row(.event, _, _, _): break
            case .row(let kind, let name, let mark, let row):
                held.marks[RowKey(kind: kind, name: name)] = row == nil ? nil : mark
            }
        }
        let start = backup.offset
        if backup.partCount > 0, start - backup.firstPartCount > max(backup.firstPartCount, Self.leastWhole) {
            return try writeWhole(backup.header, backup.openedKey, at: path)
        }
        let (rows, gone) = try append(to: backup, held)
        return BackupOutcome(
            size: backup.offset, written: backup.offset - start, rows: rows, gone: gone, isWhole: false)
    }

    private func writeWhole(_ header: BackupHeader, _ key: BackupKey, at path: String) throws -> BackupOutcome {
        let draft = path + ".new"
        _ = unsafe unlink(draft)
        do {
            let backup = try BackupFile(making: draft, header: header, key: key)
            let (rows, _) = try append(to: backup, Held())
            guard unsafe rename(draft, path) == 0 else { throw BackupFault.file(SystemError.text(errno)) }
            let folder = unsafe open(
                URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            defer { if folder >= 0 { _ = close(folder) } }
            guard folder >= 0, fsync(folder) == 0 else { throw BackupFault.file(SystemError.text(errno)) }
            return BackupOutcome(size: backup.offset, written: backup.offset, rows: rows, gone: 0, isWhole: true)
        } catch {
            _ = unsafe unlink(draft)
            throw error
        }
    }

    /// Appends a part with what the file does not hold yet as it stands.
    private func append(to backup: BackupFile, _ held: Held) throws -> (rows: UInt64, gone: UInt64) {
        var rows: UInt64 = 0
        var left = held.marks
        let lastEvent = try snapshot.rows("SELECT last FROM feed").next()?.number(0, of: "feed") ?? 0
        try backup.appendPart { put in
            try put(.part(number: backup.partCount, created: now, lastEvent: lastEvent))
            // Rows are opened only where they have changed.
            func take(_ kind: BackupRow.Kind, _ name: Name, _ mark: Mark, _ row: () throws -> BackupRow?) throws {
                let key = RowKey(kind: kind, name: name)
                guard held.marks[key] != mark else { return left[key] = nil }
                guard let kept = try row().flatMap(keeping) else { return }
                left[key] = nil
                rows += 1
                try put(.row(kind, name: name, mark: mark, kept))
            }
            try takeTables(take)
            try takeRelationships(take)
            try takeRecords(take)
            for file in files {
                try take(.file, name(Array(file.name.utf8)), mark(file.bytes)) {
                    .file(name: file.name, bytes: file.bytes)
                }
            }
            try takeEvents(after: held.lastEvent) { row in
                rows += 1
                try put(.row(.event, name: .zero, mark: .zero, row))
            }
            for key in left.keys { try put(.row(key.kind, name: key.name, mark: .zero, nil)) }
        }
        return (rows, UInt64(left.count))
    }

    // MARK: Rows

    private typealias Take = (BackupRow.Kind, Name, Mark, () throws -> BackupRow?) throws -> Void

    private func takeTables(_ take: Take) throws {
        try takeTable(.identity, as: .identity, take) { bytes in
            var payload = Payload(bytes, of: "identity")
            return .identity(IdentityID(try payload.digest()), bytes: payload.rest)
        }
        try takeServices(take)
        try takeTable(.queue, as: .queue, take) { bytes in
            var payload = Payload(bytes, of: "queue")
            let id = try payload.queue()
            return .queue(id, relationship: try payload.optionalRelationship(), bytes: payload.rest)
        }
        for (table, isOpen) in [(SealedTable.transfer, true), (.endedTransfer, false)] {
            try takeTable(table, as: .transfer, take) { bytes in
                let (key, rest) = try TransferKey.taking(from: bytes)
                return .transfer(key, isOpen: isOpen, bytes: rest)
            }
        }
        for table in WalletTable.allCases {
            try takeTable(.wallet(table), as: .wallet, take) { bytes in
                guard let count = bytes.first.map(Int.init), bytes.count > count else {
                    throw StoreError.corrupted("a row of table \(table)")
                }
                return .wallet(WalletKey(table, Array(bytes[1...count])), bytes: Array(bytes[(count + 1)...]))
            }
        }
    }

    private func takeTable(
        _ table: SealedTable, as kind: BackupRow.Kind, _ take: Take, _ row: @escaping ([UInt8]) throws -> BackupRow
    ) throws {
        let cursor = try snapshot.rows("SELECT name, version, sealed FROM \(table.table) ORDER BY row")
        while let stored = try cursor.next() {
            let (tableName, sealed) = (try stored.bytes(0, of: table.table), try stored.bytes(2, of: table.table))
            let place = RowPlace(table.table, name: tableName, version: try stored.number(1, of: table.table))
            try take(kind, name(Array("\(table.table)".utf8), tableName), mark(sealed)) {
                try row(seal.open(sealed, at: place))
            }
        }
    }

    private func takeServices(_ take: Take) throws {
        var positions: [[UInt8]: UInt64] = [:]
        let cursors = try snapshot.rows("SELECT name, position FROM cursor")
        while let stored = try cursors.next() {
            positions[try stored.bytes(0, of: "cursor")] = try stored.count(1, of: "cursor")
        }
        let cursor = try snapshot.rows("SELECT name, version, sealed FROM service ORDER BY row")
        while let stored = try cursor.next() {
            let (tableName, sealed) = (try stored.bytes(0, of: "service"), try stored.bytes(2, of: "service"))
            let place = RowPlace("service", name: tableName, version: try stored.number(1, of: "service"))
            var payload = Payload(try seal.open(sealed, at: place), of: "service")
            let key = try payload.key()
            let position = positions[seal.name(key.array, in: "cursor")] ?? 0
            var positionBytes: [UInt8] = []
            positionBytes.append(bigEndian: position)
            try take(.service, name(tableName), mark(sealed, positionBytes)) {
                .service(key, cursor: position, bytes: payload.rest)
            }
        }
    }

    private func takeRelationships(_ take: Take) throws {
        let sql = """
            SELECT r.row, r.name, r.version, r.sealed, s.version, s.sealed
            FROM relationship r LEFT JOIN resume s ON s.relationship = r.row ORDER BY r.row
            """
        let cursor = try snapshot.rows(sql)
        var reader = try HeadReader(snapshot)
        while let stored = try cursor.next() {
            let number = try stored.number(0, of: "relationship")
            let (tableName, sealed) = (try stored.bytes(1, of: "relationship"), try stored.bytes(3, of: "relationship"))
            let place = RowPlace("relationship", name: tableName, version: try stored.number(2, of: "relationship"))
            let resume = try stored.optionalBytes(5, of: "resume")
            let resumeVersion = resume == nil ? 0 : try stored.number(4, of: "resume")
            let heads = try reader.take(of: number)
            try take(.relationship, name(tableName), mark([sealed, resume ?? []] + heads.map(\.sealed))) {
                var state = Payload(try seal.open(sealed, at: place), of: place)
                let id = RelationshipID(try state.digest())
                let secrets = try resume.map { bytes throws in
                    try seal.open(bytes, at: RowPlace("resume", name: tableName, version: resumeVersion))
                }
                let queues = try heads.map { head in
                    let place = RowPlace("confirmed", name: tableName + head.queue, version: head.version)
                    var payload = Payload(try seal.open(head.sealed, at: place), of: place)
                    guard let next = UInt64(exactly: head.version) else { throw StoreError.corrupted(place.text) }
                    return BackupQueueHead(queue: try payload.queue(), next: next, chain: try payload.digest())
                }
                return .relationship(id, state: state.rest, resume: secrets, heads: queues)
            }
        }
    }

    private func takeRecords(_ take: Take) throws {
        let sql = """
            SELECT r.name, r.version, r.sealed, e.relationship, e.direction, e.sequence, e.version, e.sealed
            FROM entry e JOIN relationship r ON r.row = e.relationship ORDER BY \(snapshot.recordOrder)
            """
        var known: [Int64: RelationshipID] = [:]
        let cursor = try snapshot.rows(sql)
        while let stored = try cursor.next() {
            let tableName = try stored.bytes(0, of: "relationship")
            let number = try stored.number(3, of: "entry")
            let (direction, sequence) = (try stored.number(4, of: "entry"), try stored.count(5, of: "entry"))
            let sealed = try stored.bytes(7, of: "entry")
            var place: [UInt8] = tableName
            place.append(bigEndian: UInt64(bitPattern: direction))
            place.append(bigEndian: sequence)
            try take(.record, name(place), mark(sealed)) {
                guard let role = UInt8(exactly: direction).flatMap(SenderRole.init) else {
                    throw StoreError.corrupted("table entry, a direction")
                }
                let id =
                    try known[number]
                    ?? {
                        let place = RowPlace(
                            "relationship", name: tableName, version: try stored.number(1, of: "relationship"))
                        var state = Payload(try seal.open(stored.bytes(2, of: "relationship"), at: place), of: place)
                        let id = RelationshipID(try state.digest())
                        known[number] = id
                        return id
                    }()
                let rowPlace = RowPlace.entry(
                    tableName, role, sequence, version: try stored.number(6, of: "entry"))
                var entry = Payload(try seal.open(sealed, at: rowPlace), of: rowPlace)
                return .record(
                    NewEntry(
                        relationship: id, direction: role, sequence: sequence, hash: try entry.digest(),
                        bytes: entry.rest))
            }
        }
    }

    private func takeEvents(after last: Int64, _ put: (BackupRow) throws -> Void) throws {
        let cursor = try snapshot.rows("SELECT position, sealed FROM event WHERE position > \(last) ORDER BY position")
        while let stored = try cursor.next() {
            let position = try stored.number(0, of: "event")
            let place = RowPlace.event(position)
            var payload = Payload(try seal.open(stored.bytes(1, of: "event"), at: place), of: place)
            let row = BackupRow.event(
                position: position, relationship: try payload.optionalRelationship(), payload: payload.rest)
            if let kept = try keeping(row) { try put(kept) }
        }
    }

    // MARK: Names and marks

    private func name(_ parts: [UInt8]...) -> Name { Self.short(Self.nameLabel, parts) }

    private func mark(_ parts: [UInt8]...) -> Mark { Self.short(Self.markLabel, parts) }

    private func mark(_ parts: [[UInt8]]) -> Mark { Self.short(Self.markLabel, parts) }

    private static func short(_ label: Label, _ parts: [[UInt8]]) -> FixedBytes<16> {
        var hash = LabelledHash(label)
        for part in parts { hash.absorb(part) }
        let digest = hash.digest().array
        return FixedBytes(digest.bytes, at: 0)
    }
}

/// Reads what relays have confirmed of the queues of one relationship after the other.
private struct HeadReader {
    struct Head {
        let relationship: Int64
        let queue: [UInt8]
        let version: Int64
        let sealed: [UInt8]
    }

    private let rows: any SnapshotRows
    private var next: Head?

    init(_ snapshot: any VaultSnapshot) throws {
        rows = try snapshot.rows(
            "SELECT relationship, queue, version, sealed FROM confirmed ORDER BY relationship, queue")
        try advance()
    }

    private mutating func advance() throws {
        next = try rows.next().map { row throws in
            Head(
                relationship: try row.number(0, of: "confirmed"), queue: try row.bytes(1, of: "confirmed"),
                version: try row.number(2, of: "confirmed"), sealed: try row.bytes(3, of: "confirmed"))
        }
    }

    /// Those of a relationship, whose number is above that of the last call.
    mutating func take(of number: Int64) throws -> [Head] {
        var heads: [Head] = []
        while let head = next, head.relationship <= number {
            if head.relationship == number { heads.append(head) }
            try advance()
        }
        return heads
    }
}
