internal import Foundation
internal import HandfastPostgres
internal import HandfastStore

/// Where a vault's rows are: in a file of its folder, or in a database that the folder's configuration names.
enum VaultPlace {
    case folder(VaultFolder)
    /// The folder still holds key file, configuration and socket, and is used by one process of this machine at a time.
    case database(PostgresAddress, VaultFolder)

    init(_ settings: Settings) throws {
        self = try settings.database().map { .database($0, settings.folder) } ?? .folder(settings.folder)
    }

    /// Makes a vault.
    func create(_ protection: VaultProtection) async throws -> OpenVault {
        switch self {
        case .folder(let folder):
            return OpenVault(store: try SQLiteVaultStore.create(in: folder, protection: protection), lock: nil)
        case .database(let address, let folder):
            try folder.create()
            let lock = try StoreLock(folder)
            let store = try await PostgresVaultStore.create(
                address, protection: protection, holding: .alone(as: Self.holder(folder)))
            return OpenVault(store: store, lock: lock)
        }
    }

    /// Makes a vault that is there only once `fill` has come to its end.
    func create(_ protection: VaultProtection, filling fill: (any VaultStore) async throws -> Void) async throws {
        switch self {
        case .folder(let folder):
            try await SQLiteVaultStore.create(in: folder, protection: protection) { store in try await fill(store) }
        case .database(let address, let folder):
            try folder.create()
            let lock = try StoreLock(folder)
            defer { withExtendedLifetime(lock) {} }
            try await PostgresVaultStore.create(address, protection: protection, holder: Self.holder(folder)) { store in
                try await fill(store)
            }
        }
    }

    /// Opens the vault: for this process alone, or beside the one that has it.
    func open(_ unlock: () throws -> VaultUnlock) async throws -> VaultUse {
        switch self {
        case .folder(let folder):
            guard folder.holdsVault else { throw StoreError.noVault(path: folder.path) }
            let unlock = try unlock()
            return try await Progress.during("Opening the vault") {
                .alone(OpenVault(store: try SQLiteVaultStore.open(folder, unlocking: unlock), lock: nil))
            }
        case .database(let address, let folder):
            let lock = try StoreLock(folder)
            let unlock = try unlock()
            return try await Progress.during("Opening the vault") {
                let store = try await PostgresVaultStore.open(address, unlocking: unlock, holding: .standingBy)
                let vault = StandingVault(store: store, lock: lock, name: Self.holder(folder))
                do {
                    return try await vault.take().map { .alone($0) } ?? .standingBy(vault)
                } catch {
                    await store.close()
                    throw error
                }
            }
        }
    }

    /// Who uses the vault, as others see it: since the folder's lock is held, whoever had this name before is gone.
    private static func holder(_ folder: VaultFolder) -> String { "\(machine)\(folder.path)" }

    /// What the names of all holders of this machine begin with.
    static var machine: String { "\(ProcessInfo.processInfo.hostName):" }
}

/// How this process has a vault.
enum VaultUse: Sendable {
    case alone(OpenVault)
    case standingBy(StandingVault)
}

/// A vault in use, with the lock of its folder where the store holds none.
struct OpenVault: Sendable {
    let store: any VaultStore
    let lock: StoreLock?
}

/// A vault in PostgreSQL that another process has, with the lock of the own folder.
struct StandingVault: Sendable {
    /// Reads what the other process commits.
    let store: PostgresVaultStore
    let lock: StoreLock
    /// What others see when this process has the vault.
    let name: String

    /// The vault for this process alone; nil while another has it.
    func take() async throws -> OpenVault? {
        try await store.take(as: name).map { OpenVault(store: $0, lock: lock) }
    }
}
