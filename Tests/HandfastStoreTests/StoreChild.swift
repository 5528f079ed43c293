import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastPostgres
import Testing

@testable import HandfastStore

/// What this program does when it runs as a child of itself; nothing otherwise.
@Suite struct StoreChild {
    @Test(.enabled(if: ChildProcess.task != nil)) func worksForItsParent() async throws {
        guard let task = ChildProcess.task, let path = task.last else { return }
        let folder = VaultFolder(path: path)
        switch task.first {
        case "vault": try await commitToVault(folder, commits: Int(task[1]) ?? 0, changes: Int(task[2]) ?? 1)
        case "relay": try await commitToRelay(folder, commits: Int(task[1]) ?? 0)
        case "holder": try await holdVault(folder, address: task[1], schema: task[2])
        default: Issue.record("unknown task \(task)")
        }
    }

    /// Commits steps of relationships, each with a record, an envelope and an event, and says what was acknowledged.
    private func commitToVault(_ folder: VaultFolder, commits: Int, changes: Int) async throws {
        let store = try SQLiteVaultStore.open(folder, unlocking: .keyFile(path: folder.file(named: "key")))
        let first = try await store.lastEventPosition()
        try ChildProcess.say("begin", in: folder)
        // A system call that a trace can show: from here on the flushes are those of commits.
        _ = unsafe access("/handfast-begin", F_OK)
        for number in 0..<commits {
            let next = Int(first) + number * changes
            let batch = try Make.steps(next..<next + changes)
            do {
                let outcomes = try await store.commit(batch)
                guard case .committed(let events) = outcomes.last, let last = events.last else {
                    try ChildProcess.say("conflict", in: folder)
                    return
                }
                try ChildProcess.say("\(last)", in: folder)
            } catch {
                try ChildProcess.say("error \(error)", in: folder)
                if (try? await store.commit(batch)) != nil { try ChildProcess.say("went on", in: folder) }
                return
            }
        }
        _ = unsafe access("/handfast-end", F_OK)
        await store.close()
        try ChildProcess.say("end", in: folder)
    }

    /// Puts envelopes to a relay's queue one by one, acknowledging half of them, and says what was confirmed.
    private func commitToRelay(_ folder: VaultFolder, commits: Int) async throws {
        let store = try SQLiteRelayStore(path: folder.file(named: "relay.sqlite"))
        let service = try Make.service(1)
        let outcomes = try await store.commit([
            .attach(service: service),
            .open(
                service: service,
                queues: [QueueOpening(id: try Make.queue(1), kind: .send(capability: Make.digest(1)))]),
        ])
        guard case .attached(_, let last) = outcomes.first else { return }
        for number in last..<last + UInt64(commits) {
            var writes: [RelayWrite] = [
                .put(
                    queue: try Make.queue(1), capability: Make.digest(1), first: number,
                    envelopes: [Make.bytes(Int(number))], at: Make.time(number))
            ]
            if number % 2 == 0, number > 0 { writes.append(.acknowledge(service: service, position: number / 2)) }
            _ = try await store.commit(writes)
            try ChildProcess.say("\(number + 1)", in: folder)
        }
    }

    /// Commits to a vault in PostgreSQL that it holds alone, until that fails.
    private func holdVault(_ folder: VaultFolder, address: String, schema: String) async throws {
        let store = try await PostgresVaultStore.open(
            PostgresAddress(address), schema: schema, unlocking: .keyFile(path: folder.file(named: "key")),
            holding: .alone(as: "child"))
        var number = 0
        while true {
            number += 1
            do {
                _ = try await store.commit([Make.newRelationship(number)])
                try ChildProcess.say("\(number)", in: folder)
            } catch StoreError.locked {
                try ChildProcess.say("locked", in: folder)
                return
            }
        }
    }
}
