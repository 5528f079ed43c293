public import HandfastCrypto
internal import NIOCore
public import NIOPosix

/// Makes links.
public enum LinkClient {
    /// Connects to the server that holds `key` and finishes the handshake with it.
    /// - Parameter allows: Judges each address that the host's name leads to; no other is connected to.
    /// - Throws: ``LinkError/unreachable(_:reason:)``, ``LinkError/addressRefused(_:host:)``,
    ///   ``LinkError/wrongServerKey``, ``LinkError/handshakeTimedOut`` and what else may end the handshake
    /// - Source: Spec/06
    public static func connect(
        host: String, port: Int, key: AgreementPublicKey, limits: LinkLimits = LinkLimits(),
        group: MultiThreadedEventLoopGroup = .singleton,
        allows: @escaping @Sendable (NetworkAddress) -> Bool = { _ in true }
    ) async throws(LinkError) -> LinkConnection {
        var random = SecureRandom()
        let session = LinkSessionBox(try LinkSession.client(to: key, using: &random))
        let loop = group.next()
        let resolver = VettingResolver(on: loop, allows: allows)
        return try await open(session, limits, remoteAddress: host, place: "\(host):\(port)", loop) { bootstrap in
            bootstrap.resolver(resolver).connect(host: host, port: port).flatMapErrorThrowing { error in
                if let address = resolver.refusedAddress { throw LinkError.addressRefused(address, host: host) }
                throw error
            }
        }
    }

    /// Connects to the local socket at `path`, which carries frames without Noise.
    /// - Throws: ``LinkError/unreachable(_:reason:)``
    /// - Source: Spec/06
    public static func connect(
        socketPath path: String, limits: LinkLimits = .local, group: MultiThreadedEventLoopGroup = .singleton
    ) async throws(LinkError) -> LinkConnection {
        let session = LinkSessionBox(.plain())
        return try await open(session, limits, remoteAddress: path, place: path, group.next()) { bootstrap in
            bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    private static func open(
        _ session: LinkSessionBox, _ limits: LinkLimits, remoteAddress: String, place: String,
        _ loop: any EventLoop,
        connect: (ClientBootstrap) -> EventLoopFuture<any NIOCore.Channel>
    ) async throws(LinkError) -> LinkConnection {
        let opened = loop.makePromise(of: LinkConnection.self)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(limits.handshakeTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        do {
            // The session goes to the one connection that stands: a name may lead to several addresses, not all of
            // which answer, and none may get a byte before it was judged.
            let channel = try await connect(bootstrap).flatMapThrowing { channel in
                guard let session = session.take() else { throw LinkError.closed }
                try channel.pipeline.syncOperations.addHandler(
                    LinkHandler(
                        session: session, isServer: false, limits: limits, remoteAddress: remoteAddress,
                        opened: opened))
                return channel
            }.get()
            return try await withTaskCancellationHandler {
                try await opened.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch let error as LinkError {
            opened.fail(error)
            throw error
        } catch {
            opened.fail(error)
            throw .unreachable(place, reason: NIOReason.text(of: error))
        }
    }
}
