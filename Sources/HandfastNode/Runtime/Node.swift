internal import Handfast
public import HandfastCrypto
internal import HandfastLink
public import HandfastRelay
public import HandfastStore
public import ServiceLifecycle
internal import Synchronization

/// A node: a vault, its relationships, and their delivery. What a vendor's engineer embeds.
///
/// ```swift
/// let node = try await Node.open(NodeConfiguration(relay: relay), store: vault)
/// // Runs until the service group shuts down: receives, sends, renews bundles.
/// let running = Task { try await node.run() }
/// for try await event in node.events(following: lastStoredPosition) where event.kind == .recordReceived {
///     // Store the event's effect and its position in one transaction of your own: a restart repeats nothing.
///     try await database.store(event, position: event.position)
/// }
/// ```
///
/// All methods may be called from any task. What a method promises is durable when it returns; what has to travel is
/// in the outbox by then and goes out while ``run()`` runs, now or after a restart.
///
/// - Source: Spec/03, Spec/05, Spec/07
public final class Node: Service, Sendable {
    /// What the node was told at its start.
    public let configuration: NodeConfiguration
    /// The vault.
    public let store: any VaultStore
    let keeper: Keeper
    let steward: Steward
    let exchange: Exchange
    let courier: AttachmentCourier?
    let feed: EventFeed
    private let ownRelay: OwnRelay?
    private let notices: NoticeBoard
    private let isServing = Atomic(false)
    private let domainsAreDue = Signal()
    private let issuersAreDue = Signal()

    /// Opens a node on a vault. Nothing goes over the network before ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: where it receives, and how it delivers.
    ///   - store: the vault, whose lock this process holds.
    ///   - ownRelay: the relay to serve while the node runs; the node receives there if the configuration names none.
    ///   - time: the clock.
    ///   - entropy: the source of keys and salts.
    ///   - network: how relays are reached.
    public static func open(
        _ configuration: NodeConfiguration, store: any VaultStore, ownRelay: OwnRelay? = nil,
        time: TimeSource = .system, entropy: any Entropy & Sendable = SystemEntropy(),
        network: RelayNetwork = .system
    ) async throws(NodeError) -> Node {
        let last: Int64
        do {
            last = try await store.lastEventPosition()
        } catch {
            throw .store(error)
        }
        let desk: AttachmentDesk? =
            if let folder = configuration.attachments.folder {
                try AttachmentDesk(configuration.attachments, at: folder)
            } else {
                nil
            }
        try await desk?.reserve(for: store)
        return Node(configuration, store, ownRelay, desk, time, entropy, lastEvent: last, network: network)
    }

    init(
        _ configuration: NodeConfiguration, _ store: any VaultStore, _ ownRelay: OwnRelay?, _ desk: AttachmentDesk?,
        _ time: TimeSource, _ entropy: any Entropy & Sendable, lastEvent: Int64, network: RelayNetwork = .system
    ) {
        var configuration = configuration
        if configuration.relay == nil { configuration.relay = ownRelay?.address }
        self.configuration = configuration
        self.store = store
        self.ownRelay = ownRelay
        let feed = EventFeed(store: store, last: lastEvent)
        let notices = NoticeBoard()
        keeper = Keeper(
            store: store, time: time, network: network, entropy: entropy,
            relays: RelayList([configuration.relay].compactMap(\.self) + configuration.alternatives),
            settings: configuration.delivery,
            introduction: configuration.name, attachments: desk, issuers: IssuerFile(path: configuration.issuersFile)
        ) { notice in
            if let last = notice.lastEvent { feed.advance(to: last) }
            notices.post(notice)
        }
        steward = Steward(store: store, keeper: keeper)
        let allowsPrivate =
            configuration.allowsPrivateAddresses
            ?? configuration.relay.map { AddressVetting.isPrivate($0.host) } ?? false
        exchange = Exchange(
            keeper: keeper, settings: configuration.delivery, ownServices: ownRelay?.services,
            allows: { allowsPrivate || $0.isPublic })
        courier = desk.map { [keeper, exchange] desk in
            AttachmentCourier(keeper: keeper, desk: desk) { Task { await exchange.changed() } }
        }
        self.feed = feed
        self.notices = notices
    }

    // MARK: Running

    /// Receives, sends, renews bundles, and serves the own relay, until the task is cancelled or the service group
    /// shuts down.
    ///
    /// - Throws: ``NodeError`` when the own relay cannot be served, or the vault can be read or written no more: the
    ///   process should end then, and start again.
    public func run() async throws {
        isServing.store(true, ordering: .relaxed)
        defer { isServing.store(false, ordering: .relaxed) }
        try await cancelWhenGracefulShutdown { try await self.serve() }
    }

    /// What ``run()`` does, until the task is cancelled.
    func serve() async throws {
        try await deliver {
            try await self.exchange.startAll()
            try await self.keeper.findWhatWaits()
            while true {
                try await self.purge()
                try await self.retireServices()
                for _ in 0..<60 {
                    try await self.rejoinWhatIsDue()
                    try await self.tellKeyEvents()
                    self.domainsAreDue.raise()
                    self.issuersAreDue.raise()
                    try await self.keeper.time.pause(.seconds(60))
                }
            }
        }
    }

    /// Whether messages are being delivered now.
    public var isRunning: Bool { notices.isRead }
    /// Whether ``run()`` runs: then delivery goes on after a command has answered.
    var isRunningForGood: Bool { isServing.load(ordering: .relaxed) }

    /// Delivers while `body` runs, and gives its result.
    func deliver<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        guard let notices = notices.read() else {
            throw NodeError.unavailable("this node is running already")
        }
        defer { self.notices.stop() }
        await exchange.begin()
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            if let ownRelay {
                group.addTask {
                    try await ownRelay.run()
                    return nil
                }
            }
            group.addTask {
                await self.exchange.run()
                return nil
            }
            if let courier {
                group.addTask {
                    await courier.run()
                    return nil
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    await self.domainsAreDue.wait()
                    try await self.askDomains()
                }
                return nil
            }
            group.addTask {
                while !Task.isCancelled {
                    await self.issuersAreDue.wait()
                    try await self.fetchKeys()
                }
                return nil
            }
            group.addTask {
                for await notice in notices {
                    if notice.asksIssuer { self.issuersAreDue.raise() }
                    if notice.asksDomain { self.domainsAreDue.raise() }
                    // After a failed flush nobody knows what is on the disk: only a new process can find out.
                    if let failure = notice.failure { throw NodeError.store(failure) }
                    if !notice.heard.isEmpty { await self.exchange.heard(notice.heard) }
                    if !notice.toStart.isEmpty || !notice.retired.isEmpty || !notice.tended.isEmpty {
                        await self.exchange.moving(notice.toStart, notice.tended, retired: notice.retired)
                    }
                    if notice.outbox.isEmpty, notice.adopted.isEmpty {
                        await self.exchange.changed()
                    } else {
                        await self.exchange.committed(notice.outbox, adopted: notice.adopted)
                    }
                }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
                try Task.checkCancellation()
            }
            throw CancellationError()
        }
    }

    /// Erases what has reached its time. What fails for now is tried again with the next round.
    private func purge() async throws(NodeError) {
        do {
            while try await store.purge(expiredAt: keeper.time.now(), limit: 1_000) > 0 {}
        } catch {
            if error.isFinal { throw .store(error) }
        }
    }

    /// Goes on telling of a rotation that a command has begun. What fails for now is tried again with the next round.
    private func tellKeyEvents() async throws(NodeError) {
        do {
            if let log = try await publicIdentity() { try await tellKeyEvents(of: log) }
        } catch .store(.syncFailed(let reason)) {
            throw .store(.syncFailed(reason))
        } catch {
            return
        }
    }

    /// Asks domains that are due. What fails for now is tried again with the next round.
    private func askDomains() async throws(NodeError) {
        do {
            try await askDomainsThatAreDue()
        } catch .store(.syncFailed(let reason)) {
            throw .store(.syncFailed(reason))
        } catch {
            return
        }
    }

    /// Fetches keys of issuers where that is due. What fails for now is tried again with the next round.
    private func fetchKeys() async throws(NodeError) {
        do {
            try await fetchKeysThatAreDue()
        } catch .store(.syncFailed(let reason)) {
            throw .store(.syncFailed(reason))
        } catch {
            return
        }
    }

    /// Asks for new epochs that time has made due. What fails for now is tried again with the next round.
    private func rejoinWhatIsDue() async throws(NodeError) {
        do {
            try await keeper.rejoinWhatIsDue()
        } catch .store(.syncFailed(let reason)) {
            throw .store(.syncFailed(reason))
        } catch {
            return
        }
    }
}

/// Hands the notices of commits to the one that delivers, in order; without one they are dropped, because delivery
/// begins with what is stored.
final class NoticeBoard: Sendable {
    private let reader = Mutex<AsyncStream<Keeper.Notice>.Continuation?>(nil)

    /// Whether somebody reads.
    var isRead: Bool { reader.withLock { $0 != nil } }

    /// The notices from now on; `nil` if somebody reads already.
    func read() -> AsyncStream<Keeper.Notice>? {
        let (stream, continuation) = AsyncStream<Keeper.Notice>.makeStream()
        return reader.withLock { reader in
            guard reader == nil else { return nil }
            reader = continuation
            return stream
        }
    }

    /// Nobody reads any more.
    func stop() {
        reader.withLock { $0 = nil }
    }

    func post(_ notice: Keeper.Notice) {
        _ = reader.withLock { $0?.yield(notice) }
    }
}
