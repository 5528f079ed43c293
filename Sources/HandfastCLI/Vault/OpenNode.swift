internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Logging

/// A node on a vault that this process has opened, with its own relay where it has one.
struct OpenNode: Sendable {
    let node: Node
    private let vault: OpenVault

    /// A node on a vault that this process has for itself; where that fails the vault is closed.
    ///
    /// - Parameter listens: whether the own relay takes connections; a command without network leaves it closed.
    static func open(on vault: OpenVault, _ settings: Settings, listens: Bool, logger: Logger) async throws -> OpenNode
    {
        do {
            return OpenNode(node: try await node(on: vault.store, settings, listens: listens, logger), vault: vault)
        } catch {
            await vault.store.close()
            throw error
        }
    }

    /// The vault in a database, where it is in one.
    var database: PostgresVaultStore? { vault.store as? PostgresVaultStore }

    /// A node on a store.
    static func node(
        on store: any VaultStore, _ settings: Settings, listens: Bool, _ logger: Logger
    ) async throws -> Node {
        var configuration = try settings.nodeConfiguration()
        var ownRelay: OwnRelay?
        if let endpoint = settings.listen {
            let files = RelayHost.Files(in: settings.folder.path)
            if listens {
                ownRelay = try await RelayHost.open(
                    files, at: endpoint, for: OwnServices(), settings: settings, logger: logger
                ).asOwnRelay
            } else if configuration.relay == nil {
                configuration.relay = try RelayHost.address(files, at: endpoint, settings: settings)
            }
        }
        return try await Node.open(configuration, store: store, ownRelay: ownRelay, time: TestClock.time)
    }

    /// Ends the use of the vault.
    func close() async { await vault.store.close() }
}
