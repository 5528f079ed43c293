import Foundation
import HandfastPostgres
import HandfastStore
import HandfastTestSupport
import Testing

/// The engines that the conformance suites run against.
enum StoreEngine: CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite
    case postgres

    var testDescription: String { "\(self)" }
}

/// A vault of one engine that can be closed and opened again.
struct VaultUnderTest {
    private(set) var store: any VaultStore
    private let folder = TemporaryFolder()

    private let schema = PostgresPlace.newSchema()

    init(_ engine: StoreEngine) async throws {
        store =
            switch engine {
            case .memory: MemoryVaultStore()
            case .sqlite: try Make.keyFileVault(folder)
            case .postgres: try await PostgresPlace.newVault(schema, keyFile: folder.made().file("key"))
            }
    }

    /// Ends the store and opens what it left.
    mutating func reopen() async throws {
        if let memory = store as? MemoryVaultStore {
            store = memory.reopened()
            return
        }
        await store.close()
        if store is PostgresVaultStore {
            store = try await PostgresPlace.vault(schema, keyFile: folder.file("key"))
            return
        }
        // The lock goes with the last reference.
        store = MemoryVaultStore()
        store = try Make.reopenKeyFileVault(folder)
    }
}

/// A relay store of one engine that can be closed and opened again.
struct RelayUnderTest {
    private(set) var store: any RelayStore
    private let folder: TemporaryFolder
    private let schema = PostgresPlace.newSchema()
    private let limits: RelayLimits

    init(_ engine: StoreEngine, limits: RelayLimits = .standard) throws {
        folder = try TemporaryFolder().made()
        self.limits = limits
        store =
            switch engine {
            case .memory: MemoryRelayStore(limits: limits)
            case .sqlite: try SQLiteRelayStore(path: folder.file("relay.sqlite"), limits: limits)
            case .postgres: try PostgresPlace.relay(schema, limits: limits)
            }
    }

    /// Ends the store and opens what it left.
    mutating func reopen() async throws {
        if let memory = store as? MemoryRelayStore {
            store = memory.reopened()
            return
        }
        await store.close()
        store =
            store is PostgresRelayStore
            ? try PostgresPlace.relay(schema, limits: limits)
            : try SQLiteRelayStore(path: folder.file("relay.sqlite"), limits: limits)
    }
}

/// The server that the tests share; each test has tables of its own.
enum PostgresPlace {
    /// A name that no other test has.
    static func newSchema() -> String {
        "test_" + UUID().uuidString.lowercased().filter { $0 != "-" }
    }

    static func address() throws -> PostgresAddress {
        try PostgresAddress(PostgresServer.shared.get().address)
    }

    static func relay(
        _ schema: String, limits: RelayLimits = .standard, connections: Int = 2
    ) throws -> PostgresRelayStore {
        try PostgresRelayStore(address(), schema: schema, limits: limits, connections: connections)
    }

    static func newVault(_ schema: String, keyFile: String) async throws -> PostgresVaultStore {
        try await PostgresVaultStore.create(
            address(), schema: schema, protection: .newKeyFile(path: keyFile), holding: .alone(as: "test"),
            connections: 2)
    }

    static func vault(
        _ schema: String, keyFile: String, holding: PostgresVaultStore.Holding = .alone(as: "test")
    ) async throws -> PostgresVaultStore {
        try await PostgresVaultStore.open(
            address(), schema: schema, unlocking: .keyFile(path: keyFile), holding: holding, connections: 2)
    }

    /// What the server says by its own client, as text.
    static func query(_ sql: String, on server: PostgresServer? = nil) throws -> String {
        let folder = try TemporaryFolder().made()
        let files = try Spawned.Files(at: folder.file("psql"), input: sql)
        let address = try (server ?? PostgresServer.shared.get()).address
        let status = try Spawned(
            "/usr/bin/env", ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", address],
            environment: ProcessInfo.processInfo.environment, files: files
        ).waitUntilEnd()
        guard status == 0 else { throw PostgresServer.Missing(description: files.complained) }
        return files.said.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
