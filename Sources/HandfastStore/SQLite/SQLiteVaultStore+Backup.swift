internal import Foundation
internal import GRDB
public import HandfastChannel
public import HandfastCrypto

extension SQLiteVaultStore: BackupSource {
    /// Adds to a backup what has changed since, or makes it.
    public func backUp(
        to path: String, passphrase: [UInt8]?, parameters: PassphraseParameters,
        files: [(name: String, bytes: [UInt8])],
        now: Timestamp, keeping: @escaping @Sendable (BackupRow) throws -> BackupRow?
    ) async throws(StoreError) -> BackupOutcome {
        try await file.read("backup") { [seal] database in
            try BackupMaking(SQLiteSnapshot(database: database), seal, files: files, now: now, keeping)
                .run(at: path, passphrase: passphrase, parameters)
        }
    }

    /// As ``create(in:protection:)``, filled before it stands: nothing that looks like a vault is left behind unless
    /// `fill` came to its end.
    ///
    /// - Throws: as ``create(in:protection:)``, and what `fill` throws
    public static func create(
        in folder: VaultFolder, protection: VaultProtection,
        filling fill: (SQLiteVaultStore) async throws -> Void
    ) async throws {
        try folder.create()
        let lock = try StoreLock(folder)
        guard !folder.holdsVault else { throw StoreError.alreadyExists(path: folder.path) }
        let (header, seal) = try VaultHeader.make(protection)
        do {
            let draftPath = folder.file(named: "vault.new.sqlite")
            try folder.removeDatabase(draftPath)
            do {
                let draft = try SQLiteFile(path: draftPath, schema: VaultSchema.current)
                try draft.commitNow("vault") { database in try header.insert(into: database) }
                let store = SQLiteVaultStore(file: draft, seal: seal, lock: lock)
                do {
                    try await fill(store)
                } catch {
                    try? draft.closeNow()
                    throw error
                }
                try draft.closeNow()
            } catch {
                try? folder.removeDatabase(draftPath)
                throw error
            }
            try folder.moveDatabase(draftPath, to: folder.databasePath)
            try folder.removeDatabase(draftPath)
        } catch {
            if case .newKeyFile(let path) = protection { _ = unsafe unlink(path) }
            throw error
        }
    }
}

private struct SQLiteSnapshot: VaultSnapshot {
    let database: Database

    let recordOrder = "e.row"

    func rows(_ sql: String) throws -> any SnapshotRows { SQLiteSnapshotRows(cursor: try database.rows(sql)) }
}

private struct SQLiteSnapshotRows: SnapshotRows {
    let cursor: RowCursor

    func next() throws -> (any EngineRow)? { try cursor.next() }
}
