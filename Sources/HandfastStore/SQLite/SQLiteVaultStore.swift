internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto

/// A vault in one SQLite file, sealed, with one writer and one flush per batch.
///
/// The store holds the lock of the vault's folder for as long as it lives.
///
/// - Source: Spec/08
public final class SQLiteVaultStore: VaultStore {
    let file: SQLiteFile
    let seal: VaultSeal
    private let lock: StoreLock

    init(file: SQLiteFile, seal: VaultSeal, lock: StoreLock) {
        self.file = file
        self.seal = seal
        self.lock = lock
    }

    /// Makes a vault. The folder is made where it is missing; on failure no vault is left behind.
    ///
    /// With ``PassphraseParameters/vault(using:)`` this takes about a second, in which the thread is busy.
    ///
    /// - Throws: ``StoreError/alreadyExists(path:)``, ``StoreError/locked(path:process:)``,
    ///   ``StoreError/keyFile(path:reason:)``, ``StoreError/keys(_:)``, ``StoreError/full``,
    ///   ``StoreError/inputOutput(_:)``
    public static func create(
        in folder: VaultFolder, protection: VaultProtection
    ) throws(StoreError) -> SQLiteVaultStore {
        try folder.create()
        let lock = try StoreLock(folder)
        guard !folder.holdsVault else { throw .alreadyExists(path: folder.path) }
        let (header, seal) = try VaultHeader.make(protection)
        // Made under another name, so that a crash in between leaves nothing that looks like a vault.
        let draftPath = folder.file(named: "vault.new.sqlite")
        try folder.removeDatabase(draftPath)
        let draft = try SQLiteFile(path: draftPath, schema: VaultSchema.current)
        try draft.commitNow("vault") { database in try header.insert(into: database) }
        try draft.closeNow()
        try folder.moveDatabase(draftPath, to: folder.databasePath)
        try folder.removeDatabase(draftPath)
        let file = try SQLiteFile(path: folder.databasePath, schema: VaultSchema.current)
        return SQLiteVaultStore(file: file, seal: seal, lock: lock)
    }

    /// Opens the vault of a folder, and brings it to the newest version.
    ///
    /// - Throws: ``StoreError/noVault(path:)``, ``StoreError/locked(path:process:)``,
    ///   ``StoreError/wrongPassphrase``, ``StoreError/notAVault(path:)``, ``StoreError/newerVersion(path:)``,
    ///   ``StoreError/corrupted(_:)``, ``StoreError/unsafeDurability(_:)``,
    ///   ``StoreError/keyFilePermissions(path:)``, ``StoreError/keyFile(path:reason:)``, ``StoreError/keys(_:)``
    public static func open(_ folder: VaultFolder, unlocking unlock: VaultUnlock) throws(StoreError) -> SQLiteVaultStore
    {
        guard folder.holdsVault else { throw .noVault(path: folder.path) }
        let lock = try StoreLock(folder)
        let file = try SQLiteFile(path: folder.databasePath, schema: VaultSchema.current)
        let header = try file.readNow("vault") { database in try VaultHeader(from: database) }
        return SQLiteVaultStore(file: file, seal: try header.open(unlock), lock: lock)
    }

    /// Ends the use of the store and waits for the writer. The lock is released with the last reference.
    public func close() async {
        await file.close()
    }
}

extension VaultHeader {
    func insert(into database: Database) throws {
        try database.run(
            "INSERT INTO vault (row, \(Self.columns)) VALUES (1, ?, ?, ?, ?, ?, ?)",
            [
                methodNumber, parameters?.memory, parameters?.passes, parameters?.salt.array.blob, wrapped.blob,
                digest.blob,
            ])
    }

    fileprivate init(from database: Database) throws {
        guard let row = try database.row("SELECT \(Self.columns) FROM vault") else {
            throw StoreError.corrupted("the header in table vault is missing")
        }
        try self.init(row)
    }
}
