import Handfast
import HandfastLink
import HandfastNode
import HandfastRelay
import HandfastStore

/// A node in this process.
final class Person {
    let node: Node
    private var running: Task<Void, any Error>?

    init(_ name: String, vault: any VaultStore, at relay: RelayAddress) async throws {
        node = try await Node.open(NodeConfiguration(relay: relay, name: name), store: vault)
    }

    /// Receives and sends from now on.
    func start() {
        running = Task { [node] in try await node.run() }
    }

    /// Ends that; what was committed is in the vault.
    func stop() async {
        running?.cancel()
        _ = await running?.result
    }
}

extension Node {
    /// Waits for an event of a kind, from the feed's beginning or after a position.
    func event(
        _ kind: NodeEvent.Kind, after position: Int64 = 0, where fits: (NodeEvent) -> Bool = { _ in true }
    ) async throws -> NodeEvent {
        for try await event in events(following: position) where event.kind == kind && fits(event) { return event }
        throw BenchmarkError.wrongContent
    }
}

/// A relay on loopback, on SQLite.
struct RelayPlace {
    let address: RelayAddress
    let store: SQLiteRelayStore
    private let server: RelayServer
    private let running: Task<Void, any Error>

    init(path: String) async throws {
        var limits = RelayLimits.standard
        limits.queuesPerService = 2_000_000
        store = try SQLiteRelayStore(path: path, limits: limits)
        var random = SecureRandom()
        let key = LinkKey(AgreementPrivateKey.generate(using: &random))
        var configuration = RelayConfiguration()
        configuration.port = 0
        let server = try await RelayServer.listen(configuration, key: key, store: store, now: TimeSource.system.now)
        self.server = server
        address = try RelayAddress(host: "127.0.0.1", port: UInt16(server.port), key: key.publicKey)
        running = Task { try await server.run() }
    }

    func stop() async {
        await server.shutDown(within: .zero)
        _ = await running.result
        await store.close()
    }
}
