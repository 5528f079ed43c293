internal import Foundation
internal import GRDB

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The rows of a SQLite store as they lie in it, sealed, for carrying them into another engine.
///
/// Nobody else uses the store meanwhile.
package final class SQLiteExport: Sendable {
    /// What stands in a column.
    package enum Value: Sendable, Equatable {
        case null
        case number(Int64)
        case bytes([UInt8])
    }

    /// The file.
    package let path: String
    private let file: SQLiteFile
    private let lock: StoreLock
    private let states = QueueStates()

    /// Opens a vault's file; what is sealed stays sealed.
    ///
    /// - Throws: ``StoreError/noVault(path:)``, ``StoreError/locked(path:process:)``, and what opening the file throws
    package init(vault folder: VaultFolder) throws(StoreError) {
        guard folder.holdsVault else { throw .noVault(path: folder.path) }
        lock = try StoreLock(folder)
        path = folder.databasePath
        file = try SQLiteFile(path: path, schema: VaultSchema.current)
    }

    /// Opens a relay's file.
    ///
    /// - Throws: ``StoreError/locked(path:process:)``, and what opening the file throws
    package init(relay path: String) throws(StoreError) {
        lock = try StoreLock(file: path + ".lock", of: path)
        self.path = path
        file = try SQLiteFile(path: path, schema: RelaySchema.current)
        try file.readNow("table queue_change") { [states] database in try states.load(from: database) }
    }

    /// What messages have made of each of a relay's queues.
    package func states(ofQueues rows: some Sequence<Int64>) throws -> [Int64: QueueState] {
        try Dictionary(uniqueKeysWithValues: rows.map { ($0, try states.state(ofQueue: $0)) })
    }

    /// Every row of a query, one after the other.
    package func rows(_ sql: String, _ body: ([Value]) throws -> Void) throws {
        try file.readNow(sql) { database in
            let rows = try database.rows(sql)
            while let row = try rows.next() {
                try body(
                    row.databaseValues.map { value throws in
                        switch value.storage {
                        case .null: .null
                        case .int64(let number): .number(number)
                        case .blob(let data): .bytes([UInt8](data))
                        case .double, .string: throw StoreError.corrupted("a column of: \(sql)")
                        }
                    })
            }
        }
    }

    /// Closes the file and gives it a name under which no program looks for it: what it holds would be taken for the
    /// newest.
    ///
    /// - Returns: the new path
    package func retire() throws(StoreError) -> String {
        try file.closeNow()
        let target = path + ".migrated"
        guard unsafe rename(path, target) == 0 else { throw .inputOutput("\(path): \(SystemError.text(errno))") }
        return target
    }
}
