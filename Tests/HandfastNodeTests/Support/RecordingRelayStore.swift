import Handfast
import HandfastCrypto
import HandfastStore
import Synchronization

/// A relay's store that remembers every envelope that was ever put to it.
final class RecordingRelayStore: RelayStore {
    private let store = MemoryRelayStore()
    private let put = Mutex(Set<[UInt8]>())

    /// Every envelope that was put, whether it was taken or not.
    var envelopes: Set<[UInt8]> { put.withLock { $0 } }

    func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        for case .put(_, _, _, let envelopes, _) in writes { put.withLock { $0.formUnion(envelopes) } }
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

    func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) async throws(StoreError) -> Expiry {
        try await store.expire(storedBefore: moment, at: now, limit: limit)
    }

    func keptBytes() async throws(StoreError) -> Int { try await store.keptBytes() }

    func close() async { await store.close() }
}
