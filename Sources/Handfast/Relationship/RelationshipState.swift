/// How far a relationship has come.
///
/// - Source: Spec/05 §5.5; Spec/03 §3.4
public enum RelationshipState: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The invitee has sent `hello` and waits for `welcome`.
    case greeted = 0
    /// The inviter has sent `welcome` and waits for the invitee's first envelope.
    case welcomed = 1
    /// Both sides hold the channel.
    case live = 2
    /// The own end is signed; the peer's answer is awaited.
    case ending = 3
    /// Nothing is signed or received any more.
    case ended = 4
    /// The peer, or two copies of the own vault, contradicted each other: nothing is signed or received any more.
    case frozen = 5

    /// The state's name.
    public var description: String {
        switch self {
        case .greeted: "greeted"
        case .welcomed: "welcomed"
        case .live: "live"
        case .ending: "ending"
        case .ended: "ended"
        case .frozen: "frozen"
        }
    }
}
