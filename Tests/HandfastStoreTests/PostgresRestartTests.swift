import Foundation
import HandfastChannel
import HandfastPostgres
import HandfastStore
import HandfastTestSupport
import Testing

/// A server of its own that is ended in the middle of commits.
@Suite struct PostgresRestartTests {
    @Test func whatALostServerConfirmedIsThereOnceAndInOrder() async throws {
        let server = try PostgresServer()
        let address = try PostgresAddress(server.address)
        let store = try PostgresRelayStore(address, connections: 2)
        let service = try Make.service(1)
        _ = try await store.commit([
            .attach(service: service),
            .open(
                service: service,
                queues: [QueueOpening(id: try Make.queue(1), kind: .send(capability: Make.digest(1)))]),
        ])
        // Every connection's process is ended again and again, so that connections are lost at any place of a commit.
        let ending = Task.detached {
            while !Task.isCancelled {
                _ = try? PostgresPlace.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'handfast'",
                    on: server)
                try? await Task.sleep(for: .milliseconds(3))
            }
        }
        for number in UInt64(0)..<150 {
            let outcomes = try await store.commit([
                .put(
                    queue: try Make.queue(1), capability: Make.digest(1), first: number,
                    envelopes: [Make.bytes(Int(number))], at: Make.time(number))
            ])
            // Never `behind`: a commit whose answer was lost is neither done twice nor taken for lost.
            guard case .put(let result, _) = outcomes[0] else { throw StoreError.closed }
            #expect(result.status == .ok)
        }
        ending.cancel()
        await ending.value
        let all = try await store.deliveries(to: service, after: 0, limit: 1_000, bytes: 1 << 20)
        #expect(all.map(\.position) == (1...150).map { UInt64($0) })
        #expect(all.map(\.bytes) == (0..<150).map { Make.bytes($0) })
        await store.close()
    }
}
