/// An open link: frames in, frames out.
///
/// One task reads, any number may send. A connection that is no longer wanted must be closed.
public final class LinkConnection: Sendable {
    /// The name of the connection, 64 bytes that both ends know and no other connection has. Empty on a local socket.
    public let handshakeHash: [UInt8]

    /// Where the peer connects from, without its port; for limits. The path on a local socket.
    public let remoteAddress: String

    private let mailbox: LinkMailbox
    private let carrier: any LinkCarrier

    init(
        handshakeHash: [UInt8], remoteAddress: String, mailbox: LinkMailbox, carrier: any LinkCarrier
    ) {
        self.handshakeHash = handshakeHash
        self.remoteAddress = remoteAddress
        self.mailbox = mailbox
        self.carrier = carrier
    }

    /// Everything received since the last call, at least one frame; nil when the peer has closed in good order.
    ///
    /// What is not taken is bounded: beyond ``LinkLimits/unreadBytes`` the link stops reading.
    /// - Throws: ``LinkError`` for the end of the connection, after everything before it was taken;
    ///   ``LinkError/cancelled``
    public func nextFrames() async throws(LinkError) -> [[UInt8]]? {
        guard let next = try await mailbox.next() else { return nil }
        if next.wasHeld { carrier.resumeReading() }
        return next.frames
    }

    /// The frames one by one.
    public var frames: LinkFrames { LinkFrames(self) }

    /// Sends frames of 1...1,048,576 bytes each, in this order and together, in as few packets as hold them.
    ///
    /// Waits while more than ``LinkLimits/unsentBytes`` are unsent. Returning says nothing about their arrival.
    /// - Throws: ``LinkError/frameNotSendable(count:)``, ``LinkError/closed`` or why the connection ended,
    ///   ``LinkError/cancelled`` (the frames are on their way all the same)
    public func send(_ frames: [[UInt8]]) async throws(LinkError) {
        try enqueue(frames)
        try await mailbox.room()
    }

    /// Sends like ``send(_:)`` without waiting for room: for answers whose number is bounded by other means.
    package func enqueue(_ frames: [[UInt8]]) throws(LinkError) {
        if try mailbox.enqueue(frames) { carrier.flush() }
    }

    /// Waits until no more than ``LinkLimits/unsentBytes`` are unsent.
    package func room() async throws(LinkError) {
        try await mailbox.room()
    }

    /// Closes after everything was sent, or after ``LinkLimits/closeTimeout``. May be called again.
    public func close() async {
        mailbox.close()
        await carrier.closeWhenFlushed()
    }

    /// Closes at once; what is unsent is lost.
    public func abort() {
        mailbox.abandon()
        carrier.abort()
    }

    /// Bytes that are still to be sent.
    var unsentBytes: Int { mailbox.countedBytes }

    /// Lets ``nextFrames()`` return nil after what has come.
    func finishInput() {
        mailbox.finishInput()
    }
}

/// The frames of a connection one by one, to its end. One task at a time.
public struct LinkFrames: AsyncSequence, Sendable {
    private let connection: LinkConnection

    init(_ connection: LinkConnection) {
        self.connection = connection
    }

    /// A new iterator; frames that another iterator has taken and not given out are lost to it.
    public func makeAsyncIterator() -> Iterator {
        Iterator(connection)
    }

    /// Gives out the frames.
    public struct Iterator: AsyncIteratorProtocol {
        private let connection: LinkConnection
        private var batch: ArraySlice<[UInt8]> = []

        init(_ connection: LinkConnection) {
            self.connection = connection
        }

        /// The next frame, or nil at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(LinkError) -> [UInt8]? {
            if batch.isEmpty {
                guard let frames = try await connection.nextFrames() else { return nil }
                batch = frames[...]
            }
            return batch.popFirst()
        }

        /// The next frame, or nil at the end.
        public mutating func next() async throws(LinkError) -> [UInt8]? {
            try await next(isolation: nil)
        }
    }
}
