public import HandfastChannel
public import HandfastCrypto
public import HandfastLink
public import HandfastStore
public import Logging
public import NIOPosix

/// A relay: it keeps envelopes until their owners have them.
///
/// ```swift
/// let relay = try await RelayServer.listen(configuration, key: key, store: store, now: now)
/// try await relay.run()       // returns after shutDown(within:), or when its task is cancelled
/// ```
/// - Source: Spec/07
public final class RelayServer: Sendable {
    /// How often expired messages are looked for.
    private static let expiryInterval = Duration.seconds(60)
    private static let expiryBatch = 10_000
    /// How many services one question is about.
    private static let servicesPerQuestion = 2_000

    private let server: LinkServer
    private let shared: ConnectionService.Shared
    private let retentionSeconds: UInt64

    /// The port it listens on.
    public var port: Int { server.port }

    /// What became of the first messages of its clients.
    public var handshakes: HandshakeCounts { server.handshakes }

    private init(server: LinkServer, shared: ConnectionService.Shared, retentionSeconds: UInt64) {
        self.server = server
        self.shared = shared
        self.retentionSeconds = retentionSeconds
    }

    /// Begins to listen; connections are served once ``run()`` is called.
    /// - Parameters:
    ///   - key: The key that stands in the relay's address.
    ///   - store: What it keeps; the caller closes it afterwards.
    ///   - metrics: Where it counts its work.
    ///   - admits: Whether a service may have queues here, asked when it attaches; the relay of one node serves that
    ///     node's services only. Anybody may put into the queues that it has.
    ///   - now: The clock.
    /// - Throws: ``RelayError/invalidConfiguration(_:reason:)``, ``RelayError/link(_:)`` if it cannot listen
    public static func listen(
        _ configuration: RelayConfiguration, key: LinkKey, store: any RelayStore,
        group: MultiThreadedEventLoopGroup = .singleton, logger: Logger = Logger(label: "handfast.relay"),
        metrics: RelayMetrics = RelayMetrics(), admits: @escaping @Sendable (VerificationKey) -> Bool = { _ in true },
        now: @escaping @Sendable () -> Timestamp
    ) async throws(RelayError) -> RelayServer {
        try configuration.validate()
        let server: LinkServer
        do {
            server = try await LinkServer.listen(
                host: configuration.host, port: configuration.port, key: key, limits: configuration.link,
                group: group, logger: logger, judged: { metrics.judged($0) })
        } catch {
            throw .link(error)
        }
        let shared = ConnectionService.Shared(
            store: store, commit: GroupCommit(store: store, metrics: metrics), metrics: metrics,
            subscriptions: Subscriptions(isAlone: store.pollInterval == nil),
            limits: configuration.session, openings: AddressLimiter(configuration.openings), admits: admits, now: now,
            logger: logger)
        return RelayServer(server: server, shared: shared, retentionSeconds: configuration.retentionSeconds)
    }

    /// Serves until ``shutDown(within:)`` or until the task is cancelled.
    /// - Throws: ``RelayError/store(_:)`` when the store can commit nothing more: the process should end.
    public func run() async throws(RelayError) {
        // Not a child of this task: what was queued before a cancellation is still committed and answered.
        let committing = Task { [shared, server] () -> StoreError? in
            do throws(StoreError) {
                try await shared.commit.run()
                return nil
            } catch {
                shared.logger.critical("the store failed", metadata: ["reason": "\(error)"])
                await server.shutDown(within: .zero)
                return error
            }
        }
        let expiring = Task { await expireRegularly() }
        let asking = shared.store.pollInterval.map { interval in Task { await askRegularly(every: interval) } }
        await server.run { [shared] connection in
            shared.metrics.connected()
            defer { shared.metrics.disconnected() }
            await ConnectionService(connection, shared).run()
        }
        expiring.cancel()
        asking?.cancel()
        shared.commit.stop()
        if let failure = await committing.value { throw .store(failure) }
    }

    /// Accepts nothing more, answers what has come, and closes everything after the given time at the latest.
    public func shutDown(within grace: Duration = .seconds(5)) async {
        await server.shutDown(within: grace)
    }

    /// Whether it takes connections and its store answers.
    public func isReady() async -> Bool {
        guard server.isAccepting else { return false }
        do throws(StoreError) {
            shared.metrics.keeps(try await shared.store.kept())
            return true
        } catch {
            shared.logger.error("the store does not answer", metadata: ["reason": "\(error)"])
            return false
        }
    }

    // MARK: Other relays on the same store

    /// Looks for what another process has stored for whoever waits here, so that no message waits for the next one that
    /// comes this way.
    private func askRegularly(every interval: Duration) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            var services = shared.subscriptions.services[...]
            while !services.isEmpty, !Task.isCancelled {
                let some = services.prefix(Self.servicesPerQuestion)
                services = services.dropFirst(some.count)
                do {
                    for (service, last) in try await shared.store.lastPositions(of: Array(some)) {
                        shared.subscriptions.reach(service, last)
                    }
                } catch {
                    shared.metrics.storageFailed()
                    shared.logger.error("asking the store failed", metadata: ["reason": "\(error)"])
                }
            }
        }
    }

    // MARK: Expiry

    /// Deletes everything older than the retention, and tells how many messages that were.
    @discardableResult
    package func expire() async throws(StoreError) -> Int {
        let now = shared.now()
        let moment = now.subtracting(seconds: retentionSeconds)
        var total = 0
        while true {
            let expiry = try await shared.store.expire(storedBefore: moment, at: now, limit: Self.expiryBatch)
            total += expiry.deleted
            shared.metrics.expired(expiry.deleted)
            for arrival in expiry.arrivals { shared.subscriptions.forget(arrival) }
            guard expiry.more, !Task.isCancelled else { return total }
        }
    }

    private func expireRegularly() async {
        while !Task.isCancelled {
            do {
                let deleted = try await expire()
                shared.metrics.keeps(try await shared.store.kept())
                if deleted > 0 { shared.logger.info("messages expired", metadata: ["count": "\(deleted)"]) }
            } catch {
                shared.metrics.storageFailed()
                shared.logger.error("expiry failed", metadata: ["reason": "\(error)"])
            }
            try? await Task.sleep(for: Self.expiryInterval)
        }
    }
}
