import Foundation
import GRDB
import HandfastChannel
import HandfastTestSupport
import Testing

@testable import HandfastStore

/// Power that goes at any moment: of what was not flushed each sector is on the disk or not, whatever was written before
/// or after it.
@Suite(.serialized, .enabled(if: ChildProcess.task == nil)) struct TornDiskTests {
    /// A commit that was acknowledged, and how many steps the disk had been asked for by then.
    private struct Acknowledgement {
        let steps: Int
        let number: Int64
    }

    private static let sectors = [512, 4_096]
    private static let losses = 40

    /// Runs `check` on what is left of each of many losses of power.
    private static func lose(
        _ disk: TornDisk, _ acknowledgements: [Acknowledgement],
        _ check: (_ left: TemporaryFolder, _ acknowledged: Int64, _ what: Comment) async throws -> Void
    ) async throws {
        for seed in 1...UInt64(losses) {
            var random = SeededEntropy(seed: seed)
            let end = Int.random(in: 0...disk.count, using: &random)
            let sector = sectors[Int(seed) % sectors.count]
            let left = try TemporaryFolder().made()
            try disk.left(before: end, sector: sector, using: &random, in: left)
            let acknowledged = acknowledgements.last { $0.steps <= end }?.number ?? 0
            try await check(left, acknowledged, "seed \(seed): before step \(end), sectors of \(sector)")
        }
    }

    private static func isWhole(_ path: String) throws -> Bool {
        try DatabaseQueue(path: path).read { database in
            try String.fetchAll(database, sql: "PRAGMA integrity_check") == ["ok"]
        }
    }

    @Test func aVaultLosesNothingAcknowledgedWhenThePowerGoes() async throws {
        let folder = TemporaryFolder()
        try Make.keyFileVault(folder).file.closeNow()
        var acknowledgements: [Acknowledgement] = []
        var random = SeededEntropy(seed: 11)
        let disk = try await TornDisk.record(in: folder) { stepCount in
            var next = 0
            // Each end writes the log back to the database, and the next begins the log anew.
            for _ in 0..<4 {
                let store = try Make.reopenKeyFileVault(folder)
                for _ in 0..<10 {
                    let batch = try Make.steps(next..<next + Int.random(in: 1...4, using: &random))
                    next += batch.count
                    _ = try await store.commit(batch)
                    acknowledgements.append(Acknowledgement(steps: stepCount(), number: Int64(next)))
                }
                try store.file.closeNow()
            }
        }
        #expect(disk.count > 200)
        try await Self.lose(disk, acknowledgements) { left, acknowledged, what in
            _ = try await DurabilityTests.checkVault(left, acknowledged: acknowledged, what)
            #expect(try Self.isWhole(left.vault.databasePath), what)
        }
    }

    @Test func aRelayLosesNothingAcknowledgedWhenThePowerGoes() async throws {
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let service = try Make.service(1)
        let opening = QueueOpening(id: try Make.queue(1), kind: .send(capability: Make.digest(1)))
        let first = try SQLiteRelayStore(path: path)
        _ = try await first.commit([.attach(service: service), .open(service: service, queues: [opening])])
        await first.close()
        var acknowledgements: [Acknowledgement] = []
        let disk = try await TornDisk.record(in: folder) { stepCount in
            var number: UInt64 = 0
            for _ in 0..<4 {
                let store = try SQLiteRelayStore(path: path)
                for _ in 0..<12 {
                    var writes: [RelayWrite] = [
                        .put(
                            queue: opening.id, capability: Make.digest(1), first: number,
                            envelopes: [Make.bytes(Int(number))], at: Make.time(number))
                    ]
                    if number > 0 { writes.append(.acknowledge(service: service, position: number / 2)) }
                    _ = try await store.commit(writes)
                    number += 1
                    acknowledgements.append(Acknowledgement(steps: stepCount(), number: Int64(number)))
                }
                await store.close()
            }
        }
        #expect(disk.count > 150)
        try await Self.lose(disk, acknowledgements) { left, confirmed, what in
            let store = try SQLiteRelayStore(path: left.file("relay.sqlite"))
            let outcomes = try await store.commit([.attach(service: service)])
            guard case .attached(let acknowledged, let last) = outcomes.first else {
                Issue.record(what)
                return
            }
            #expect(last >= UInt64(confirmed), what)
            #expect(acknowledged >= UInt64(max(0, confirmed - 1) / 2), what)
            let waiting = try await store.deliveries(to: service, after: 0, limit: 10_000, bytes: .max)
            #expect(waiting.map(\.position) == Array(acknowledged + 1..<last + 1), what)
            #expect(waiting.allSatisfy { $0.bytes == Make.bytes(Int($0.position) - 1) }, what)
            await store.close()
            #expect(try Self.isWhole(left.file("relay.sqlite")), what)
        }
    }
}
