import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastPostgres
import HandfastTestSupport
import Testing

@testable import HandfastStore

/// A vault that several processes could open.
@Suite struct PostgresVaultTests {
    private let schema = PostgresPlace.newSchema()
    private let folder: TemporaryFolder
    private var keyFile: String { folder.file("key") }

    init() throws {
        folder = try TemporaryFolder().made()
    }

    /// Ends the term of whoever has the vault, as if it had been paused for long enough, and takes the vault.
    private func takeOver(as holder: String) async throws -> PostgresVaultStore {
        while true {
            _ = try PostgresPlace.query("UPDATE \(schema).feed SET until = 0")
            do {
                return try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .alone(as: holder))
            } catch StoreError.locked {
                // The holder said in between that it is there.
            }
        }
    }

    @Test func whoWasTakenForGoneCommitsNothingMore() async throws {
        let first = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        _ = try await first.commit([Make.newRelationship(1)])
        let second = try await takeOver(as: "another")
        let address = try PostgresPlace.address()
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await first.commit([Make.newRelationship(2)])
        }
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await first.purge(expiredAt: Make.time(1), limit: 10)
        }
        #expect(try await second.relationship(Make.relationship(2)) == nil)
        _ = try await second.commit([Make.newRelationship(3)])
        // The first one's end does not end the second one's term.
        await first.close()
        _ = try await second.commit([Make.newRelationship(4)])
        #expect(try await second.relationships(after: 0, limit: 10).map(\.id) == [1, 3, 4].map(Make.relationship))
        await second.close()
    }

    @Test func aProcessThatWakesAfterItsTermIsFenced() async throws {
        let store = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        await store.close()
        let child = try ChildProcess.start(
            ["holder", PostgresPlace.address().forChildren, schema], in: folder)
        while ChildProcess.lines(in: folder).count < 5, child.status == nil { usleep(1_000) }
        child.signal(SIGSTOP)
        // What it was doing when it was stopped is either done or not; from here on it does nothing.
        let taken = try await takeOver(as: "parent")
        let before = try await taken.relationships(after: 0, limit: 10_000).count
        _ = try await taken.commit([Make.newRelationship(1_000_000)])
        child.signal(SIGCONT)
        #expect(await child.waitForEnd() == 0)
        let lines = ChildProcess.lines(in: folder)
        #expect(lines.last == "locked")
        // All that it was told to be stored is there, and nothing that it tried later; one answer may have been on its way.
        #expect([before, before - 1].contains(lines.count - 1))
        #expect(try await taken.relationships(after: 0, limit: 10_000).count == before + 1)
        await taken.close()
    }

    @Test func aVaultWhoseHolderIsThereIsLocked() async throws {
        let first = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        // The holder says that it is there, more often than it would.
        let saying = Task.detached { [schema] in
            while !Task.isCancelled {
                _ = try? PostgresPlace.query("UPDATE \(schema).feed SET until = until + 1000")
            }
        }
        let address = try PostgresPlace.address()
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .alone(as: "another"))
        }
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .shared)
        }
        saying.cancel()
        await saying.value
        _ = try await first.commit([Make.newRelationship(1)])
        await first.close()
        let second = try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .alone(as: "another"))
        await second.close()
    }

    @Test func ofTwoStepsFromOneVersionOneIsStored() async throws {
        let founder = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        _ = try await founder.commit([Make.newRelationship(1), Make.newRelationship(2), Make.newRelationship(3)])
        await founder.close()
        let stores = [
            try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .shared),
            try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .shared),
        ]
        var positions: [Int64] = []
        for version in Int64(1)...15 {
            // Both step relationship 1; each has another one to itself in the same batch.
            let outcomes = try await withThrowingTaskGroup(of: [ChangeOutcome].self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        try await store.commit(
                            [1, index + 2].map { number in
                                var change = VaultChange()
                                change.relationship = RelationshipUpdate(
                                    id: Make.relationship(number), expectedVersion: version,
                                    channel: .set(Make.bytes(100 * Int(version) + index)))
                                change.events = [
                                    EventDraft(relationship: Make.relationship(number), payload: [UInt8(index)])
                                ]
                                return change
                            })
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let conflict = ChangeOutcome.conflict(.version(Make.relationship(1), stored: version + 1))
            #expect(outcomes.count { $0[0] == conflict } == 1)
            for case .committed(let events) in outcomes.joined() { positions += events }
        }
        #expect(positions.count == 15 * 3)
        #expect(positions.sorted() == (1...45).map { Int64($0) })
        let events = try await stores[0].events(after: 0, limit: 100)
        #expect(events.count { $0.relationship == Make.relationship(1) } == 15)
        // Who takes the vault for itself ends the sharing.
        let sole = try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .alone(as: "sole"))
        let address = try PostgresPlace.address()
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await stores[1].commit([Make.newRelationship(9)])
        }
        for store in stores + [sole] { await store.close() }
    }

    @Test func whoStandsByReadsAndTakesTheVaultOnceItIsFree() async throws {
        let first = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        _ = try await first.commit([Make.newRelationship(1)])
        await first.close()
        let spare = try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .standingBy)
        // Somebody has it whose term does not end by itself.
        let taking = "UPDATE \(schema).feed SET term = term + 1, holder = 'else', until = 1::bigint << 50"
        _ = try PostgresPlace.query(taking)
        #expect(try await spare.relationship(Make.relationship(1)) != nil)
        let address = try PostgresPlace.address()
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await spare.commit([Make.newRelationship(2)])
        }
        #expect(try await spare.holder() == "else")
        #expect(try await spare.take(as: "spare") == nil)
        _ = try PostgresPlace.query("UPDATE \(schema).feed SET until = 0")
        #expect(try await spare.holder() == nil)
        let taken = try #require(try await spare.take(as: "spare"))
        _ = try await taken.commit([Make.newRelationship(3)])
        // Whoever sees another term has lost the vault, without having committed anything.
        _ = try PostgresPlace.query(taking)
        await taken.waitUntilTaken()
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await taken.commit([Make.newRelationship(4)])
        }
        await taken.close()
    }

    @Test func whatIsPassedOnIsBegunOnceAndAnsweredOrAbandoned() async throws {
        let first = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        let spare = try await PostgresPlace.vault(schema, keyFile: keyFile, holding: .standingBy)
        let address = try PostgresPlace.address()
        #expect(try await first.beginRequests(limit: 10).isEmpty)
        let ids = [
            try await spare.pass(Make.bytes(1), seconds: 3_600), try await spare.pass(Make.bytes(2), seconds: 3_600),
            try await spare.pass(Make.bytes(3), seconds: 3_600),
        ]
        #expect(try PostgresPlace.query("SELECT count(*) FROM \(schema).request WHERE sealed LIKE '%payload%'") == "0")
        #expect(try await spare.fate(of: ids[0]) == .waiting)
        #expect(try await spare.withdraw(ids[2]))
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await spare.beginRequests(limit: 10)
        }
        let begun = try await first.beginRequests(limit: 10)
        #expect(Set(begun.map(\.content)) == [Make.bytes(1), Make.bytes(2)])
        #expect(try await first.beginRequests(limit: 10).isEmpty)
        #expect(try await spare.withdraw(ids[0]) == false)
        #expect(try await spare.fate(of: ids[0]) == .underWay)
        try await first.answer(ids[0], Make.bytes(4))
        #expect(try await spare.fate(of: ids[0]) == .answered(Make.bytes(4)))
        #expect(try await spare.fate(of: ids[0]) == .abandoned)
        // Who can write to the database cannot have it done again, nor later, nor anything else.
        func rewrite(_ change: String) throws {
            _ = try PostgresPlace.query("UPDATE \(schema).request SET begun = 0, \(change) WHERE row = \(ids[1])")
        }
        try rewrite("reply = NULL")
        #expect(try await first.beginRequests(limit: 10).isEmpty)
        try rewrite("until = until + 1")
        #expect(try await first.beginRequests(limit: 10).isEmpty)
        // The second one's process loses the vault; a third, which nobody has begun, waits for the next.
        let third = try await spare.pass(Make.bytes(5), seconds: 3_600)
        let second = try await takeOver(as: "another")
        #expect(try await spare.fate(of: ids[1]) == .abandoned)
        #expect(try await spare.fate(of: third) == .waiting)
        await #expect(throws: StoreError.locked(path: "\(address)", process: nil)) {
            try await first.beginRequests(limit: 10)
        }
        #expect(try await second.beginRequests(limit: 10).map(\.id) == [third])
        let late = try await spare.pass(Make.bytes(6), seconds: 3_600)
        _ = try PostgresPlace.query("UPDATE \(schema).request SET until = until - 7200000 WHERE row = \(late)")
        #expect(try await second.beginRequests(limit: 10).isEmpty)
        #expect(try await spare.withdraw(late))
        await second.close()
        #expect(try await spare.fate(of: third) == .abandoned)
        await spare.close()
        await first.close()
    }

    @Test func payloadsAreSealedToTheirRows() async throws {
        let store = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        var change = Make.newRelationship(1)
        change.entries = [Make.entry(1, 1), Make.entry(1, 2)]
        change.events = [EventDraft(relationship: nil, payload: Make.bytes(1))]
        _ = try await store.commit([change, Make.newRelationship(2)])
        for table in ["relationship", "channel", "entry", "event"] {
            let plain = "SELECT count(*) FROM \(schema).\(table) t WHERE encode(sealed, 'escape') ~ 'payload'"
            #expect(try PostgresPlace.query(plain) == "0")
            #expect(try PostgresPlace.query("SELECT count(*) > 0 FROM \(schema).\(table)") == "t")
        }
        _ = try PostgresPlace.query(
            """
            UPDATE \(schema).entry e SET sealed = o.sealed FROM \(schema).entry o WHERE o.sequence = 3 - e.sequence
            """)
        await #expect {
            try await store.entries(of: Make.relationship(1), direction: .invitee, from: 1, limit: 10)
        } throws: { error in
            guard case StoreError.corrupted(let row) = error else { return false }
            return row.contains("table entry")
        }
        await store.close()
    }

    @Test func aWrongKeyFileAndASecondVaultAreRefused() async throws {
        let store = try await PostgresPlace.newVault(schema, keyFile: keyFile)
        let address = try PostgresPlace.address()
        await #expect(throws: StoreError.alreadyExists(path: "\(address)")) {
            try await PostgresPlace.newVault(schema, keyFile: folder.file("other"))
        }
        await store.close()
        let other = try await PostgresPlace.newVault(PostgresPlace.newSchema(), keyFile: folder.file("wrong"))
        await other.close()
        await #expect(throws: StoreError.wrongPassphrase) {
            try await PostgresPlace.vault(schema, keyFile: folder.file("wrong"))
        }
        await #expect(throws: StoreError.noVault(path: "\(address)")) {
            try await PostgresPlace.vault(PostgresPlace.newSchema(), keyFile: keyFile)
        }
    }
}

extension PostgresAddress {
    /// The tests' server, as its children are told of it.
    fileprivate var forChildren: String { (try? PostgresServer.shared.get().address) ?? "" }
}
