public import HandfastStore
internal import Synchronization

/// Carries what SQLite files hold into a PostgreSQL database: all of it, read back and compared, or nothing.
///
/// - Source: Spec/08 §8.5
public enum PostgresMigration {
    /// One table that was carried over.
    public struct Table: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// How many rows it has.
        public let rows: Int
    }

    /// What was carried over.
    public struct Result: Sendable, Equatable {
        /// Its tables.
        public let tables: [Table]
        /// Where the file is now that nobody is to use it any more.
        public let retired: String
    }

    /// Carries a vault over. It stays sealed, and opens by what opened it before.
    ///
    /// - Parameter progress: told of a table and how many of its rows were sent.
    /// - Throws: ``StoreError/alreadyExists(path:)`` when the database has a vault; ``StoreError/noVault(path:)``,
    ///   ``StoreError/locked(path:process:)``, ``StoreError/corrupted(_:)``, ``StoreError/inputOutput(_:)``
    public static func vault(
        from folder: VaultFolder, to address: PostgresAddress, schema: String = PostgresVaultStore.usualSchema,
        progress: @escaping @Sendable (String, Int) -> Void = { _, _ in }
    ) async throws(StoreError) -> Result {
        let export = try SQLiteExport(vault: folder)
        let database = try PostgresDatabase(
            address, schema: schema, layout: PostgresVaultLayout.current, connections: 1, repeating: [])
        return try await carry(export, to: database) { transaction in
            guard try transaction.rows("SELECT 1::bigint FROM vault LIMIT 1").count == 0 else {
                throw StoreError.alreadyExists(path: "\(address)")
            }
            let tables = try carry(VaultCopies.all, from: export, by: transaction, progress)
            try VaultCopies.carryFeed(from: export, by: transaction)
            return tables
        }
    }

    /// Carries a relay's queues over.
    ///
    /// - Parameter progress: told of a table and how many of its rows were sent.
    /// - Throws: as ``vault(from:to:schema:progress:)``
    public static func relay(
        from path: String, to address: PostgresAddress, schema: String = PostgresRelayStore.usualSchema,
        progress: @escaping @Sendable (String, Int) -> Void = { _, _ in }
    ) async throws(StoreError) -> Result {
        let export = try SQLiteExport(relay: path)
        let database = try PostgresDatabase(
            address, schema: schema, layout: PostgresRelayLayout.current, connections: 1, repeating: [])
        return try await carry(export, to: database) { transaction in
            guard try transaction.rows("SELECT 1::bigint FROM service LIMIT 1").count == 0 else {
                throw StoreError.alreadyExists(path: "\(address)")
            }
            let rows = try RelayRows(of: export)
            let tables = try carry(RelayCopies(rows).all, from: export, by: transaction, progress)
            try export.rows("SELECT bytes, queues FROM kept") { row in
                transaction.growth = Int(try row.number(0))
                try transaction.countOpened(Int(try row.number(1)))
            }
            return tables
        }
    }

    private static func carry(
        _ export: SQLiteExport, to database: PostgresDatabase,
        _ body: @escaping @Sendable (PostgresTransaction) throws -> [Table]
    ) async throws(StoreError) -> Result {
        do throws(StoreError) {
            let tables = try await database.commit("migration", body)
            await database.close()
            return Result(tables: tables, retired: try export.retire())
        } catch {
            await database.close()
            throw error
        }
    }

    private static func carry(
        _ copies: [TableCopy], from export: SQLiteExport, by transaction: PostgresTransaction,
        _ progress: (String, Int) -> Void
    ) throws -> [Table] {
        try copies.map { copy throws in
            let sent = try copy.copy(from: export, by: transaction, progress)
            guard try copy.sum(by: transaction) == sent else {
                throw StoreError.corrupted("table \(copy.table) as PostgreSQL gives it back")
            }
            return Table(name: copy.table, rows: sent.rows)
        }
    }
}
