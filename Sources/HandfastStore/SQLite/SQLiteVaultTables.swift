internal import Foundation
internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto

/// A vault's rows in SQLite.
struct SQLiteVaultTables: VaultTables {
    /// A statement that every message passes, prepared once.
    private final class Insertion {
        var statement: DirectStatement

        init(_ sql: String, of table: StaticString, in database: Database) throws {
            statement = try DirectStatement(sql, of: table, in: database)
        }
    }

    private let database: Database
    private let entries: Insertion
    private let events: Insertion

    init(_ database: Database) throws {
        self.database = database
        entries = try Insertion(
            "INSERT INTO entry (relationship, direction, sequence, version, sealed) VALUES (?, ?, ?, 0, ?)",
            of: "entry", in: database)
        events = try Insertion("INSERT INTO event (position, sealed) VALUES (?, ?)", of: "event", in: database)
    }

    // MARK: Relationships

    func relationship(_ name: [UInt8]) throws -> (place: RelationshipPlace, version: Int64)? {
        let sql = """
            SELECT r.row, c.version FROM relationship r LEFT JOIN channel c ON c.relationship = r.row WHERE r.name = ?
            """
        return try database.row(sql, [name.blob]).map { row in
            let place = RelationshipPlace(row: try row.number(0, of: "relationship"), name: name)
            return (place, try row.number(1, of: "channel"))
        }
    }

    func insert(_ name: [UInt8], version: Int64, isTimed: Bool, sealed: [UInt8]) throws -> RelationshipPlace {
        try database.run(
            "INSERT INTO relationship (name, version, timed, sealed) VALUES (?, ?, ?, ?)",
            [name.blob, version, isTimed, sealed.blob])
        let place = RelationshipPlace(row: database.lastInsertedRowID, name: name)
        try database.run(
            "INSERT INTO channel (relationship, version, written) VALUES (?, ?, ?)", [place.row, version, version])
        return place
    }

    func update(_ place: RelationshipPlace, version: Int64, isTimed: Bool, sealed: [UInt8]) throws {
        try database.run(
            "UPDATE relationship SET version = ?, timed = ?, sealed = ? WHERE row = ?",
            [version, isTimed, sealed.blob, place.row])
    }

    func setVersion(_ version: Int64, of place: RelationshipPlace) throws {
        try database.run("UPDATE channel SET version = ? WHERE relationship = ?", [version, place.row])
    }

    func setChannel(_ sealed: [UInt8]?, version: Int64, of place: RelationshipPlace) throws {
        try database.run(
            "UPDATE channel SET version = ?, written = ?, sealed = ? WHERE relationship = ?",
            [version, version, sealed?.blob, place.row])
    }

    func set(_ part: RelationshipPart, _ sealed: [UInt8]?, version: Int64, of place: RelationshipPlace) throws {
        guard let sealed else {
            return try database.run("DELETE FROM \(part.table) WHERE relationship = ?", [place.row])
        }
        try database.run(
            "INSERT OR REPLACE INTO \(part.table) (relationship, version, sealed) VALUES (?, ?, ?)",
            [place.row, version, sealed.blob])
    }

    func delete(_ place: RelationshipPlace) throws {
        for table in ["channel", "auxiliary", "resume", "entry", "outbox", "confirmed"] {
            try database.run("DELETE FROM \(table) WHERE relationship = ?", [place.row])
        }
        try database.run("DELETE FROM relationship WHERE row = ?", [place.row])
    }

    // MARK: Ledger

    func insert(_ entry: EntryPlace, sealed: [UInt8]) throws {
        try entries.statement.bind(entry.relationship.row)
        try entries.statement.bind(Int64(entry.direction.rawValue))
        try entries.statement.bind(entry.sequence)
        try entries.statement.run(with: sealed.bytes)
    }

    func entry(_ entry: EntryPlace) throws -> (version: Int64, sealed: [UInt8])? {
        let sql = "SELECT version, sealed FROM entry WHERE relationship = ? AND direction = ? AND sequence = ?"
        return try database.row(sql, entry.key).map { row in
            (try row.number(0, of: "entry"), try row.bytes(1, of: "entry"))
        }
    }

    func update(_ entry: EntryPlace, version: Int64, sealed: [UInt8]) throws {
        try database.run(
            """
            UPDATE entry SET version = ?, sealed = ? WHERE relationship = ? AND direction = ? AND sequence = ?
            """, [version, sealed.blob] + entry.key)
    }

    func deleteEntries(from entry: EntryPlace) throws {
        try database.run(
            "DELETE FROM entry WHERE relationship = ? AND direction = ? AND sequence >= ?", try entry.key)
    }

    // MARK: Outbox

    func insert(_ envelope: EnvelopePlace, sealed: [UInt8]) throws {
        try database.run(
            "INSERT INTO outbox (relationship, queue, number, sealed) VALUES (?, ?, ?, ?)",
            try envelope.key + [sealed.blob])
    }

    func envelope(_ envelope: EnvelopePlace) throws -> [UInt8]? {
        let sql = "SELECT sealed FROM outbox WHERE relationship = ? AND queue = ? AND number = ?"
        return try database.row(sql, envelope.key).map { row in try row.bytes(0, of: "outbox") }
    }

    func deleteEnvelopes(through envelope: EnvelopePlace) throws {
        try database.run("DELETE FROM outbox WHERE relationship = ? AND queue = ? AND number <= ?", try envelope.key)
    }

    func setConfirmed(_ sealed: [UInt8], next: Int64, in queue: OutboxPlace) throws {
        try database.run(
            "INSERT OR REPLACE INTO confirmed (relationship, queue, version, sealed) VALUES (?, ?, ?, ?)",
            [queue.relationship.row, queue.queue.blob, next, sealed.blob])
    }

    // MARK: Rows of the node

    func row(_ name: [UInt8], in table: SealedTable) throws -> SealedRow? {
        try database.row("SELECT row, version FROM \(table.name) WHERE name = ?", [name.blob]).map { row in
            SealedRow(row: try row.number(0, of: table.table), version: try row.number(1, of: table.table))
        }
    }

    func insert(_ name: [UInt8], in table: SealedTable, expires: Timestamp?, sealed: [UInt8]) throws -> Int64? {
        try database.run(
            "INSERT INTO \(table.name) (name, version, expires, sealed) VALUES (?, 1, ?, ?) ON CONFLICT DO NOTHING",
            [name.blob, try expires?.seconds.stored, sealed.blob])
        return database.changesCount == 1 ? database.lastInsertedRowID : nil
    }

    func replace(
        _ row: SealedRow, _ name: [UInt8], in table: SealedTable, expires: Timestamp?, sealed: [UInt8]
    ) throws {
        try database.run(
            "UPDATE \(table.name) SET version = ?, expires = ?, sealed = ? WHERE row = ?",
            [row.version, try expires?.seconds.stored, sealed.blob, row.row])
    }

    func remove(_ name: [UInt8], from table: SealedTable) throws {
        try database.run("DELETE FROM \(table.name) WHERE name = ?", [name.blob])
    }

    func tend(_ queue: [UInt8], row: Int64, by service: [UInt8]) throws {
        try database.run("INSERT OR REPLACE INTO tended (queue, service) VALUES (?, ?)", [row, service.blob])
    }

    func untend(_ queue: [UInt8]) throws {
        try database.run("DELETE FROM tended WHERE queue = (SELECT row FROM queue WHERE name = ?)", [queue.blob])
    }

    func setCursor(_ name: [UInt8], to position: UInt64, goesBack: Bool) throws {
        try database.run(
            """
            INSERT INTO cursor (name, position) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET position = iif(?, excluded.position, max(position, excluded.position))
            """, [name.blob, try position.stored, goesBack])
    }

    // MARK: Feed

    func lastEvent() throws -> Int64 {
        try database.row("SELECT last FROM feed")?.number(0, of: "feed") ?? 0
    }

    func insertEvent(_ sealed: [UInt8], at position: Int64) throws {
        try events.statement.bind(position)
        try events.statement.run(with: sealed.bytes)
    }

    func finish(lastEvent: Int64?) throws {
        if let lastEvent { try database.run("UPDATE feed SET last = ?", [lastEvent]) }
    }
}

extension EntryPlace {
    fileprivate var key: [(any DatabaseValueConvertible)?] {
        get throws(StoreError) { [relationship.row, Int64(direction.rawValue), try sequence.stored] }
    }
}

extension EnvelopePlace {
    fileprivate var key: [(any DatabaseValueConvertible)?] {
        get throws(StoreError) { [outbox.relationship.row, outbox.queue.blob, try number.stored] }
    }
}

extension RelationshipPlace {
    /// Finds the row of a relationship.
    init?(of id: RelationshipID, in database: Database, _ seal: VaultSeal) throws {
        let name = Self.name(of: id, seal)
        guard let row = try database.row("SELECT row FROM relationship WHERE name = ?", [name.blob]) else {
            return nil
        }
        self.init(row: try row.number(0, of: "relationship"), name: name)
    }
}
