internal import HandfastNode
internal import HandfastStore
internal import Logging

/// A node on a vault that this process has opened, with its own relay where it has one.
struct OpenNode: Sendable {
    let node: Node
    private let store: SQLiteVaultStore

    /// Takes the vault's lock and opens it.
    ///
    /// - Parameter listens: whether the own relay takes connections; a command without network leaves it closed.
    static func open(_ settings: Settings, listens: Bool, logger: Logger) async throws -> OpenNode {
        let folder = settings.folder
        guard folder.holdsVault else { throw StoreError.noVault(path: folder.path) }
        let unlock = try Unlocking.unlock(settings)
        let store = try await Progress.during("Opening the vault") {
            try SQLiteVaultStore.open(folder, unlocking: unlock)
        }
        do {
            return OpenNode(node: try await node(on: store, settings, listens: listens, logger), store: store)
        } catch {
            await store.close()
            throw error
        }
    }

    private static func node(
        on store: SQLiteVaultStore, _ settings: Settings, listens: Bool, _ logger: Logger
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
    func close() async { await store.close() }
}
