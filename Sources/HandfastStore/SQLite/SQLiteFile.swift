internal import Foundation
internal import GRDB
internal import Synchronization

/// One SQLite database in WAL mode with a single writer, every commit flushed before it counts.
///
/// - Source: Spec/08 §8.3
final class SQLiteFile: Sendable {
    /// What tells a database of ours from any other, and one kind from another.
    enum Kind: Int64 {
        /// "HFVA"
        case vault = 0x4846_5641
        /// "HFRE"
        case relay = 0x4846_5245
    }

    /// Tables and indices of one kind of database, by version.
    struct Schema {
        let kind: Kind
        let migrator: DatabaseMigrator
    }

    /// Pages of 4 KiB in a relay's log before they are written back to the database: each time costs three flushes.
    private static let relayLogPages = 65_536
    /// KiB of pages that a relay's writer keeps, so that what is acknowledged soon need not be read to be deleted.
    private static let relayCacheKiB = 32_768

    private let pool: DatabasePool
    /// Why the store answers nothing any more.
    private let ending = Mutex<StoreError?>(nil)

    /// Opens or makes the database and brings it to the newest version.
    ///
    /// - Throws: ``StoreError/notAVault(path:)``, ``StoreError/newerVersion(path:)``,
    ///   ``StoreError/unsafeDurability(_:)``, ``StoreError/corrupted(_:)``, ``StoreError/inputOutput(_:)``
    init(path: String, schema: Schema) throws(StoreError) {
        var configuration = Configuration()
        configuration.maximumReaderCount = 3
        configuration.journalMode = .wal
        // Only our own connections meet here, and none of them holds a lock for long.
        configuration.busyMode = .timeout(5)
        // Reading the schema is the first touch of the file: here a foreign file shows itself.
        configuration.prepareDatabase { database in
            // What is erased from a vault is overwritten in the file, too. A relay's content was sealed by others, and
            // overwriting it costs as much as writing it.
            try database.execute(sql: "PRAGMA secure_delete = \(schema.kind == .vault ? "ON" : "OFF")")
        }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            try Self.check(pool, path: path, schema: schema)
            try schema.migrator.migrate(pool)
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA application_id = \(schema.kind.rawValue)")
                try Self.demandDurability(database)
                // A busy relay fills the usual 1,000 pages several times a second. A vault's log stays short: until it
                // is written over it holds what was deleted.
                if schema.kind == .relay {
                    try database.execute(sql: "PRAGMA wal_autocheckpoint = \(Self.relayLogPages)")
                    try database.execute(sql: "PRAGMA cache_size = -\(Self.relayCacheKiB)")
                }
            }
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            throw .notAVault(path: path)
        } catch {
            throw Self.storeError(error, in: path)
        }
    }

    private static func check(_ pool: DatabasePool, path: String, schema: Schema) throws {
        try pool.read { database in
            let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            let kind = try Int64.fetchOne(database, sql: "PRAGMA application_id")
            guard tables == 0 || kind == schema.kind.rawValue else { throw StoreError.notAVault(path: path) }
            guard try !schema.migrator.hasBeenSuperseded(database) else { throw StoreError.newerVersion(path: path) }
        }
    }

    /// GRDB opens a WAL database with `synchronous = NORMAL`, under which the last commits may be lost with the power.
    private static func demandDurability(_ database: Database) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
        let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode")
        guard level == 2, journal == "wal" else {
            throw StoreError.unsafeDurability(
                "synchronous is \(level.map(String.init) ?? "unknown"), journal mode \(journal ?? "unknown")")
        }
    }

    /// Runs one transaction on the writer; whatever `body` throws rolls it back.
    ///
    /// A cancelled task does not cancel a commit: its outcome would be unknown.
    func commit<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        if let error = ending.withLock({ $0 }) { throw error }
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [self] database in
                continuation.resume(returning: write(what, body, in: database))
            }
        }
        return try result.get()
    }

    private func write<Value>(
        _ what: String, _ body: (Database) throws -> Value, in database: Database
    ) -> Result<Value, StoreError> {
        if let error = ending.withLock({ $0 }) { return .failure(error) }
        var isCommitting = false
        do {
            var value: Value?
            try database.inTransaction(.immediate) {
                value = try body(database)
                isCommitting = true
                return .commit
            }
            guard let value else { return .failure(.closed) }
            return .success(value)
        } catch {
            let failure = Self.storeError(error, in: what)
            guard isCommitting, case .inputOutput(let reason) = failure else { return .failure(failure) }
            // After a flush that failed nobody knows what is on the disk: only reading it anew can tell.
            let final = StoreError.syncFailed(reason)
            ending.withLock { $0 = final }
            return .failure(final)
        }
    }

    /// Reads one state of the database, beside the writer.
    func read<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        if let error = ending.withLock({ $0 }) { throw error }
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            pool.asyncRead { database in
                do {
                    continuation.resume(returning: .success(try body(database.get())))
                } catch {
                    continuation.resume(returning: .failure(Self.storeError(error, in: what)))
                }
            }
        }
        return try result.get()
    }

    /// As ``commit(_:_:)``, on the calling thread; for opening only.
    func commitNow(_ what: String, _ body: (Database) throws -> Void) throws(StoreError) {
        do {
            try pool.writeWithoutTransaction { database in try write(what, body, in: database).get() }
        } catch {
            throw Self.storeError(error, in: what)
        }
    }

    /// As ``read(_:_:)``, on the calling thread; for opening only.
    func readNow<Value>(_ what: String, _ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw Self.storeError(error, in: what)
        }
    }

    /// Closes the file on the calling thread, after everything in the log has been written to the database.
    func closeNow() throws(StoreError) {
        do {
            _ = try pool.writeWithoutTransaction { database in try database.checkpoint(.truncate) }
            try pool.close()
        } catch {
            throw Self.storeError(error, in: "closing")
        }
    }

    /// Waits for the writer and refuses everything from then on.
    func close() async {
        ending.withLock { $0 = $0 ?? .closed }
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
        // What is still being read goes on; the files are closed with the last reader.
        try? pool.close()
    }

    private static func storeError(_ error: any Error, in what: String) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else { return .inputOutput("\(what): \(error)") }
        let text = "\(what): \(error.message ?? error.resultCode.description)"
        return switch error.resultCode {
        case .SQLITE_FULL: .full
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_MISMATCH: .corrupted(text)
        case .SQLITE_CONSTRAINT: .duplicate(text)
        default: .inputOutput(text)
        }
    }
}
