import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastPostgres
import HandfastTestSupport
import Testing

@testable import HandfastStore

/// What lay in SQLite lies in PostgreSQL afterwards, and goes on from there.
@Suite struct PostgresMigrationTests {
    private let schema = PostgresPlace.newSchema()

    @Test func aVaultIsCarriedOverWholeAndGoesOn() async throws {
        let folder = TemporaryFolder()
        let before = try await fill(folder)
        let address = try PostgresPlace.address()
        let result = try await PostgresMigration.vault(from: folder.vault, to: address, schema: schema)
        #expect(result.tables.first { $0.name == "entry" }?.rows == 90)
        #expect(result.tables.first { $0.name == "relationship" }?.rows == 30)
        #expect(!folder.vault.holdsVault && FileManager.default.fileExists(atPath: result.retired))
        let new = try await PostgresPlace.vault(schema, keyFile: folder.file("key"))
        #expect(try await Self.picture(of: new) == before)
        let step = try await new.commit([Make.newRelationship(31), erasing(4)])
        #expect(step == [.committed(events: []), .committed(events: [])])
        #expect(try await new.relationships(after: 0, limit: 100).last?.id == Make.relationship(31))
        await new.close()

        let other = TemporaryFolder()
        _ = try Make.keyFileVault(other)
        await #expect(throws: StoreError.alreadyExists(path: "\(address)")) {
            try await PostgresMigration.vault(from: other.vault, to: address, schema: schema)
        }
        #expect(other.vault.holdsVault)
    }

    /// Makes a vault with something in most of its tables, and tells all of it.
    private func fill(_ folder: TemporaryFolder) async throws -> [String] {
        let old = try Make.keyFileVault(folder)
        let service = try Make.service(5)
        var changes: [VaultChange] = []
        for number in 1...30 {
            var change = Make.newRelationship(number)
            change.relationship?.isTimed = number % 3 == 0
            change.relationship?.auxiliary = number % 2 == 0 ? .set(Make.bytes(number)) : .unchanged
            change.relationship?.resume = number % 5 == 0 ? .set(Make.bytes(number)) : .unchanged
            change.entries = [Make.entry(number, 1), Make.entry(number, 2), Make.entry(number, 1, direction: .inviter)]
            change.outbox = [
                try Make.outboxItem(number, queue: number, 0), try Make.outboxItem(number, queue: number, 1),
            ]
            change.outboxConfirmed = [
                OutboxConfirmation(
                    relationship: Make.relationship(number), queue: try Make.queue(number), through: 0)
            ]
            change.events = [EventDraft(relationship: Make.relationship(number), payload: Make.bytes(number))]
            change.hellos = [
                HelloRow(hash: Make.digest(number), relationship: Make.relationship(number), eraseAfter: Make.time(50))
            ]
            change.queues = [
                QueueRow(
                    id: try Make.queue(100 + number), relationship: Make.relationship(number),
                    tendedBy: number % 4 == 0 ? service : nil, bytes: Make.bytes(number))
            ]
            change.wallet = [WalletRow(key: WalletKey(.rule, [UInt8(number)]), bytes: Make.bytes(number))]
            changes.append(change)
        }
        var last = VaultChange()
        last.services = [ServiceRow(key: service, bytes: Make.bytes(5))]
        last.cursor = ServiceCursor(service: service, position: 77)
        last.invitations = [InvitationRow(knock: Make.knock(1), bytes: Make.bytes(1))]
        last.spentTickets = [SpentTicket(knock: Make.knock(1), relationship: Make.relationship(1))]
        last.idempotency = [IdempotencyRow(key: [1, 2], result: Make.bytes(2), eraseAfter: Make.time(60))]
        _ = try await old.commit(changes + [last])
        _ = try await old.commit([erasing(3)])
        let picture = try await Self.picture(of: old)
        await old.close()
        return picture
    }

    private func erasing(_ number: Int) -> VaultChange {
        var change = VaultChange()
        var entry = Make.entry(number, 2)
        entry.bytes = []
        change.erasedEntries = [entry]
        return change
    }

    /// Everything that a vault tells.
    private static func picture(of store: any VaultStore) async throws -> [String] {
        var lines: [String] = []
        for summary in try await store.relationships(after: 0, limit: 1_000) {
            lines.append("\(summary)")
            lines.append("\(String(describing: try await store.relationship(summary.id)))")
            for direction in SenderRole.allCases {
                lines.append("\(try await store.entries(of: summary.id, direction: direction, from: 1, limit: 10))")
            }
            lines.append("\(try await store.outbox(of: summary.id, limit: 10))")
            lines.append("\(try await store.outboxHeads(of: summary.id))")
        }
        lines.append("\(try await store.timedRelationships(after: 0, limit: 100))")
        lines.append("\(try await store.relationshipsWithOutbox(after: 0, limit: 100))")
        lines.append("\(try await store.events(after: 0, limit: 100)) \(try await store.lastEventPosition())")
        lines.append("\(try await store.services(after: 0, limit: 100))")
        lines.append("\(try await store.queues(tendedBy: Make.service(5), after: 0, limit: 100))")
        lines.append("\(try await store.invitations(after: 0, limit: 100))")
        lines.append("\(try await store.walletRows(.rule, after: 0, limit: 100))")
        lines.append("\(String(describing: try await store.idempotentResult([1, 2])))")
        lines.append("\(String(describing: try await store.hello(Make.digest(7))))")
        return lines
    }

    @Test func aRelaysQueuesAreCarriedOverWholeAndGoOn() async throws {
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let old = try SQLiteRelayStore(path: path)
        let services = [try Make.service(1), try Make.service(2)]
        var writes: [RelayWrite] = services.map { .attach(service: $0) }
        for number in 1...20 {
            writes.append(
                .open(
                    service: services[number % 2],
                    queues: [QueueOpening(id: try Make.queue(number), kind: .send(capability: Make.digest(number)))]))
        }
        writes.append(.open(service: services[0], queues: [QueueOpening(id: try Make.queue(50), kind: .knock)]))
        writes.append(.admit(service: services[0], queue: try Make.queue(50), knocks: [Make.knock(1), Make.knock(2)]))
        writes.append(
            .publish(
                service: services[0], queue: try Make.queue(50),
                bundles: [PublishedBundle(notBefore: Make.time(1), expires: Make.time(99), bytes: [1, 2, 3])]))
        writes.append(
            .knock(queue: try Make.queue(50), knock: Make.knock(1), hash: Make.digest(1), hello: [9], at: Make.time(5)))
        var policy = QueuePolicy.standard
        policy.retentionSeconds = 20
        policy.isPaused = true
        for number in 1...20 {
            writes.append(
                .put(
                    queue: try Make.queue(number), capability: Make.digest(number), first: 0,
                    envelopes: (0..<5).map { Make.bytes(10 * number + $0, count: number) }, at: Make.time(10)))
        }
        writes.append(.acknowledge(service: services[0], position: 3))
        writes.append(
            .policy(
                service: services[1], settings: [PolicySetting(id: try Make.queue(1), policy: policy)],
                at: Make.time(11)))
        _ = try await old.commit(writes)
        _ = try await old.expire(storedBefore: Make.time(6), at: Make.time(6), limit: 10)
        let kept = try await old.kept()
        var before: [[Delivery]] = []
        for service in services {
            before.append(try await old.deliveries(to: service, after: 0, limit: 1_000, bytes: 1 << 20))
        }
        await old.close()

        let address = try PostgresPlace.address()
        let result = try await PostgresMigration.relay(from: path, to: address, schema: schema)
        #expect(result.tables.first { $0.name == "message" }?.rows == before.joined().count { $0.bytes != [] })
        let new = try PostgresPlace.relay(schema)
        #expect(try await new.kept() == kept)
        for (service, deliveries) in zip(services, before) {
            #expect(try await new.deliveries(to: service, after: 0, limit: 1_000, bytes: 1 << 20) == deliveries)
        }
        #expect(try await new.bundle(of: Make.queue(50), at: Make.time(9)) == [1, 2, 3])
        let outcomes = try await new.commit([
            .put(
                queue: try Make.queue(2), capability: Make.digest(2), first: 5, envelopes: [[1]], at: Make.time(12)),
            .put(
                queue: try Make.queue(1), capability: Make.digest(1), first: 5, envelopes: [[1]], at: Make.time(12)),
            .knock(
                queue: try Make.queue(50), knock: Make.knock(1), hash: Make.digest(1), hello: [9], at: Make.time(12)),
        ])
        guard case .put(let going, _) = outcomes[0], case .put(let paused, _) = outcomes[1] else {
            throw StoreError.closed
        }
        #expect(going.status == .ok && paused.status == .paused && outcomes[2] == .repeated)
        await new.close()
        try await SQLiteRelayStore(path: path).close()
        await #expect(throws: StoreError.alreadyExists(path: "\(address)")) {
            try await PostgresMigration.relay(from: path, to: address, schema: schema)
        }
    }
}
