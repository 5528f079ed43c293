/// What a server does with a client's first message.
package enum Admission: Hashable, Sendable {
    /// Finishes the handshake.
    case answer
    /// Says nothing but this cookie, which the client is to show with its first message again.
    case ask(cookie: [UInt8])
    /// Closes.
    case refuse

    /// What it comes to for whoever counts.
    var outcome: HandshakeOutcome {
        switch self {
        case .answer: .answered
        case .ask: .asked
        case .refuse: .refused
        }
    }
}
