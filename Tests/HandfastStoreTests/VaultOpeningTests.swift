import Foundation
import GRDB
import HandfastChannel
import HandfastCrypto
import Testing

@testable import HandfastStore

@Suite struct VaultOpeningTests {
    private static func passphraseVault(_ folder: TemporaryFolder) throws -> SQLiteVaultStore {
        var random = SecureRandom()
        return try SQLiteVaultStore.create(
            in: folder.vault, protection: .passphrase(Array("right".utf8), .interactive(using: &random)))
    }

    private static func open(_ folder: TemporaryFolder, _ passphrase: String) throws -> SQLiteVaultStore {
        try SQLiteVaultStore.open(folder.vault, unlocking: .passphrase(Array(passphrase.utf8)))
    }

    /// Opens, ignoring the store: for expectations of an error.
    private static func attempt(_ body: () throws -> SQLiteVaultStore) throws {
        _ = try body()
    }

    private static func edit(_ folder: TemporaryFolder, _ sql: String) throws {
        let queue = try DatabaseQueue(path: folder.vault.databasePath)
        try queue.write { database in try database.execute(sql: sql) }
        try queue.close()
    }

    @Test func theRightPassphraseOpensAndAWrongOneSaysSo() async throws {
        let folder = TemporaryFolder()
        try await Self.passphraseVault(folder).close()
        #expect(throws: StoreError.wrongPassphrase) { try Self.attempt { try Self.open(folder, "wrong") } }
        #expect(throws: StoreError.wrongPassphrase) { try Self.attempt { try Self.open(folder, "") } }
        try await Self.open(folder, "right").close()
    }

    @Test func aDamagedHeaderIsNotTakenForAWrongPassphrase() async throws {
        let folder = TemporaryFolder()
        try await Self.passphraseVault(folder).close()
        for edit in [
            "UPDATE vault SET wrapped = zeroblob(104)", "UPDATE vault SET passes = 1000000",
            "UPDATE vault SET salt = x'00'", "UPDATE vault SET method = 9", "DELETE FROM vault",
        ] {
            try Self.edit(folder, edit)
            let error = #expect(throws: StoreError.self) { try Self.attempt { try Self.open(folder, "right") } }
            guard case .corrupted(let what) = error else {
                Issue.record("\(edit): \(String(describing: error))")
                continue
            }
            #expect(what.contains("table vault"))
        }
    }

    @Test func aKeyFileIsMadeForItsOwnerAloneAndChecked() async throws {
        let folder = TemporaryFolder()
        try await Make.keyFileVault(folder).close()
        let path = folder.file("key")
        func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        }
        #expect(try mode(path) == 0o600)
        #expect(try mode(folder.path) == 0o700)
        #expect(try mode(folder.vault.databasePath) == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: StoreError.keyFilePermissions(path: path)) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try await Make.reopenKeyFileVault(folder).close()
        try Data(repeating: 1, count: 32).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(throws: StoreError.wrongPassphrase) { try Self.attempt { try Make.reopenKeyFileVault(folder) } }
        try Data(repeating: 1, count: 31).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(throws: StoreError.keyFile(path: path, reason: "it has 31 bytes instead of 32")) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
        try FileManager.default.removeItem(atPath: path)
        let missing = #expect(throws: StoreError.self) { try Self.attempt { try Make.reopenKeyFileVault(folder) } }
        guard case .keyFile(path, _) = missing else {
            Issue.record("\(String(describing: missing))")
            return
        }
    }

    @Test func anExistingKeyFileIsNotOverwritten() throws {
        let folder = try TemporaryFolder().made()
        try Data([1]).write(to: URL(fileURLWithPath: folder.file("key")))
        #expect(throws: StoreError.self) { try Self.attempt { try Make.keyFileVault(folder) } }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("key"))) == Data([1]))
        #expect(!folder.vault.holdsVault)
    }

    @Test func aSecondUserOfTheVaultIsToldWhoHoldsIt() async throws {
        let folder = TemporaryFolder()
        let store = try Make.keyFileVault(folder)
        let holder = ProcessInfo.processInfo.processIdentifier
        #expect(throws: StoreError.locked(path: folder.path, process: holder)) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
        #expect(throws: StoreError.locked(path: folder.path, process: holder)) {
            try Self.attempt { try Make.keyFileVault(folder) }
        }
        await store.close()
        withExtendedLifetime(store) {}
    }

    @Test func aVaultIsNeitherMissedNorMadeTwice() async throws {
        let folder = try TemporaryFolder().made()
        #expect(throws: StoreError.noVault(path: folder.path)) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
        try await Make.keyFileVault(folder).close()
        #expect(throws: StoreError.alreadyExists(path: folder.path)) {
            try Self.attempt {
                try SQLiteVaultStore.create(in: folder.vault, protection: .newKeyFile(path: folder.file("key2")))
            }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("key2")))
    }

    @Test func aForeignFileIsNotTouched() throws {
        let folder = try TemporaryFolder().made()
        let url = URL(fileURLWithPath: folder.vault.databasePath)
        let text = Data(String(repeating: "This is no database. ", count: 100).utf8)
        try text.write(to: url)
        #expect(throws: StoreError.notAVault(path: folder.vault.databasePath)) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
        #expect(try Data(contentsOf: url) == text)
        try FileManager.default.removeItem(at: url)
        let foreign = try DatabaseQueue(path: folder.vault.databasePath)
        try foreign.write { database in try database.execute(sql: "CREATE TABLE recipe (name TEXT)") }
        try foreign.close()
        #expect(throws: StoreError.notAVault(path: folder.vault.databasePath)) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
        let relay = folder.file("relay.sqlite")
        _ = try SQLiteRelayStore(path: relay)
        #expect(throws: StoreError.notAVault(path: relay)) {
            _ = try SQLiteFile(path: relay, schema: VaultSchema.current)
        }
    }

    @Test func aLaterSchemaIsRefused() async throws {
        let folder = TemporaryFolder()
        try await Make.keyFileVault(folder).close()
        try Self.edit(folder, "INSERT INTO grdb_migrations (identifier) VALUES ('999')")
        #expect(throws: StoreError.newerVersion(path: folder.vault.databasePath)) {
            try Self.attempt { try Make.reopenKeyFileVault(folder) }
        }
    }

    #if os(Linux)
        /// As a process has one that is being started while the lock is given up.
        @Test func aCopyOfItsDescriptorDoesNotKeepTheLock() throws {
            let folder = try TemporaryFolder().made()
            var copies: [CInt] = []
            defer { for copy in copies { close(copy) } }
            do {
                let lock = try StoreLock(folder.vault)
                for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
                    let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                    guard let number = CInt(name), path == folder.vault.lockPath else { continue }
                    copies.append(dup(number))
                }
                withExtendedLifetime(lock) {}
            }
            #expect(!copies.isEmpty)
            _ = try StoreLock(folder.vault)
        }
    #endif

    @Test func relationshipsOfAnOlderVaultCountAsTimed() async throws {
        let folder = TemporaryFolder()
        do {
            let store = try Make.keyFileVault(folder)
            _ = try await store.commit([Make.newRelationship(1)])
            #expect(try await store.timedRelationships(after: 0, limit: 10).isEmpty)
            await store.close()
        }
        try Self.edit(
            folder,
            """
            DROP INDEX relationship_timed; ALTER TABLE relationship DROP COLUMN timed;
            DELETE FROM grdb_migrations WHERE identifier = '4'
            """)
        let older = try Make.reopenKeyFileVault(folder)
        #expect(try await older.timedRelationships(after: 0, limit: 10).map(\.id) == [Make.relationship(1)])
        var step = VaultChange()
        step.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 1, state: .set([1]))
        _ = try await older.commit([step])
        #expect(try await older.timedRelationships(after: 0, limit: 10).isEmpty)
    }

    @Test func theWriterFlushesEveryCommit() async throws {
        let folder = try TemporaryFolder().made()
        let file = try SQLiteFile(path: folder.file("a.sqlite"), schema: VaultSchema.current)
        let level = try await file.commit("test") { database in
            try Int.fetchOne(database, sql: "SELECT synchronous FROM pragma_synchronous")
        }
        #expect(level == 2)
    }
}
