internal import HandfastCrypto
public import Logging
internal import NIOCore
public import NIOPosix
internal import Synchronization

/// Accepts links and hands each, once its handshake is finished, to a handler.
///
/// ```swift
/// let server = try await LinkServer.listen(host: "127.0.0.1", port: 7447, key: key)
/// await server.run { connection in … }     // returns after shutDown(within:) or when its task is cancelled
/// ```
public final class LinkServer: Sendable {
    /// The port it listens on; 0 for a local socket.
    public let port: Int

    private let channel: any NIOCore.Channel
    private let accepted: AsyncStream<LinkConnection>
    private let acceptedEnd: AsyncStream<LinkConnection>.Continuation
    private let socketPath: String?
    private let door: SharedDoor?
    private let unsent: UnsentBytes
    private let state = Mutex(State())

    private struct State {
        var open: [ObjectIdentifier: LinkConnection] = [:]
        var isShuttingDown = false
        var emptied: [CheckedContinuation<Void, Never>] = []
    }

    /// What became of the first messages that came; nothing is counted on a local socket.
    public var handshakes: HandshakeCounts { door?.counts ?? HandshakeCounts() }

    private init(
        channel: any NIOCore.Channel, accepted: AsyncStream<LinkConnection>,
        acceptedEnd: AsyncStream<LinkConnection>.Continuation, unsent: UnsentBytes, socketPath: String? = nil,
        door: SharedDoor? = nil
    ) {
        self.unsent = unsent
        self.channel = channel
        self.accepted = accepted
        self.acceptedEnd = acceptedEnd
        self.socketPath = socketPath
        self.door = door
        port = channel.localAddress?.port ?? 0
    }

    /// Listens on a host and port (0: any free one) for clients that know the public half of `key`.
    /// - Parameter judged: Told what becomes of each first message, on an event loop.
    /// - Throws: ``LinkError/cannotListen(_:reason:)``
    /// - Source: Spec/06
    public static func listen(
        host: String, port: Int, key: LinkKey, limits: LinkLimits = LinkLimits(),
        group: MultiThreadedEventLoopGroup = .singleton, logger: Logger = Logger(label: "handfast.link"),
        judged: @escaping @Sendable (HandshakeOutcome) -> Void = { _ in }
    ) async throws(LinkError) -> LinkServer {
        let (accepted, end) = AsyncStream<LinkConnection>.makeStream()
        let door = SharedDoor(limits, judged: judged)
        let unsent = UnsentBytes(limit: limits.unsentBytesOfAll, logger: logger)
        let bootstrap = bootstrap(limits, group, logger, end, unsent) { address in
            LinkSession.server(key) { cookie in door.admit(cookie, from: address) }
        }
        do {
            let channel = try await bootstrap.bind(host: host, port: port).get()
            return LinkServer(channel: channel, accepted: accepted, acceptedEnd: end, unsent: unsent, door: door)
        } catch {
            throw .cannotListen("\(host):\(port)", reason: NIOReason.text(of: error))
        }
    }

    /// Listens on a socket file of mode 0600. The file of a process that is gone is replaced; it is removed at the end.
    /// - Throws: ``LinkError/cannotListen(_:reason:)``, ``LinkError/socketInUse(_:)``, ``LinkError/notASocket(_:)``,
    ///   ``LinkError/socketPathTooLong(_:limit:)``
    /// - Source: Spec/06
    public static func listen(
        socketPath path: String, limits: LinkLimits = .local, group: MultiThreadedEventLoopGroup = .singleton,
        logger: Logger = Logger(label: "handfast.link")
    ) async throws(LinkError) -> LinkServer {
        let (accepted, end) = AsyncStream<LinkConnection>.makeStream()
        let descriptor = try LocalSocket.bind(path: path)
        let unsent = UnsentBytes(limit: limits.unsentBytesOfAll, logger: logger)
        let bootstrap = bootstrap(limits, group, logger, end, unsent) { _ in .plain() }
        do {
            let channel = try await bootstrap.withBoundSocket(descriptor).get()
            return LinkServer(
                channel: channel, accepted: accepted, acceptedEnd: end, unsent: unsent, socketPath: path)
        } catch {
            LocalSocket.remove(path: path)
            throw .cannotListen(path, reason: NIOReason.text(of: error))
        }
    }

    private static func bootstrap(
        _ limits: LinkLimits, _ group: MultiThreadedEventLoopGroup, _ logger: Logger,
        _ accepted: AsyncStream<LinkConnection>.Continuation, _ unsent: UnsentBytes,
        session: @escaping @Sendable (NetworkAddress?) -> LinkSession
    ) -> ServerBootstrap {
        let limiter = ConnectionLimiter(limits)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let address = NetworkAddress(channel.remoteAddress)
                    guard limiter.enter(from: address) else {
                        logger.warning("connection refused: limit reached")
                        throw LinkError.closed
                    }
                    channel.closeFuture.whenComplete { _ in limiter.leave(from: address) }
                    if address != nil {
                        try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
                    }
                    let opened = channel.eventLoop.makePromise(of: LinkConnection.self)
                    let handler = LinkHandler(
                        session: session(address), isServer: true, limits: limits,
                        remoteAddress: address?.origin ?? "local", opened: opened, unsentOfAll: unsent)
                    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                    let place = limiter.begin { channel.eventLoop.execute { bound.value.giveWay() } }
                    opened.futureResult.whenComplete { result in
                        limiter.finish(place)
                        switch result {
                        case .success(let connection):
                            if case .terminated = accepted.yield(connection) { connection.abort() }
                        case .failure(let error):
                            logger.debug("handshake failed", metadata: ["reason": "\(error)"])
                        }
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
    }

    /// Whether it still takes connections.
    public var isAccepting: Bool { state.withLock { !$0.isShuttingDown } }

    // MARK: Running

    /// Gives each connection to `handler`, which may close it and whose return closes it. Returns after
    /// ``shutDown(within:)`` or, closing everything at once, when the task is cancelled.
    public func run(_ handler: @escaping @Sendable (LinkConnection) async -> Void) async {
        await withDiscardingTaskGroup { group in
            for await connection in accepted {
                guard enter(connection) else {
                    connection.abort()
                    continue
                }
                group.addTask {
                    await handler(connection)
                    await connection.close()
                    self.leave(connection)
                }
            }
            if Task.isCancelled { await stop() }
        }
        await stop()
    }

    /// Accepts nothing more and lets every handler see the end of its frames, so that it finishes what it has begun;
    /// what is still open after the given time is closed.
    public func shutDown(within grace: Duration = .seconds(5)) async {
        let open = state.withLock { state in
            state.isShuttingDown = true
            return Array(state.open.values)
        }
        acceptedEnd.finish()
        await closeListening()
        for connection in open { connection.finishInput() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitUntilEmpty() }
            group.addTask { try? await Task.sleep(for: grace) }
            await group.next()
            group.cancelAll()
            abortAll()
        }
    }

    private func stop() async {
        state.withLock { $0.isShuttingDown = true }
        acceptedEnd.finish()
        abortAll()
        await closeListening()
    }

    private func closeListening() async {
        try? await channel.close().get()
        if let socketPath { LocalSocket.remove(path: socketPath) }
    }

    private func abortAll() {
        let open = state.withLock { Array($0.open.values) }
        for connection in open { connection.abort() }
    }

    private func enter(_ connection: LinkConnection) -> Bool {
        state.withLock { state in
            guard !state.isShuttingDown else { return false }
            state.open[ObjectIdentifier(connection)] = connection
            unsent.enter(connection)
            return true
        }
    }

    private func leave(_ connection: LinkConnection) {
        unsent.leave(connection)
        let waiting = state.withLock { state in
            state.open[ObjectIdentifier(connection)] = nil
            guard state.open.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.emptied = [] }
            return state.emptied
        }
        for continuation in waiting { continuation.resume() }
    }

    private func waitUntilEmpty() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isEmpty = state.withLock { state in
                    if state.open.isEmpty || Task.isCancelled { return true }
                    state.emptied.append(continuation)
                    return false
                }
                if isEmpty { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                defer { state.emptied = [] }
                return state.emptied
            }
            for continuation in waiting { continuation.resume() }
        }
    }
}
