/// Why nothing is delivered in a relationship although its state would allow it.
///
/// - Source: Spec/07, put
enum DeliveryStop: UInt8, Hashable, Sendable {
    /// The inviter's relay does not know the invitation's queue or ticket.
    case refused = 4
    /// The peer closed the queue.
    case closed = 5
    /// We blocked the peer.
    case blocked = 7

    /// The same while it may still come to know it, in words.
    static let notAdmitted =
        "the inviter's relay does not know the invitation: the inviter's node has not told it yet, or the invitation is used "
        + "or over. It is tried again for a day"

    /// What a closed queue means while a rejoin waits for its answer.
    static let elsewhere =
        "the other side receives elsewhere by now, and this vault is older than its move: the channel is begun anew once the "
        + "other side sends something"

    /// What it means for a person.
    var text: String {
        switch self {
        case .refused:
            "the inviter's relay does not know the invitation any more; ask the inviter for a new one"
        case .closed:
            "the peer closed its queue"
        case .blocked:
            "you have blocked the other side: nothing is sent to it, and nothing of it comes"
        }
    }

    /// Why the channel cannot be begun anew, and what a person can do instead.
    var rejoinText: String {
        switch self {
        case .refused: text
        case .closed:
            "\(text): it would not get the request to begin anew. If it still wants to hear from you, meet it again by a new "
                + "invitation"
        case .blocked: "\(text). To hear from it again, meet it by a new invitation"
        }
    }
}
