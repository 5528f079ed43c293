import HandfastStore
import Testing

/// The engines that the conformance suites run against.
enum StoreEngine: CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite

    var testDescription: String { "\(self)" }
}

/// A vault of one engine that can be closed and opened again.
struct VaultUnderTest {
    private(set) var store: any VaultStore
    private let folder = TemporaryFolder()

    init(_ engine: StoreEngine) throws {
        store =
            switch engine {
            case .memory: MemoryVaultStore()
            case .sqlite: try Make.keyFileVault(folder)
            }
    }

    /// Ends the store and opens what it left.
    mutating func reopen() async throws {
        if let memory = store as? MemoryVaultStore {
            store = memory.reopened()
            return
        }
        await store.close()
        // The lock goes with the last reference.
        store = MemoryVaultStore()
        store = try Make.reopenKeyFileVault(folder)
    }
}

/// A relay store of one engine that can be closed and opened again.
struct RelayUnderTest {
    private(set) var store: any RelayStore
    private let folder: TemporaryFolder
    private let limits: RelayLimits

    init(_ engine: StoreEngine, limits: RelayLimits = .standard) throws {
        folder = try TemporaryFolder().made()
        self.limits = limits
        store =
            switch engine {
            case .memory: MemoryRelayStore(limits: limits)
            case .sqlite: try SQLiteRelayStore(path: folder.file("relay.sqlite"), limits: limits)
            }
    }

    /// Ends the store and opens what it left.
    mutating func reopen() async throws {
        if let memory = store as? MemoryRelayStore {
            store = memory.reopened()
            return
        }
        await store.close()
        store = try SQLiteRelayStore(path: folder.file("relay.sqlite"), limits: limits)
    }
}
