/// What a server did with the first message of a client.
/// - Source: Spec/06 §6.6
public enum HandshakeOutcome: String, CaseIterable, Sendable {
    /// It let the handshake be made.
    case answered
    /// It asked for a cookie.
    case asked
    /// It closed: the message came with a cookie, and too often from one address.
    case refused
}
