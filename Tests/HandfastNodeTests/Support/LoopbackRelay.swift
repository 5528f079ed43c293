import Handfast
import HandfastCrypto
import HandfastLink
import HandfastNode
import HandfastRelay
import HandfastStore

/// A real relay on loopback, in this process.
final class LoopbackRelay: Sendable {
    let address: RelayAddress
    private let server: RelayServer
    private let task: Task<Void, Never>

    /// - Parameter openings: how many queues an address may open within the hour, where that is not as usual.
    init(
        store: any RelayStore = MemoryRelayStore(), key: LinkKey = LoopbackRelay.newKey(), port: Int = 0,
        openings: Int? = nil
    ) async throws {
        var configuration = RelayConfiguration()
        configuration.port = port
        if let openings { (configuration.openingsAtOnce, configuration.openingsPerHour) = (openings, 1) }
        let server = try await Self.listen(configuration, key, store)
        self.server = server
        address = try RelayAddress(host: "127.0.0.1", port: UInt16(server.port), key: key.publicKey)
        task = Task { try? await server.run() }
    }

    /// A port that was free a moment ago may be in use by a connection of another test.
    private static func listen(
        _ configuration: RelayConfiguration, _ key: LinkKey, _ store: any RelayStore
    ) async throws -> RelayServer {
        for _ in 0..<500 {
            do {
                return try await RelayServer.listen(configuration, key: key, store: store, now: TimeSource.system.now)
            } catch {
                guard configuration.port != 0 else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return try await RelayServer.listen(configuration, key: key, store: store, now: TimeSource.system.now)
    }

    static func newKey() -> LinkKey {
        var random = SecureRandom()
        return LinkKey(AgreementPrivateKey.generate(using: &random))
    }

    func stop() async {
        await server.shutDown(within: .milliseconds(100))
        await task.value
    }
}
