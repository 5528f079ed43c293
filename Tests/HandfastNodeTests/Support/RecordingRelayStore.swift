import ForwardingStores
import Handfast
import HandfastStore
import Synchronization

/// A relay's store that remembers every envelope that was ever put to it.
final class RecordingRelayStore: ForwardingRelayStore {
    let behind = MemoryRelayStore()
    private let put = Mutex(Set<[UInt8]>())

    /// Every envelope that was put, whether it was taken or not.
    var envelopes: Set<[UInt8]> { put.withLock { $0 } }

    func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        for case .put(_, _, _, let envelopes, _) in writes { put.withLock { $0.formUnion(envelopes) } }
        return try await behind.commit(writes)
    }
}
