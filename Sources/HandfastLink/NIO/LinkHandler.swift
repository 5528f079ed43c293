internal import HandfastCrypto
internal import NIOCore

/// Carries a ``LinkSession`` on its channel: all decisions are the session's, all waiting is the mailbox's.
final class LinkHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The most that is sealed into one buffer, so that a slow peer is seen to take some of it.
    private static let bytesPerWrite = 256 << 10

    private var session: LinkSession
    private let mailbox: LinkMailbox
    private let limits: LinkLimits
    private let remoteAddress: String
    /// Fulfilled once. It holds the connection then, which holds this handler: kept on, none of them would ever go.
    private var opened: EventLoopPromise<LinkConnection>?
    private var random = SecureRandom()

    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var isClosing = false
    private var writesUnderway = 0
    private var lastHeard = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(
        session: consuming LinkSession, isServer: Bool, limits: LinkLimits, remoteAddress: String,
        opened: EventLoopPromise<LinkConnection>, unsentOfAll: UnsentBytes? = nil
    ) {
        self.session = session
        self.mailbox = LinkMailbox(limits: limits, isServer: isServer, unsentOfAll: unsentOfAll)
        self.limits = limits
        self.remoteAddress = remoteAddress
        self.opened = opened
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
        end(.failed(.closed))
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard timer == nil, opened != nil else { return }
        lastHeard = .now()
        schedule(.now() + TimeAmount(limits.handshakeTimeout)) { $0.fail(.handshakeTimedOut) }
        if let opening = session.opening {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: opening)), promise: nil)
        }
        openIfReady(context)
    }

    private func openIfReady(_ context: ChannelHandlerContext) {
        guard session.isOpen, let opened = opened.take() else { return }
        timer?.cancel()
        watchSilence()
        opened.succeed(
            LinkConnection(
                handshakeHash: session.handshakeHash, remoteAddress: remoteAddress, mailbox: mailbox,
                carrier: SocketCarrier(
                    channel: context.channel, handler: NIOLoopBound(self, eventLoop: context.eventLoop))))
    }

    func channelInactive(context: ChannelHandlerContext) {
        do throws(LinkError) {
            try session.finish()
            end(.clean)
        } catch {
            end(.failed(error))
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.connectionLost(NIOReason.text(of: error)))
    }

    /// Makes room for a newer connection, unless the handshake is finished by now.
    func giveWay() {
        if opened != nil { fail(.handshakeTimedOut) }
    }

    private func fail(_ error: LinkError) {
        end(.failed(error))
        context?.close(promise: nil)
    }

    private func end(_ end: LinkMailbox.End) {
        timer?.cancel()
        mailbox.end(end)
        opened.take()?.fail(end.error)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        lastHeard = .now()
        let bytes = unwrapInboundIn(data)
        var frames: [[UInt8]] = []
        var reply: [UInt8] = []
        do throws(LinkError) {
            try session.receive(bytes.readableBytesSpan, into: &frames, reply: &reply, using: &random)
        } catch {
            // What came whole before the fault was authentic and is still the program's.
            mailbox.deliver(frames)
            fail(error)
            return
        }
        if !reply.isEmpty {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)), promise: nil)
        }
        mailbox.deliver(frames)
        openIfReady(context)
    }

    func read(context: ChannelHandlerContext) {
        if isClosing || mailbox.hold == .none { context.read() } else { isReadHeld = true }
    }

    /// Goes on reading, if it was only the mailbox that kept from it.
    func resumeReading() {
        guard isReadHeld, mailbox.hold == .none, let context else { return }
        isReadHeld = false
        lastHeard = .now()
        context.read()
    }

    // MARK: Writing

    /// Seals and writes everything that waits in the mailbox.
    func flush() {
        guard let context else { return }
        var waiting = mailbox.takeOutbound()[...]
        guard !waiting.isEmpty else { return }
        while !waiting.isEmpty {
            var bytes = 0
            let count = waiting.prefix { frame in
                defer { bytes += frame.count }
                return bytes < Self.bytesPerWrite
            }.count
            let frames = Array(waiting.prefix(count))
            waiting = waiting.dropFirst(count)
            guard write(frames, context) else { return }
        }
        context.flush()
    }

    private func write(_ frames: [[UInt8]], _ context: ChannelHandlerContext) -> Bool {
        let size = session.sealedCount(of: frames)
        var buffer = context.channel.allocator.buffer(capacity: size)
        buffer.moveWriterIndex(forwardBy: size)
        do throws(LinkError) {
            var bytes = buffer.mutableReadableBytesSpan
            try session.seal(frames, into: &bytes)
        } catch {
            fail(error)
            return false
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        let (count, total) = (frames.count, frames.reduce(0) { $0 + $1.count })
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            self?.didWrite(frames: count, bytes: total)
        }
        writesUnderway += 1
        context.write(wrapOutboundOut(buffer), promise: written)
        return true
    }

    private func didWrite(frames: Int, bytes: Int) {
        writesUnderway -= 1
        if mailbox.sent(frames, bytes: bytes) { resumeReading() }
        if isClosing { finishWriting() }
    }

    /// Closes once everything is written, or when the time for it is over.
    func closeWhenFlushed() {
        guard let context, !isClosing else { return }
        isClosing = true
        schedule(.now() + TimeAmount(limits.closeTimeout)) { $0.context?.close(promise: nil) }
        flush()
        finishWriting()
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    /// Tells the peer that nothing more comes, once everything is written. Its own close ends the connection: closing
    /// with bytes unread would make the system throw away what the peer has not received yet.
    private func finishWriting() {
        guard writesUnderway == 0 else { return }
        context?.close(mode: .output, promise: nil)
    }

    // MARK: Time

    private func schedule(_ deadline: NIODeadline, _ action: @escaping (LinkHandler) -> Void) {
        timer?.cancel()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            if let self { action(self) }
        }
    }

    private func watchSilence() {
        guard let timeout = limits.idleTimeout.map({ TimeAmount($0) }) else { return }
        // Silence counts only while we listen: not when it is our own program that is slow.
        if mailbox.hold == .unread { lastHeard = .now() }
        schedule(lastHeard + timeout) { handler in
            if handler.mailbox.hold != .unread, handler.lastHeard + timeout <= .now() {
                handler.fail(.silent)
            } else {
                handler.watchSilence()
            }
        }
    }
}
