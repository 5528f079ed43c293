import Foundation
import GRDB
import HandfastChannel
import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastStore

/// The commit protocol against real processes, a real disk and their failures.
@Suite(.serialized, .enabled(if: ChildProcess.task == nil)) struct DurabilityTests {
    private static func emptyVault() async throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let store = try Make.keyFileVault(folder)
        try store.file.closeNow()
        return folder
    }

    /// Everything up to an event position is there, whole; what follows without having been acknowledged is whole, too.
    static func checkVault(
        _ folder: TemporaryFolder, acknowledged: Int64, _ what: Comment? = nil
    ) async throws -> Int64 {
        let store = try Make.reopenKeyFileVault(folder)
        let last = try await store.lastEventPosition()
        #expect(last >= acknowledged, what)
        var position: Int64 = 0
        while position < last {
            let events = try await store.events(after: position, limit: 1000)
            for event in events {
                #expect(event.position == position + 1, what)
                position = event.position
                let step = Int(position) - 1
                #expect(event.payload == Make.bytes(step), what)
                #expect(try await store.relationship(Make.relationship(step))?.channel == Make.bytes(step), what)
                #expect(
                    try await store.recordHash(of: Make.relationship(step), direction: .invitee, sequence: 1)
                        == Make.entry(step, 1).hash, what)
                #expect(try await store.outbox(of: Make.relationship(step), limit: 5).count == 1, what)
            }
        }
        try store.file.closeNow()
        return last
    }

    /// The pitfall of nats-server#7564: acknowledged before it is flushed.
    @Test(.enabled(if: ChildProcess.canTrace, "strace is missing or may not be used here"))
    func eachCommitIsFlushedExactlyOnce() async throws {
        let folder = try await Self.emptyVault()
        let trace = folder.file("trace")
        // 40 commits of 3 changes stay far below the 1,000 pages at which SQLite writes its log back.
        let child = try ChildProcess.run(
            ["vault", "40", "3"], in: folder,
            under: ["strace", "-f", "-qq", "-o", trace, "-e", "trace=fdatasync,fsync,access,faccessat"])
        #expect(child.lines.last == "end")
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let begin = try #require(calls.firstIndex { $0.contains("/handfast-begin") })
        let end = try #require(calls.firstIndex { $0.contains("/handfast-end") })
        let flushes = calls[begin..<end].filter { $0.contains("sync(") && !$0.contains("resumed") }
        // The first commit after a start begins the log anew: its header is flushed as well.
        #expect(flushes.count == 41 || flushes.count == 40, "\(flushes.count) flushes for 40 commits")
        #expect(try await Self.checkVault(folder, acknowledged: 120) == 120)
    }

    @Test func whatWasAcknowledgedSurvivesKilling() async throws {
        var random = SeededEntropy(seed: 3)
        let folder = try await Self.emptyVault()
        var last: Int64 = 0
        for round in 0..<8 {
            let target = Int.random(in: 1...60, using: &random)
            let child = try ChildProcess.run(["vault", "100000", "2"], in: folder) { $0.count > target }
            #expect(child.status == 128 + SIGKILL, "round \(round), seed \(random.seed)")
            let acknowledged = child.lines.compactMap { Int64($0) }.max() ?? last
            #expect(acknowledged > last)
            last = try await Self.checkVault(folder, acknowledged: acknowledged)
            #expect(last - acknowledged <= 2 * 2 * 50, "round \(round), seed \(random.seed)")
        }
    }

    @Test func aKilledRelayKeepsWhatItConfirmedAndUsesNoPositionAgain() async throws {
        var random = SeededEntropy(seed: 4)
        let folder = try TemporaryFolder().made()
        var confirmed: UInt64 = 0
        for _ in 0..<5 {
            let target = Int.random(in: 1...80, using: &random)
            let child = try ChildProcess.run(["relay", "100000"], in: folder) { $0.count > target }
            confirmed = try #require(child.lines.compactMap { UInt64($0) }.max())
            let store = try SQLiteRelayStore(path: folder.file("relay.sqlite"))
            let service = try Make.service(1)
            let outcome = try await store.commit([.attach(service: service)])
            guard case .attached(let acknowledged, let last) = outcome.first else {
                Issue.record("\(outcome)")
                return
            }
            #expect(last >= confirmed)
            let waiting = try await store.deliveries(to: service, after: 0, limit: 10_000, bytes: .max)
            #expect(waiting.map(\.position) == Array(acknowledged + 1..<last + 1))
            #expect(waiting.allSatisfy { $0.bytes == Make.bytes(Int($0.position) - 1) })
            await store.close()
        }
    }

    /// The pitfall of ntfy#498: writers that meet in SQLite. There is one, of one process, and everybody's writes are its.
    @Test func writersOfOneRelayStandInLineAndASecondProcessIsRefused() async throws {
        let folder = try TemporaryFolder().made()
        let path = folder.file("relay.sqlite")
        let store = try SQLiteRelayStore(path: path)
        let service = try Make.service(1)
        let capability = Make.digest(77)
        let queues = try (1...100).map { QueueOpening(id: try Make.queue($0), kind: .send(capability: capability)) }
        _ = try await store.commit([.attach(service: service), .open(service: service, queues: queues)])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for queue in queues {
                group.addTask {
                    for number in 0..<5 as Range<UInt64> {
                        let outcomes = try await store.commit([
                            .put(
                                queue: queue.id, capability: capability, first: number, envelopes: [[1]],
                                at: Make.time(10))
                        ])
                        guard case .put(let result, _)? = outcomes.first else { throw StoreError.closed }
                        #expect(result.status == .ok)
                    }
                }
                group.addTask { _ = try await store.deliveries(to: service, after: 0, limit: 10, bytes: 100) }
            }
            try await group.waitForAll()
        }
        let waiting = try await store.deliveries(to: service, after: 0, limit: 1_000, bytes: .max)
        #expect(waiting.map(\.position) == Array(1...500))
        #expect(throws: StoreError.locked(path: path, process: getpid())) { try Self.open(path) }
        await store.close()
        let next = try SQLiteRelayStore(path: path)
        await next.close()
    }

    /// Keeps the expression that throws apart from the macro.
    private static func open(_ path: String) throws(StoreError) { _ = try SQLiteRelayStore(path: path) }

    @Test(.enabled(if: ChildProcess.canTrace, "strace is missing or may not be used here"))
    func aFailedFlushAcknowledgesNothingAndEndsTheStore() async throws {
        let folder = try await Self.emptyVault()
        let child = try ChildProcess.run(
            ["vault", "1000", "1"], in: folder,
            under: [
                "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
                "-e", "inject=fdatasync:error=EIO:when=20+", "-e", "inject=fsync:error=EIO:when=20+",
            ])
        let failure = try #require(child.lines.firstIndex { $0.hasPrefix("error") })
        #expect(child.lines[failure].contains("The disk did not confirm a write"))
        #expect(failure == child.lines.count - 1, "\(child.lines.suffix(2))")
        let acknowledged = child.lines.compactMap { Int64($0) }.max() ?? 0
        #expect(acknowledged > 0)
        _ = try await Self.checkVault(folder, acknowledged: acknowledged)
    }

    @Test func aFullStoreLosesNothingAndGoesOnOnceThereIsRoom() async throws {
        let folder = try await Self.emptyVault()
        let store = try Make.reopenKeyFileVault(folder)
        let pages = try await store.file.limitPages(to: 120)
        var stored = 0
        var failure: StoreError?
        while failure == nil, stored < 10_000 {
            do {
                var change = Make.newRelationship(stored)
                change.entries = [Make.entry(stored, 1)]
                change.outbox = [try Make.outboxItem(stored, queue: stored, 0)]
                change.events = [EventDraft(relationship: nil, payload: Make.bytes(stored))]
                _ = try await store.commit([change])
                stored += 1
            } catch let error as StoreError {
                failure = error
            }
        }
        #expect(failure == .full)
        #expect(try await store.lastEventPosition() == Int64(stored))
        #expect(try await store.relationship(Make.relationship(stored)) == nil)
        _ = try await store.file.limitPages(to: pages)
        _ = try await store.commit([Make.newRelationship(stored)])
        #expect(try await store.relationship(Make.relationship(stored)) != nil)
        await store.close()
    }

    @Test(.enabled(if: SmallDisk.canMount, "mounting a small file system is not permitted here"))
    func aFullDiskLosesNothing() async throws {
        let folder = try TemporaryFolder().made()
        let disk = try SmallDisk(at: folder.path, size: "2m")
        defer { disk.unmount() }
        do {
            let store = try Make.keyFileVault(folder)
            try store.file.closeNow()
        }
        let child = try ChildProcess.run(["vault", "100000", "5"], in: folder)
        let error = try #require(child.lines.last)
        let acknowledged = child.lines.compactMap { Int64($0) }.max() ?? 0
        #expect(error.hasPrefix("error The disk") || acknowledged > 0)
        try disk.resize("64m")
        _ = try await Self.checkVault(folder, acknowledged: acknowledged)
    }
}

/// A file system in memory that is soon full.
struct SmallDisk {
    let path: String

    static let canMount: Bool = {
        guard let folder = try? TemporaryFolder().made(), let disk = try? SmallDisk(at: folder.path, size: "64k") else {
            return false
        }
        disk.unmount()
        return true
    }()

    init(at path: String, size: String) throws {
        self.path = path
        try Self.run("mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path)
    }

    func resize(_ size: String) throws {
        try Self.run("mount", "-o", "remount,size=\(size)", path)
    }

    func unmount() {
        try? Self.run("umount", "-l", path)
    }

    private static func run(_ words: String...) throws {
        guard try ChildProcess.command(words) == 0 else { throw CocoaError(.executableLoad) }
    }
}

extension SQLiteFile {
    /// Bounds the size of the file, in pages of 4 KiB; beyond, commits fail with ``StoreError/full``.
    ///
    /// - Returns: the bound before.
    func limitPages(to pages: Int) async throws(StoreError) -> Int {
        try await commit("size limit") { database in
            let before = try Int.fetchOne(database, sql: "PRAGMA max_page_count") ?? 0
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
            return before
        }
    }
}
