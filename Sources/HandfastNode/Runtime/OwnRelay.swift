public import HandfastChannel
public import HandfastLink
internal import HandfastRelay
public import HandfastStore

/// A relay that the node serves beside its own work: "peer to peer" is the case where it serves itself alone.
public struct OwnRelay: Sendable {
    /// Where others find it.
    public let address: RelayAddress
    let services: OwnServices
    private let serve: @Sendable () async throws -> Void

    /// A relay that `serve` runs until its task is cancelled.
    ///
    /// - Parameter services: what the relay server admits; the node that serves the relay fills it.
    public init(
        address: RelayAddress, services: OwnServices, serve: @escaping @Sendable () async throws -> Void
    ) {
        self.address = address
        self.services = services
        self.serve = serve
    }

    /// Begins to listen; connections are served while the node runs. Only that node's services have queues there.
    ///
    /// - Parameters:
    ///   - place: where it listens, and the host that invitations name.
    ///   - key: the key that stands in its address.
    ///   - store: what it keeps, best made with `RelayLimits.ofOneNode`; the caller closes it afterwards.
    ///   - time: the clock.
    /// - Throws: ``NodeError/relay(_:)`` when it cannot listen there, ``NodeError/channel(_:)`` for a host that no
    ///   address can hold.
    public static func listen(
        _ place: NodeConfiguration.Listen, key: LinkKey, store: any RelayStore, time: TimeSource = .system
    ) async throws(NodeError) -> OwnRelay {
        let services = OwnServices()
        var configuration = RelayConfiguration.ofOneNode
        configuration.host = place.host
        configuration.port = Int(place.port)
        do {
            let server = try await RelayServer.listen(
                configuration, key: key, store: store, admits: services.contains, now: time.now)
            let address = try RelayAddress(
                host: place.advertisedHost ?? place.host, port: UInt16(clamping: server.port), key: key.publicKey)
            return OwnRelay(address: address, services: services) { try await server.run() }
        } catch {
            throw NodeError(error)
        }
    }

    /// Serves until the task is cancelled.
    func run() async throws {
        try await serve()
    }
}
