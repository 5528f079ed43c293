import Handfast
import HandfastCrypto
import HandfastNode
import HandfastStore

/// A node with a vault in memory, that can be started and stopped.
final class Person {
    let name: String
    private(set) var store: MemoryVaultStore
    private(set) var node: Node
    private var running: Task<Void, any Error>?
    private let configuration: NodeConfiguration
    private let time: TimeSource

    init(_ name: String, at relay: RelayAddress, time: TimeSource = .system) async throws {
        self.name = name
        self.time = time
        var configuration = NodeConfiguration(relay: relay, name: name)
        configuration.delivery.firstPause = .milliseconds(5)
        configuration.delivery.longestPause = .milliseconds(50)
        configuration.delivery.knockPause = .milliseconds(200)
        self.configuration = configuration
        store = MemoryVaultStore()
        node = try await Node.open(configuration, store: store, time: time)
    }

    func start() {
        let node = node
        running = Task { try await node.run() }
    }

    func stop() async {
        running?.cancel()
        _ = await running?.result
        running = nil
    }

    /// Ends the process, so to speak, and opens the vault anew as it is on disk.
    func restart(faults: StoreFaults = StoreFaults()) async throws {
        await stop()
        store = store.reopened(faults: faults)
        node = try await Node.open(configuration, store: store, time: time)
    }

    /// Waits for the first event that fits, from the beginning of the feed.
    @discardableResult
    func event(
        _ kind: NodeEvent.Kind, after position: Int64 = 0,
        where fits: @escaping @Sendable (NodeEvent) -> Bool = { _ in true }
    ) async throws -> NodeEvent {
        let node = node
        let name = name
        return try await withThrowingTaskGroup(of: NodeEvent.self) { group in
            group.addTask {
                for try await event in node.events(following: position) where event.kind == kind && fits(event) {
                    return event
                }
                throw Failure("\(name): the feed ended without \(kind.rawValue)")
            }
            group.addTask {
                try await Task.sleep(for: .seconds(20))
                let events = try await node.events(after: 0).map { "\($0.kind.rawValue) \($0.detail)" }
                throw Failure("\(name): no \(kind.rawValue) in 20 s; events: \(events.joined(separator: "\n"))")
            }
            defer { group.cancelAll() }
            guard let event = try await group.next() else { throw Failure("no event") }
            return event
        }
    }

    /// Texts received, in order.
    func texts() async throws -> [String] {
        try await node.events(after: 0, limit: 10_000).filter { $0.kind == .recordReceived }.compactMap(\.detail.text)
    }
}

/// A failure of a test's own making.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
