internal import Handfast
internal import Synchronization

/// The relays at which a node receives from now on, the preferred one first: those of its configuration, until it moves.
final class RelayList: Sendable {
    private let relays: Mutex<[RelayAddress]>

    init(_ relays: [RelayAddress]) {
        self.relays = Mutex(relays)
    }

    /// The relays at present.
    var current: [RelayAddress] {
        get { relays.withLock { $0 } }
        set { relays.withLock { $0 = newValue } }
    }
}
