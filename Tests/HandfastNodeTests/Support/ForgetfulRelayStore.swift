import ForwardingStores
import HandfastStore
import Synchronization

/// A relay's store that can be taken back to an older state under the feet of a relay that runs.
final class ForgetfulRelayStore: ForwardingRelayStore {
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

    var behind: MemoryRelayStore { store.withLock { $0 } }
}
