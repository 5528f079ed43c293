/// Why the peer's queue takes nothing for now. What is to be delivered waits in the outbox.
///
/// - Source: Spec/07 §7.2
enum PeerHold: UInt8, Hashable, Sendable {
    /// The queue has no room.
    case full = 1
    /// More than the peer lets come in the time.
    case throttled = 2
    /// The peer takes nothing until it says otherwise.
    case paused = 3
    /// The peer takes nothing as large as what is next.
    case tooLarge = 4

    /// In one word, for a script.
    var word: String {
        switch self {
        case .full: "full"
        case .throttled: "throttled"
        case .paused: "paused"
        case .tooLarge: "too-large"
        }
    }

    /// What it means for a person.
    var text: String {
        switch self {
        case .full:
            "the other side's queue is full: it has not been online for long. What waits leaves once there is room"
        case .throttled: "the other side lets only so many messages come in an hour; what waits leaves at that rate"
        case .paused: "paused by the other side; what waits leaves once it resumes"
        case .tooLarge:
            "the other side takes nothing as large as what is to be sent next; what waits leaves once it does"
        }
    }
}
