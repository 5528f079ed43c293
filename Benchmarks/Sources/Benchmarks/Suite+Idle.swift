import Foundation
import Handfast
import HandfastStore

/// A vendor with a million relationships in which nothing happens, beside one with a thousand.
extension Suite {
    private static let crowdCounts = (few: 1_000, many: 1_000_000)
    private static let randomMessages = 4_000
    private static let randomRuns = 4

    static func idle(in folder: URL, _ report: (Row) -> Void) async throws {
        let place = folder.appendingPathComponent("idle-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: place) }
        let few = try await Crowd(crowdCounts.few, in: place.appendingPathComponent("few"))
        let many = try await Crowd(crowdCounts.many, in: place.appendingPathComponent("many"))
        try await runVendors(few, many, report)
        try await receiveAtRandom(few, many, report)
        try await findAtNode(few, many, report)
        try await findAtRelay(few, many, report)
        await few.stop()
        await many.stop()
    }

    /// What a running node holds for each idle relationship, and how long it takes to start.
    private static func runVendors(_ few: Crowd, _ many: Crowd, _ report: (Row) -> Void) async throws {
        var memory: [Double] = []
        var starts: [(few: Double, many: Double)] = []
        for _ in 0..<5 {
            let (small, large) = (try await few.runVendor(), try await many.runVendor())
            memory.append((large.residentByteCount - small.residentByteCount) / Double(many.count - few.count))
            starts.append((small.startNanoseconds, large.startNanoseconds))
        }
        let goal = "idle/goal"
        report(Row("idle/memory", unit: "bytes", beside: goal, ours: memory, theirs: memory.map { _ in 1_024 }))
        let disk = try many.vaultByteCountEach()
        report(Row("idle/disk", unit: "bytes", beside: goal, ours: [disk], theirs: [4_096]))
        report(
            Row(
                "node/start/\(many.count)", beside: "node/start/\(few.count)", ours: starts.map(\.many),
                theirs: starts.map(\.few)))
    }

    /// Signed messages of relationships at random, received by a node of its own process: with a million of them each
    /// is of one that is not in memory.
    private static func receiveAtRandom(_ few: Crowd, _ many: Crowd, _ report: (Row) -> Void) async throws {
        var runs: [(few: Receiver.Report, many: Receiver.Report)] = []
        for run in 0...randomRuns {
            let pair = (
                few: try await few.receiveAtRandom(randomMessages), many: try await many.receiveAtRandom(randomMessages)
            )
            if run > 0 { runs.append(pair) }
        }
        let name = "node/receive/random"
        report(
            Row(
                "\(name)/\(many.count)", beside: "\(name)/\(few.count)", ours: runs.map(\.many.elapsedNanoseconds),
                theirs: runs.map(\.few.elapsedNanoseconds)))
        report(
            Row(
                "\(name)/\(many.count)/cpu", beside: "\(name)/\(few.count)/cpu",
                ours: runs.map(\.many.processorNanoseconds), theirs: runs.map(\.few.processorNanoseconds)))
    }

    /// From the queue of a message to the relationship and its channel, at random.
    private static func findAtNode(_ few: Crowd, _ many: Crowd, _ report: (Row) -> Void) async throws {
        let vaults = (few: try few.openVault(), many: try many.openVault())
        func find(_ vault: SQLiteVaultStore, _ crowd: Crowd) -> (Int) async throws -> Void {
            { count in
                for _ in 0..<count {
                    guard let idle = crowd.sample.randomElement(),
                        try await vault.queue(idle.queue)?.relationship == idle.relationship
                    else { throw BenchmarkError.wrongContent }
                }
            }
        }
        let (inFew, inMany) = (find(vaults.few, few), find(vaults.many, many))
        try await inTurns("node/lookup", few, many, repeats: 200, inFew, inMany, report)
        await vaults.few.close()
        await vaults.many.close()
    }

    /// From the queue of a put to its row at the relay, at random: alone, and with everything that a put takes, in
    /// transactions of a hundred puts.
    private static func findAtRelay(_ few: Crowd, _ many: Crowd, _ report: (Row) -> Void) async throws {
        func find(_ crowd: Crowd) -> (Int) async throws -> Void {
            { count in
                for _ in 0..<count {
                    guard let idle = crowd.sample.randomElement() else { throw BenchmarkError.wrongContent }
                    _ = try await crowd.relayStore.bundle(of: idle.queue, at: Parties.now)
                }
            }
        }
        try await inTurns("relay/lookup", few, many, repeats: 200, find(few), find(many), report)
        try await inTurns("relay/put", few, many, repeats: 100, few.put, many.put, report)
    }

    /// Elapsed time, because threads of the store do the work.
    private static func inTurns(
        _ name: String, _ few: Crowd, _ many: Crowd, repeats: Int, _ inFew: (Int) async throws -> Void,
        _ inMany: (Int) async throws -> Void, _ report: (Row) -> Void
    ) async throws {
        var times: [(few: Double, many: Double)] = []
        for run in 0...Comparison.runs {
            let pair = (
                few: try await Comparison.elapsedNanoseconds(repeats, inFew),
                many: try await Comparison.elapsedNanoseconds(repeats, inMany)
            )
            if run > 0 { times.append(pair) }
        }
        report(
            Row(
                "\(name)/\(many.count)", beside: "\(name)/\(few.count)", ours: times.map(\.many),
                theirs: times.map(\.few)))
    }
}
