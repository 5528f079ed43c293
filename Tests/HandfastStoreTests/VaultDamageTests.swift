import Foundation
import GRDB
import HandfastChannel
import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastStore

@Suite struct VaultDamageTests {
    /// A closed vault with two relationships, records, an outbox and events.
    private static func filledVault() async throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let store = try Make.keyFileVault(folder)
        var first = Make.newRelationship(1)
        first.entries = (1...400).map { Make.entry(1, $0) }
        for index in first.entries.indices { first.entries[index].bytes = Make.bytes(index, count: 400) }
        first.outbox = try (0..<3).map { try Make.outboxItem(1, queue: 1, $0) }
        first.relationship?.auxiliary = .set([1])
        first.events = [
            EventDraft(relationship: Make.relationship(1), payload: Array("a name".utf8)),
            EventDraft(relationship: nil, payload: [2]),
        ]
        first.identities = [IdentityRow(id: IdentityID(Make.digest(2)), bytes: Array("a name".utf8))]
        first.queues = [
            QueueRow(
                id: try Make.queue(7), relationship: Make.relationship(1), tendedBy: try Make.service(1), bytes: [])
        ]
        var second = Make.newRelationship(2)
        second.relationship?.auxiliary = .set([2])
        second.identities = [IdentityRow(id: IdentityID(Make.digest(3)), bytes: [3])]
        _ = try await store.commit([first, second])
        try store.file.closeNow()
        return folder
    }

    private static func edit(_ folder: TemporaryFolder, _ sql: String) throws {
        let queue = try DatabaseQueue(path: folder.vault.databasePath)
        try queue.write { database in try database.execute(sql: sql) }
        try queue.close()
    }

    /// Reads everything there is.
    private static func readAll(_ store: SQLiteVaultStore) async throws {
        for summary in try await store.relationships(after: 0, limit: 10) {
            _ = try await store.relationship(summary.id)
            for direction in SenderRole.allCases {
                _ = try await store.entries(of: summary.id, direction: direction, from: 1, limit: 1000)
            }
            _ = try await store.outbox(of: summary.id, limit: 10)
            _ = try await store.outboxHeads(of: summary.id)
        }
        _ = try await store.identities(after: 0, limit: 10)
        _ = try await store.queues(tendedBy: Make.service(1), after: 0, limit: 10)
        _ = try await store.events(after: 0, limit: 10)
    }

    @Test(arguments: [
        ("entry", "UPDATE entry SET sequence = -sequence; UPDATE entry SET sequence = 401 + sequence"),
        ("entry", "UPDATE entry SET direction = 1 WHERE sequence = 3"),
        ("entry", "UPDATE entry SET version = 1 WHERE sequence = 3"),
        ("entry", "UPDATE entry SET relationship = 2"),
        ("outbox", "UPDATE outbox SET number = number + 1 WHERE number = 2"),
        ("event", "UPDATE event SET position = 5 WHERE position = 1"),
        (
            "channel",
            "UPDATE channel SET relationship = 3 - relationship WHERE relationship = 3; "
                + "UPDATE channel SET sealed = (SELECT sealed FROM channel WHERE relationship = 2) WHERE relationship = 1"
        ),
        ("channel", "UPDATE channel SET written = written + 1"),
        ("auxiliary", "UPDATE auxiliary SET sealed = (SELECT sealed FROM auxiliary WHERE relationship = 2)"),
        ("relationship", "UPDATE relationship SET version = version + 1"),
        ("relationship", "UPDATE relationship SET sealed = (SELECT sealed FROM relationship WHERE row = 1)"),
        ("identity", "UPDATE identity SET sealed = (SELECT sealed FROM identity WHERE row = 1)"),
        ("identity", "UPDATE identity SET sealed = x'00' WHERE row = 2"),
        ("queue", "UPDATE queue SET name = zeroblob(16)"),
    ])
    func aRowOutOfItsPlaceIsNamed(_ table: String, _ edit: String) async throws {
        let folder = try await Self.filledVault()
        try Self.edit(folder, edit)
        let store = try Make.reopenKeyFileVault(folder)
        let error = await #expect(throws: StoreError.self) { try await Self.readAll(store) }
        guard case .corrupted(let what) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("table \(table),"), "\(what)")
        await store.close()
    }

    @Test(arguments: [0.1, 0.3, 0.5, 0.7, 0.9])
    func aTruncatedVaultGivesATypedError(_ part: Double) async throws {
        let folder = try await Self.filledVault()
        let url = URL(fileURLWithPath: folder.vault.databasePath)
        let bytes = try Data(contentsOf: url)
        try bytes.prefix(Int(Double(bytes.count) * part)).write(to: url)
        await #expect(throws: StoreError.self) {
            let store = try Make.reopenKeyFileVault(folder)
            try await Self.readAll(store)
        }
    }

    @Test func flippedBitsGiveTypedErrorsOrChangeNothing() async throws {
        var random = SeededEntropy(seed: 2)
        let folder = try await Self.filledVault()
        let url = URL(fileURLWithPath: folder.vault.databasePath)
        let bytes = try Data(contentsOf: url)
        var refused = 0
        for _ in 0..<60 {
            var damaged = bytes
            let offset = Int.random(in: 0..<bytes.count, using: &random)
            damaged[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try damaged.write(to: url)
            do {
                let store = try Make.reopenKeyFileVault(folder)
                do {
                    try await Self.readAll(store)
                } catch {
                    #expect(error is StoreError, "byte \(offset), seed \(random.seed)")
                    refused += 1
                }
                await store.close()
            } catch {
                #expect(error is StoreError, "byte \(offset), seed \(random.seed)")
                refused += 1
            }
        }
        #expect(refused > 10)
    }

    @Test func theFileHoldsNoNameAndNoIdentifier() async throws {
        let folder = try await Self.filledVault()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.vault.databasePath))
        let secrets = [
            Data("a name".utf8), Data("payload".utf8), Data(Make.relationship(1).digest.array),
            Data(Make.digest(2).array), Data(try Make.queue(7).array), Data(try Make.queue(1).array),
            Data(Make.entry(1, 1).hash.array),
        ]
        for secret in secrets { #expect(bytes.range(of: secret) == nil) }
    }

    @Test func anErasedBodyIsOverwrittenInTheFile() async throws {
        let folder = TemporaryFolder()
        let store = try Make.keyFileVault(folder)
        var change = Make.newRelationship(1)
        change.entries = [Make.entry(1, 1), Make.entry(1, 2)]
        _ = try await store.commit([change])
        let sealed = try await store.file.read("test") { database in
            try Data.fetchOne(database, sql: "SELECT sealed FROM entry WHERE sequence = 1")
        }
        var erasure = VaultChange()
        erasure.erasedEntries = [Make.entry(1, 1)]
        erasure.erasedEntries[0].bytes = [0]
        _ = try await store.commit([erasure])
        try store.file.closeNow()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.vault.databasePath))
        let tail = try #require(sealed).suffix(24)
        #expect(bytes.range(of: tail) == nil)
    }
}
