/// What a server did with the first messages of its clients.
public struct HandshakeCounts: Hashable, Sendable {
    /// Handshakes that it let be made.
    public var answered = 0
    /// Messages that it answered with a cookie.
    public var asked = 0
    /// Messages that came with a cookie, and too often from one address.
    public var refused = 0

    /// Nothing yet.
    public init() {}

    init(answered: Int, asked: Int, refused: Int) {
        self.answered = answered
        self.asked = asked
        self.refused = refused
    }
}
