/// Why nothing is delivered in a relationship although its state would allow it.
///
/// - Source: Spec/07, put
enum DeliveryStop: UInt8, Hashable, Sendable {
    /// The relay holds more than we ever sent: our store was taken back to an older state.
    case ownStoreRolledBack = 1
    /// The relay holds less than it confirmed: its store was taken back.
    case relayRolledBack = 2
    /// The queue holds something else than what we sent.
    case digestsDiffer = 3
    /// The relay does not know the queue, or not the capability.
    case refused = 4
    /// The peer closed the queue.
    case closed = 5
    /// The relay takes nothing as large.
    case tooLarge = 6

    /// Whether one of the two stores went back, so that only a new epoch helps.
    var isRollback: Bool {
        switch self {
        case .ownStoreRolledBack, .relayRolledBack, .digestsDiffer: true
        case .refused, .closed, .tooLarge: false
        }
    }

    /// What it means for a person.
    var text: String {
        switch self {
        case .ownStoreRolledBack:
            "this vault was taken back to an older state than the peer's relay has seen; nothing is sent under a used "
                + "key. Use the newer vault if it still exists, else meet the peer again by a new invitation"
        case .relayRolledBack:
            "the peer's relay lost envelopes that it had confirmed; meet the peer again by a new invitation"
        case .digestsDiffer:
            "the peer's relay holds other envelopes than this vault sent: two copies of this vault are in use, or the "
                + "relay is at fault. Stop the other copy and meet the peer again by a new invitation"
        case .refused:
            "the peer's relay does not know the queue any more; ask the peer for a new invitation"
        case .closed:
            "the peer closed its queue"
        case .tooLarge:
            "the peer's relay takes no envelopes as large as these"
        }
    }
}
