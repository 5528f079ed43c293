internal import HandfastChannel
internal import HandfastCrypto
public import HandfastStore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A vault in PostgreSQL, sealed, for one process at a time or for several.
///
/// A process that has it alone holds a term, which it goes on renewing; when the process is gone another takes the vault
/// after 8 seconds at most, and from then on the former commits nothing more. Meanwhile the others stand by: they read,
/// and pass on what they are asked to do. Processes that share it are kept apart relationship by relationship: of two
/// steps from one version, one is stored.
///
/// - Source: Spec/08 §8.5
public final class PostgresVaultStore: VaultStore {
    /// The schema of a vault's tables.
    public static let usualSchema = "handfast_vault"

    /// How a process has a vault.
    public enum Holding: Sendable, Hashable {
        /// Alone, as this holder; a term that the same holder left behind is over at once.
        case alone(as: String)
        /// Beside others that share it as well.
        case shared
        /// Only to read, beside whoever has it alone; ``take(as:)`` gives it to this process once nobody has it.
        case standingBy
    }

    let database: PostgresDatabase
    let seal: VaultSeal
    let tenure: VaultTenure
    private let renewing = Mutex<Task<Void, Never>?>(nil)

    init(_ database: PostgresDatabase, _ seal: VaultSeal, _ tenure: VaultTenure) {
        self.database = database
        self.seal = seal
        self.tenure = tenure
        guard tenure.isSole else { return }
        let task = Task { [database, tenure] in
            while !Task.isCancelled, !tenure.isOver {
                try? await Task.sleep(for: VaultTenure.renewal)
                guard !Task.isCancelled else { return }
                // While the server cannot be reached nobody else can take the vault either.
                try? await database.commit("renewing the term") { transaction in try tenure.renew(transaction) }
            }
        }
        renewing.withLock { $0 = task }
    }

    deinit {
        renewing.withLock { $0?.cancel() }
    }

    /// Makes a vault in a database that has none.
    ///
    /// - Throws: ``StoreError/alreadyExists(path:)`` and what ``open(_:schema:unlocking:holding:connections:)`` throws
    public static func create(
        _ address: PostgresAddress, schema: String = PostgresVaultStore.usualSchema, protection: VaultProtection,
        holding: Holding, connections: Int = 4
    ) async throws(StoreError) -> PostgresVaultStore {
        let database = try connect(address, schema, connections)
        guard try await header(in: database) == nil else {
            await database.close()
            throw .alreadyExists(path: "\(address)")
        }
        let (header, seal) = try VaultHeader.make(protection)
        try await database.commit("vault") { transaction in
            // What a restoration left that did not come to its end.
            try Self.clear(transaction)
            try header.insert(by: transaction)
        }
        return try await open(database, seal, at: address, holding)
    }

    /// As ``create(_:schema:protection:holding:connections:)``, filled before it stands: until `fill` has come to its
    /// end there is no vault in the database.
    ///
    /// - Throws: as that one, and what `fill` throws
    public static func create(
        _ address: PostgresAddress, schema: String = PostgresVaultStore.usualSchema, protection: VaultProtection,
        holder: String, connections: Int = 4, filling fill: (PostgresVaultStore) async throws -> Void
    ) async throws {
        let database = try connect(address, schema, connections)
        do {
            guard try await header(in: database) == nil else { throw StoreError.alreadyExists(path: "\(address)") }
            let (header, seal) = try VaultHeader.make(protection)
            do {
                let store = try await open(database, seal, at: address, .alone(as: holder))
                try await store.change { transaction in try Self.clear(transaction) }
                try await fill(store)
                try await store.change { transaction in try header.insert(by: transaction) }
                await store.close()
            } catch {
                if case .newKeyFile(let path) = protection { _ = unsafe unlink(path) }
                throw error
            }
        } catch {
            await database.close()
            throw error
        }
    }

    /// Changes something as the holder of the vault.
    private func change(_ body: @escaping @Sendable (PostgresTransaction) throws -> Void) async throws(StoreError) {
        try await database.commit("vault") { [seal, tenure] transaction in
            _ = try PostgresVaultTables(transaction, seal, held: tenure)
            try body(transaction)
        }
    }

    private static func clear(_ transaction: PostgresTransaction) throws {
        for table in PostgresVaultLayout.tables { try transaction.run("DELETE FROM \(table)", []) }
    }

    /// Opens the vault of a database. While another holder's term lasts, this waits to see whether it is renewed.
    ///
    /// - Throws: ``StoreError/noVault(path:)``, ``StoreError/locked(path:process:)``, ``StoreError/wrongPassphrase``,
    ///   ``StoreError/notAVault(path:)``, ``StoreError/newerVersion(path:)``, ``StoreError/corrupted(_:)``,
    ///   ``StoreError/unsafeDurability(_:)``, ``StoreError/keyFilePermissions(path:)``,
    ///   ``StoreError/keyFile(path:reason:)``, ``StoreError/keys(_:)``, ``StoreError/inputOutput(_:)``
    public static func open(
        _ address: PostgresAddress, schema: String = PostgresVaultStore.usualSchema, unlocking unlock: VaultUnlock,
        holding: Holding, connections: Int = 4
    ) async throws(StoreError) -> PostgresVaultStore {
        let database = try connect(address, schema, connections)
        do throws(StoreError) {
            guard let header = try await header(in: database) else { throw .noVault(path: "\(address)") }
            return try await open(database, header.open(unlock), at: address, holding)
        } catch {
            await database.close()
            throw error
        }
    }

    private static func connect(
        _ address: PostgresAddress, _ schema: String, _ connections: Int
    ) throws(StoreError) -> PostgresDatabase {
        try PostgresDatabase(
            address, schema: schema, layout: PostgresVaultLayout.current, connections: connections, repeating: [])
    }

    private static func open(
        _ database: PostgresDatabase, _ seal: VaultSeal, at address: PostgresAddress, _ holding: Holding
    ) async throws(StoreError) -> PostgresVaultStore {
        let holder: String
        switch holding {
        case .alone(let name): holder = name
        case .standingBy: return PostgresVaultStore(database, seal, VaultTenure.standBy(at: address))
        case .shared:
            let tenure = try await database.commit("feed") { transaction in
                try VaultTenure.share(transaction, at: address)
            }
            return PostgresVaultStore(database, seal, tenure)
        }
        var seen: Int64?
        while true {
            let before = seen
            let (tenure, until) = try await database.commit("feed") { transaction in
                var seen = before
                return (try VaultTenure.begin(transaction, at: address, as: holder, seen: &seen), seen)
            }
            if let tenure { return PostgresVaultStore(database, seal, tenure) }
            seen = until
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Ends the use of the store, and lets the next holder have it at once.
    public func close() async {
        renewing.withLock { $0?.cancel() }
        if tenure.isSole, !tenure.isOver {
            try? await database.commit("feed") { [tenure] transaction in try tenure.end(transaction) }
        }
        await database.close()
    }

    /// Deletes the vault that was just made, where it turned out not to be what was asked for.
    public func discard() async {
        try? await database.commit("vault") { transaction in
            try transaction.run("DELETE FROM vault WHERE bucket = 0 AND row = 1", [])
        }
    }

    private static func header(in database: PostgresDatabase) async throws(StoreError) -> VaultHeader? {
        try await database.read("vault") { transaction in
            try transaction.rows(
                "SELECT \(VaultHeader.columns) FROM vault WHERE bucket = 0 AND row = 1"
            ).first.map { row throws in try VaultHeader(row) }
        }
    }
}

extension VaultHeader {
    fileprivate func insert(by transaction: PostgresTransaction) throws {
        try transaction.run(
            "INSERT INTO vault (bucket, row, \(Self.columns)) VALUES (0, 1, $1, $2, $3, $4, $5, $6)",
            [
                .number(methodNumber), .optional(parameters.map { Int64($0.memory) }),
                .optional(parameters.map { Int64($0.passes) }), .optional(parameters?.salt.array), .bytes(wrapped),
                .bytes(digest),
            ])
    }
}
