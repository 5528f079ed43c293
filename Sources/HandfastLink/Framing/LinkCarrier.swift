/// What brings the frames of a connection to the peer and back, between two mailboxes: a socket, or a simulated network.
protocol LinkCarrier: Sendable {
    /// Frames wait in the mailbox to be sent.
    func flush()
    /// The mailbox has room again for what comes.
    func resumeReading()
    /// Closes once everything is sent, and returns when the connection is over.
    func closeWhenFlushed() async
    /// Closes at once; what is unsent is lost.
    func abort()
}
