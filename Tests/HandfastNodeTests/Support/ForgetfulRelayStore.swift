import Handfast
import HandfastCrypto
import HandfastStore
import Synchronization

/// A relay's store that can be taken back to an older state under the feet of a relay that runs.
final class ForgetfulRelayStore: RelayStore {
    private let store = Mutex(MemoryRelayStore())

    /// From here on the disk keeps nothing.
    func loseWhatComes() {
        store.withLock { store in
            var faults = StoreFaults()
            faults.loseFrom = store.commitCount + 1
            store.inject(faults)
        }
    }

    /// What the disk has is all that there is.
    func goBack() {
        store.withLock { $0 = $0.reopened() }
    }

    private var current: MemoryRelayStore { store.withLock { $0 } }

    func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        try await current.commit(writes)
    }

    func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        try await current.deliveries(to: service, after: position, limit: limit, bytes: bytes)
    }

    func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]? {
        try await current.bundle(of: queue, at: now)
    }

    func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) async throws(StoreError) -> Expiry {
        try await current.expire(storedBefore: moment, at: now, limit: limit)
    }

    func keptBytes() async throws(StoreError) -> Int { try await current.keptBytes() }

    func close() async { await current.close() }
}
