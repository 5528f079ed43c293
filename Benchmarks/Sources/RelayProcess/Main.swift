import CFlushes
import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastRelay
import HandfastStore
import Synchronization

/// A relay in a process of its own, as the command line runs it, which tells how often it committed and flushed.
///
/// `RelayProcess FILE` serves the store in FILE on loopback and prints its address. For each line that it reads it
/// prints five numbers: commits and flushes since its start, first messages that it answered, asked for a cookie and
/// refused. It stops at the end of its input.
@main
struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 2 else { throw UsageError() }
        var random = SecureRandom()
        let key = LinkKey(AgreementPrivateKey.generate(using: &random))
        let address = key.publicKey
        let store = CountingStore(try SQLiteRelayStore(path: arguments[1], limits: .wide))
        var configuration = RelayConfiguration()
        configuration.port = 0
        let relay = try await RelayServer.listen(configuration, key: key, store: store) {
            Timestamp(seconds: UInt64(Date().timeIntervalSince1970))
        }
        tell(try RelayAddress(host: "127.0.0.1", port: UInt16(relay.port), key: address).description)
        // Reading blocks a thread, which the relay's tasks must not be short of.
        Thread.detachNewThread {
            while readLine() != nil {
                let handshakes = relay.handshakes
                tell(
                    "\(store.commits) \(flush_count()) \(handshakes.answered) \(handshakes.asked) \(handshakes.refused)"
                )
            }
            Task { await relay.shutDown() }
        }
        try await relay.run()
        await store.close()
    }

    private static func tell(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    struct UsageError: Error {}
}

extension RelayLimits {
    /// Room for everything that a benchmark leaves waiting.
    static var wide: RelayLimits {
        var limits = RelayLimits()
        limits.queueMessages = 10_000_000
        limits.queueBytes = 64 << 30
        limits.queuesPerService = 2_000_000
        limits.serviceBytes = limits.totalBytes
        return limits
    }
}

/// Counts the transactions of a store.
final class CountingStore: RelayStore {
    private let store: SQLiteRelayStore
    private let count = Atomic(0)

    var commits: Int { count.load(ordering: .relaxed) }

    init(_ store: SQLiteRelayStore) { self.store = store }

    func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        count.add(1, ordering: .relaxed)
        return try await store.commit(writes)
    }

    func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        try await store.deliveries(to: service, after: position, limit: limit, bytes: bytes)
    }

    func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]? {
        try await store.bundle(of: queue, at: now)
    }

    func expire(
        storedBefore moment: Timestamp, at now: Timestamp, limit: Int
    ) async throws(StoreError) -> Expiry {
        try await store.expire(storedBefore: moment, at: now, limit: limit)
    }

    func lastPositions(of services: [VerificationKey]) async throws(StoreError) -> [VerificationKey: UInt64] {
        try await store.lastPositions(of: services)
    }

    func kept() async throws(StoreError) -> RelayKept { try await store.kept() }

    func close() async { await store.close() }
}
