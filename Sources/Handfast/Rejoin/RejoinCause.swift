/// Why a relationship needs a new epoch.
///
/// - Source: Spec/04 §4.9
public enum RejoinCause: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Four envelopes in a row could not be opened.
    case unknownTags = 1
    /// A record or so many envelopes are missing that nothing later can be accepted.
    case recordMissing = 2
    /// Envelopes wait for an ML-KEM ciphertext that was lost.
    case heldForEver = 3
    /// The peer's queue holds more than this store ever sent: this store is an older state, or a copy.
    case ownStoreWentBack = 4
    /// The peer's queue holds less than it confirmed, or the own relay less than was received.
    case queueWentBack = 5
    /// The peer's queue holds something else than what was sent.
    case queueDiffers = 6
    /// The peer's rejoin could not be answered.
    case unanswerable = 7
    /// The own rejoin has had no answer for a day, or own records have not come back.
    case noAnswer = 8
    /// A person asked for it.
    case person = 9
    /// This vault was restored from a backup, which holds no channel.
    case restored = 10
    /// A rejoin of the peer, which an own one goes before, shows that it receives elsewhere.
    case peerElsewhere = 11

    /// Whether what a stranger to the keys can send is enough to cause it, so that it counts at most once an hour.
    var isLimited: Bool {
        switch self {
        case .unknownTags, .recordMissing, .heldForEver, .unanswerable: true
        case .ownStoreWentBack, .queueWentBack, .queueDiffers, .noAnswer, .person, .restored, .peerElsewhere: false
        }
    }

    /// What happened, for a person.
    public var description: String {
        switch self {
        case .unknownTags: "several messages in a row could not be opened"
        case .recordMissing: "a message of the other side is missing"
        case .heldForEver: "messages wait for a key that was lost on the way"
        case .ownStoreWentBack: "this vault is an older copy than the one that sent last"
        case .queueWentBack: "a relay has lost messages that it had confirmed"
        case .queueDiffers: "the other side's relay holds other messages than this vault sent"
        case .unanswerable: "the other side asked for new keys in a way that this vault could not answer"
        case .noAnswer: "the other side has not answered for a day"
        case .person: "it was asked for by hand"
        case .restored: "this vault was restored from a backup"
        case .peerElsewhere: "the other side receives elsewhere than this vault knew"
        }
    }
}
