import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastPostgres
import Testing

@testable import HandfastStore

/// Backups as files: what they hold, how they grow, and what they refuse.
@Suite struct BackupTests {
    private static let passphrase = Array("of the backup".utf8)

    /// A vault with some rows of each kind.
    private static func filled(_ folder: TemporaryFolder) async throws -> SQLiteVaultStore {
        let store = try Make.keyFileVault(folder)
        try await fill(store)
        return store
    }

    private static func fill(_ store: any VaultStore) async throws {
        var changes: [VaultChange] = []
        for number in 0..<20 {
            var change = Make.newRelationship(number)
            change.relationship?.resume = .set(Make.bytes(number + 500))
            change.entries = [Make.entry(number, 1), Make.entry(number, 2, direction: .inviter)]
            change.outbox = [try Make.outboxItem(number, queue: number, 0)]
            change.events = [EventDraft(relationship: Make.relationship(number), payload: Make.bytes(number))]
            changes.append(change)
        }
        var rest = VaultChange()
        rest.identities = [IdentityRow(id: IdentityID(Make.digest(1)), bytes: Make.bytes(1))]
        rest.services = [ServiceRow(key: try Make.service(1), bytes: Make.bytes(2))]
        rest.cursor = ServiceCursor(service: try Make.service(1), position: 7)
        rest.queues = [QueueRow(id: try Make.queue(90), relationship: nil, bytes: Make.bytes(3))]
        rest.wallet = [WalletRow(key: WalletKey(.copy, [1, 2]), bytes: Make.bytes(4))]
        rest.invitations = [InvitationRow(knock: Make.knock(1), bytes: Make.bytes(4_444))]
        changes.append(rest)
        for outcome in try await store.commit(changes) {
            guard case .committed = outcome else { throw StoreError.missing("a change of the test") }
        }
        var confirmed = VaultChange()
        confirmed.outboxConfirmed = [
            OutboxConfirmation(relationship: Make.relationship(0), queue: try Make.queue(0), through: 0)
        ]
        _ = try await store.commit([confirmed])
    }

    @discardableResult
    private static func backUp(_ store: any BackupSource, to path: String) async throws -> BackupOutcome {
        var random = SecureRandom()
        return try await store.backUp(
            to: path, passphrase: passphrase, parameters: .interactive(using: &random),
            files: [(name: "config.json", bytes: Array("{}".utf8))], now: Make.time(1_000)
        ) { $0 }
    }

    private static func rows(_ path: String, _ passphrase: [UInt8] = passphrase) async throws -> [BackupRow] {
        let reader = try BackupReader(path: path, passphrase: passphrase)
        await reader.rewind()
        var rows: [BackupRow] = []
        while let row = try await reader.next() { rows.append(row) }
        return rows
    }

    @Test func aBackupHoldsWhatTheVaultHoldsButNoChannelOutboxOrInvitation() async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        let path = folder.file("backup")
        try await Self.backUp(store, to: path)
        let rows = try await Self.rows(path)
        func count(_ kind: BackupRow.Kind) -> Int { rows.count { $0.kind == kind } }
        #expect(BackupRow.Kind.allCases.map(count) == [0, 1, 1, 1, 20, 40, 1, 0, 20, 1])
        #expect(rows.contains(.service(try Make.service(1), cursor: 7, bytes: Make.bytes(2))))
        #expect(rows.contains(.record(Make.entry(3, 2, direction: .inviter))))
        let head = BackupQueueHead(queue: try Make.queue(0), next: 1, chain: Make.digest(2_000))
        #expect(
            rows.contains(
                .relationship(
                    Make.relationship(0), state: Make.bytes(0), resume: Make.bytes(500), heads: [head])))
        await store.close()
    }

    /// Whichever engine holds them, the same rows make the same backup, and additions are as small.
    @Test func aVaultInPostgresIsBackedUpAsAnyOther() async throws {
        let folder = try TemporaryFolder().made()
        let other = TemporaryFolder()
        let schema = PostgresPlace.newSchema()
        let store = try await PostgresPlace.newVault(schema, keyFile: folder.file("key"))
        try await Self.fill(store)
        // Many pages of a cursor, while the vault goes on committing.
        var events = VaultChange()
        events.events = (0..<1_200).map { EventDraft(relationship: nil, payload: Make.bytes($0)) }
        _ = try await store.commit([events])
        let sqlite = try await Self.filled(other)
        _ = try await sqlite.commit([events])
        let path = folder.file("backup")
        let reader = try await PostgresPlace.vault(schema, keyFile: folder.file("key"), holding: .standingBy)
        let committing = Task {
            for _ in 0..<20 {
                var change = VaultChange()
                change.skippedPositions = 1
                _ = try await store.commit([change])
            }
        }
        let first = try await Self.backUp(reader, to: path)
        try await committing.value
        #expect(first.isWhole)
        try await Self.backUp(sqlite, to: other.file("backup"))
        func key(_ row: BackupRow) -> String { "\(row)" }
        let rows = try await Self.rows(path)
        let expected = try await Self.rows(other.file("backup"))
        #expect(rows.count == expected.count)
        #expect(rows.map(key).sorted() == expected.map(key).sorted())

        var change = VaultChange()
        change.relationship = RelationshipUpdate(
            id: Make.relationship(3), expectedVersion: 1, state: .set(Make.bytes(333)), channel: .set(Make.bytes(334)))
        change.wallet = [WalletRow(key: WalletKey(.copy, [1, 2]), bytes: nil)]
        change.cursor = ServiceCursor(service: try Make.service(1), position: 9)
        _ = try await store.commit([change])
        let second = try await Self.backUp(reader, to: path)
        #expect(!second.isWhole && second.rows == 2 && second.gone == 1)
        #expect(try await Self.rows(path).contains(.service(try Make.service(1), cursor: 9, bytes: Make.bytes(2))))
        #expect(try await Self.backUp(reader, to: path).rows == 0)
        for store in [store, reader] { await store.close() }
        await sqlite.close()
    }

    @Test func aVaultInPostgresIsThereOnlyOnceItIsFilled() async throws {
        let folder = try TemporaryFolder().made()
        let schema = PostgresPlace.newSchema()
        let address = try PostgresPlace.address()
        let keyFile = folder.file("key")
        func create(_ fill: (PostgresVaultStore) async throws -> Void) async throws {
            try await PostgresVaultStore.create(
                address, schema: schema, protection: .newKeyFile(path: keyFile), holder: "test", connections: 2,
                filling: fill)
        }
        await #expect(throws: StoreError.full) {
            try await create { store in
                _ = try await store.commit([Make.newRelationship(1)])
                throw StoreError.full
            }
        }
        #expect(!FileManager.default.fileExists(atPath: keyFile))
        #expect(try PostgresPlace.query("SELECT count(*) FROM \(schema).relationship") == "1")
        try await create { store in _ = try await store.commit([Make.newRelationship(2)]) }
        let store = try await PostgresPlace.vault(schema, keyFile: keyFile)
        #expect(try await store.relationships(after: 0, limit: 10).map(\.id) == [Make.relationship(2)])
        await #expect(throws: StoreError.alreadyExists(path: "\(address)")) { try await create { _ in } }
        await store.close()
    }

    @Test func whatIsAddedIsSmallAndTakesThePlaceOfWhatItReplaces() async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        let path = folder.file("backup")
        let first = try await Self.backUp(store, to: path)
        #expect(first.isWhole && first.rows == 85)
        var change = VaultChange()
        change.relationship = RelationshipUpdate(
            id: Make.relationship(3), expectedVersion: 1, state: .set(Make.bytes(333)), channel: .set(Make.bytes(334)))
        // The same place in the ledger holds another record from now on.
        change.voided = [VoidedEntries(relationship: Make.relationship(3), direction: .invitee, from: 1)]
        var other = Make.entry(3, 1)
        other.bytes = Make.bytes(77)
        change.entries = [other]
        change.wallet = [WalletRow(key: WalletKey(.copy, [1, 2]), bytes: nil)]
        change.closedQueues = [try Make.queue(90)]
        _ = try await store.commit([change])
        let second = try await Self.backUp(store, to: path)
        #expect(!second.isWhole && second.rows == 2 && second.gone == 2)
        #expect(second.written < first.size / 5, "\(second.written) of \(first.size)")
        let rows = try await Self.rows(path)
        #expect(rows.count == 83)
        #expect(rows.contains(.record(other)) && !rows.contains(.record(Make.entry(3, 1))))
        #expect(!rows.contains { $0.kind == .queue || $0.kind == .wallet })
        let third = try await Self.backUp(store, to: path)
        #expect(third.rows == 0 && third.written < 200)
        await store.close()
    }

    @Test func aBackupThatHasGrownTooLongIsWrittenWholeAgain() async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        let path = folder.file("backup")
        try await Self.backUp(store, to: path)
        var isWhole = false
        for version in 1...8 where !isWhole {
            var change = VaultChange()
            change.relationship = RelationshipUpdate(
                id: Make.relationship(1), expectedVersion: Int64(version),
                state: .set(Make.bytes(version, count: 400_000)))
            _ = try await store.commit([change])
            isWhole = try await Self.backUp(store, to: path).isWhole
        }
        #expect(isWhole)
        #expect(try await Self.rows(path).count == 85)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".new") } == [])
        await store.close()
    }

    @Test func nothingButTheRightPassphraseAndTheVaultOpensIt() async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        let path = folder.file("backup")
        try await Self.backUp(store, to: path)
        await #expect(throws: StoreError.backup(path: path, .wrongPassphrase)) {
            _ = try await Self.rows(path, Array("another".utf8))
        }
        let elsewhere = TemporaryFolder()
        let other = try Make.keyFileVault(elsewhere)
        await #expect(throws: StoreError.backup(path: path, .anotherVault)) { try await Self.backUp(other, to: path) }
        let new = folder.file("new")
        await #expect(throws: StoreError.backup(path: new, .needsPassphrase)) {
            var random = SecureRandom()
            _ = try await store.backUp(
                to: new, passphrase: nil, parameters: .interactive(using: &random), files: [], now: Make.time(1)
            ) { $0 }
        }
        #expect(!FileManager.default.fileExists(atPath: new))
        try Data("something else".utf8).write(to: URL(fileURLWithPath: new))
        await #expect(throws: StoreError.backup(path: new, .notABackup)) { try await Self.backUp(store, to: new) }
        #expect(FileManager.default.contents(atPath: new) == Data("something else".utf8))
        await store.close()
        await other.close()
    }

    @Test func everyChangedByteIsSeenBeforeAnythingIsRestored() async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        let path = folder.file("backup")
        try await Self.backUp(store, to: path)
        let first = try #require(FileManager.default.contents(atPath: path)).count
        _ = try await store.commit([Make.newRelationship(50)])
        try await Self.backUp(store, to: path)
        let whole = [UInt8](try #require(FileManager.default.contents(atPath: path)))
        let header = 7 + (Int(whole[5]) << 8 | Int(whole[6]))
        let key = try BackupFile(path: path, writing: false) { try $0.open(vault: store.seal) }.openedKey
        let changed = folder.file("changed")
        // Without the hashing of a passphrase for each.
        for place in stride(from: header, to: whole.count, by: 37) {
            var bytes = whole
            bytes[place] ^= 0x10
            try Data(bytes).write(to: URL(fileURLWithPath: changed))
            let file = try BackupFile(path: changed, writing: false) { _ in key }
            do {
                while try file.next() != nil {}
                // A length that leads beyond the end is that of a part that a crash has left behind.
                #expect(
                    file.hasUnfinishedEnd && (header..<header + 8 ~= place || first..<first + 8 ~= place), "\(place)")
            } catch let fault as BackupFault {
                guard case .damaged = fault else {
                    Issue.record("\(place): \(fault)")
                    return
                }
            }
        }
        for place in 7..<header {
            var bytes = whole
            bytes[place] ^= 0x10
            try Data(bytes).write(to: URL(fileURLWithPath: changed))
            #expect(throws: BackupFault.self, "\(place)") {
                let file = try BackupFile(path: changed, writing: false) { try $0.open(vault: store.seal) }
                while try file.next() != nil {}
            }
        }
        // Parts change places, or one is left out.
        let second = Array(whole[first...])
        for bytes in [Array(whole[..<header]) + second, whole + second, Array(whole[..<first]) + whole[header..<first]]
        {
            try Data(bytes).write(to: URL(fileURLWithPath: changed))
            await #expect(throws: StoreError.self) { _ = try await Self.rows(changed) }
        }
        await store.close()
    }

    @Test(arguments: [1, 7, 8, 9, 40, 150])
    func whatACrashLeavesUnfinishedCountsAsNothingAndIsWrittenAnew(missing: Int) async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        let path = folder.file("backup")
        try await Self.backUp(store, to: path)
        let before = try await Self.rows(path)
        _ = try await store.commit([Make.newRelationship(50)])
        try await Self.backUp(store, to: path)
        let whole = try #require(FileManager.default.contents(atPath: path))
        try whole.prefix(whole.count - missing).write(to: URL(fileURLWithPath: path))
        let reader = try BackupReader(path: path, passphrase: Self.passphrase)
        #expect(await reader.hasUnfinishedEnd)
        #expect(try await Self.rows(path) == before)
        try await Self.backUp(store, to: path)
        #expect(try await Self.rows(path).count == before.count + 1)
        await store.close()
    }

    @Test func aBackupIsOfOneStateWhileTheVaultGoesOn() async throws {
        let folder = TemporaryFolder()
        let store = try await Self.filled(folder)
        // Each commit adds a relationship and its record: no state has one without the other.
        let writer = Task {
            for number in 100..<400 {
                var change = Make.newRelationship(number)
                change.entries = [Make.entry(number, 1)]
                _ = try await store.commit([change])
            }
        }
        var isDone = false
        for round in 0..<10 {
            let path = folder.file("backup")
            try await Self.backUp(store, to: path)
            let rows = try await Self.rows(path)
            let relationships = Set(
                rows.compactMap { row -> RelationshipID? in
                    if case .relationship(let id, _, _, _) = row { id } else { nil }
                })
            let written = Set(
                rows.compactMap { row -> RelationshipID? in
                    if case .record(let entry) = row { entry.relationship } else { nil }
                })
            #expect(relationships == written, "round \(round)")
            isDone = relationships.count == 320
            if isDone { break }
        }
        try await writer.value
        await store.close()
    }

    @Test func aVaultThatIsNotFilledToItsEndIsNone() async throws {
        let folder = TemporaryFolder()
        let key = folder.file("vault.key")
        await #expect(throws: StoreError.full) {
            try await SQLiteVaultStore.create(in: folder.vault, protection: .newKeyFile(path: key)) { store in
                _ = try await store.commit([Make.newRelationship(1)])
                throw StoreError.full
            }
        }
        #expect(!folder.vault.holdsVault)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["vault.lock"])
        try await SQLiteVaultStore.create(in: folder.vault, protection: .newKeyFile(path: key)) { store in
            _ = try await store.commit([Make.newRelationship(1)])
        }
        await #expect(throws: StoreError.alreadyExists(path: folder.path)) {
            try await SQLiteVaultStore.create(in: folder.vault, protection: .newKeyFile(path: key)) { _ in }
        }
        let store = try SQLiteVaultStore.open(folder.vault, unlocking: .keyFile(path: key))
        #expect(try await store.relationship(Make.relationship(1))?.version == 1)
        await store.close()
    }
}
