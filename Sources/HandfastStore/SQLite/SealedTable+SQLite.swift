internal import Foundation
internal import GRDB
internal import HandfastChannel

extension SealedTable {
    /// Makes the table in a new database.
    func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE \(name) (
                    row INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, version INTEGER NOT NULL,
                    expires INTEGER, sealed BLOB NOT NULL) STRICT
                """)
        guard Self.expiring.contains(self) else { return }
        try database.execute(sql: "CREATE INDEX \(name)_expires ON \(name) (expires)")
    }

    /// The row with this key, opened.
    func find(_ key: [UInt8], in database: Database, _ seal: VaultSeal) throws -> OpenedRow? {
        try database.row("SELECT \(Self.columns) FROM \(name) WHERE name = ?", [name(of: key, seal).blob])
            .map { row in try open(row, seal) }
    }

    /// The rows after a position, opened.
    func list(after position: Int64, limit: Int, in database: Database, _ seal: VaultSeal) throws -> [OpenedRow] {
        try list(
            "SELECT \(Self.columns) FROM \(name) WHERE row > ? ORDER BY row LIMIT ?", [position, limit], in: database,
            seal)
    }

    /// The rows before a position, opened, the latest first.
    func list(before position: Int64, limit: Int, in database: Database, _ seal: VaultSeal) throws -> [OpenedRow] {
        try list(
            "SELECT \(Self.columns) FROM \(name) WHERE row < ? ORDER BY row DESC LIMIT ?", [position, limit],
            in: database, seal)
    }

    /// The rows that a statement gives with the columns of ``columns``, opened.
    func list(
        _ statement: String, _ arguments: [any DatabaseValueConvertible], in database: Database, _ seal: VaultSeal
    ) throws -> [OpenedRow] {
        try database.map(statement, arguments) { row in try open(row, seal) }
    }

    /// Erases rows whose time has come, and tells how many.
    func purge(expiredAt now: Timestamp, limit: Int, in database: Database) throws -> Int {
        try database.run(
            "DELETE FROM \(name) WHERE row IN (SELECT row FROM \(name) WHERE expires <= ? LIMIT ?)",
            [try now.seconds.stored, limit])
        return database.changesCount
    }
}
