internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastNode
internal import HandfastPostgres
internal import HandfastRelay
internal import HandfastStore
internal import Logging
internal import Metrics

/// A relay that this process serves: by itself, or beside a node.
struct RelayHost: Sendable {
    /// Where others find it.
    let address: RelayAddress
    private let services: OwnServices?
    private let server: RelayServer
    private let store: any RelayStore

    /// Where a relay's two files are.
    struct Files: Sendable {
        let key: String
        let database: String

        /// Beside each other in a folder.
        init(in folder: String) {
            key = "\(folder)/relay.key"
            database = "\(folder)/relay.sqlite"
        }
    }

    /// Opens the store and begins to listen; makes key and store where they are missing.
    ///
    /// - Parameter services: the services of the one node that it serves; `nil` for a relay that serves everybody.
    static func open(
        _ files: Files, at endpoint: Endpoint, for services: OwnServices?, settings: Settings, logger: Logger
    ) async throws -> RelayHost {
        let key = try RelayKey.loadOrMake(at: files.key)
        var limits = services == nil ? RelayLimits.standard : .ofOneNode
        if let count = settings.number(.queueMessages) { limits.queueMessages = count }
        if let count = settings.number(.queueBytes) { limits.queueBytes = count }
        if let count = settings.number(.relayBytes) {
            limits.totalBytes = count
            limits.serviceBytes = services == nil ? count / 8 : count
        }
        var configuration = services == nil ? RelayConfiguration() : .ofOneNode
        configuration.host = endpoint.host
        configuration.port = Int(endpoint.port)
        if services == nil {
            // A relay that serves one node has no strangers among its services.
            if let count = settings.number(.serviceBytes) { limits.serviceBytes = count }
            if let count = settings.number(.reservedPerQueue) { limits.reservedPerQueue = count }
            if let count = settings.number(.openingsPerAddress) { configuration.openingsPerHour = count }
        }
        if let days = settings.number(.retentionDays) { configuration.retentionSeconds = UInt64(days) * 86_400 }
        if let count = settings.number(.connections) { configuration.link.connections = count }
        if let count = settings.number(.connectionsPerAddress) { configuration.link.connectionsPerAddress = count }
        if let count = settings.number(.handshakesPerSecond) { configuration.link.handshakesPerSecond = count }
        if let count = settings.number(.handshakesPerAddress) { configuration.link.handshakesPerAddress = count }
        let store: any RelayStore =
            if let database = try settings.database() {
                try PostgresRelayStore(database, limits: limits)
            } else {
                try SQLiteRelayStore(path: files.database, limits: limits)
            }
        Meter(label: "handfast_relay_kept_limit_bytes").set(limits.totalBytes)
        if let count = limits.openQueues { Meter(label: "handfast_relay_queues_limit").set(count) }
        let server: RelayServer
        do {
            server = try await RelayServer.listen(
                configuration, key: key, store: store, logger: logger,
                admits: { services?.contains($0) ?? true }, now: TestClock.time.now)
        } catch {
            await store.close()
            throw Failure(
                .cannotCreate, Failure(error).message, hint: "another program may listen there; choose another port")
        }
        let port = UInt16(clamping: server.port)
        return RelayHost(
            address: try address(key: key.publicKey, at: endpoint, port: port, settings), services: services,
            server: server, store: store)
    }

    /// The address of the relay whose files these are, whether or not it runs.
    static func address(_ files: Files, at endpoint: Endpoint, settings: Settings) throws -> RelayAddress {
        try address(
            key: RelayKey.loadOrMake(at: files.key).publicKey, at: endpoint, port: endpoint.port, settings)
    }

    private static func address(
        key: AgreementPublicKey, at endpoint: Endpoint, port: UInt16, _ settings: Settings
    ) throws -> RelayAddress {
        try RelayAddress(host: settings.text(.relayAdvertise) ?? endpoint.host, port: port, key: key)
    }

    /// Serves until the task is cancelled or ``shutDown()``.
    func run() async throws {
        do {
            try await server.run()
            await store.close()
        } catch {
            await store.close()
            throw error
        }
    }

    /// Whether it takes connections and its store answers.
    func isReady() async -> Bool { await server.isReady() }

    /// Lets every client see the end, and ends ``run()``.
    func shutDown() async { await server.shutDown() }

    /// The relay as a node serves it beside its own work.
    var asOwnRelay: OwnRelay {
        OwnRelay(address: address, services: services ?? OwnServices()) { try await run() }
    }
}
