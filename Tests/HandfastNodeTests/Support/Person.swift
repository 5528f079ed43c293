import Foundation
import Handfast
import HandfastCrypto
import HandfastStore
import Synchronization

@testable import HandfastNode

/// A node with a vault in memory, that can be started, stopped and crashed.
final class Person: Sendable {
    let name: String
    /// Where its attachments lie.
    let folder = "\(NSTemporaryDirectory())/hf-\(UUID().uuidString)"
    private let configuration: NodeConfiguration
    private let time: TimeSource
    private let state: Mutex<State>

    private struct State: Sendable {
        var store: MemoryVaultStore
        var node: Node
        var running: Task<Void, any Error>?
        var hasDied = false
    }

    init(
        _ name: String, at relay: RelayAddress, time: TimeSource = .system, faults: StoreFaults = StoreFaults(),
        introduces: Bool = true, alternatives: [RelayAddress] = [], watchPause: Duration = .seconds(120),
        attachmentBytes: UInt64 = 100 << 20, altogether: UInt64 = 4 << 30, redirectedBytes: Int? = nil
    ) async throws {
        self.name = name
        self.time = time
        var configuration = NodeConfiguration(relay: relay, name: introduces ? name : nil)
        configuration.delivery.firstPause = .milliseconds(5)
        configuration.delivery.longestPause = .milliseconds(50)
        configuration.delivery.knockPause = .milliseconds(200)
        configuration.delivery.failOverPause = .milliseconds(20)
        configuration.delivery.returnPause = .milliseconds(100)
        configuration.delivery.watchPause = watchPause
        configuration.delivery.redirectedBytes = redirectedBytes ?? configuration.delivery.redirectedBytes
        configuration.alternatives = alternatives
        configuration.attachments.folder = folder
        configuration.issuersFile = "\(folder)-issuers.json"
        configuration.attachments.acceptedBytes = attachmentBytes
        configuration.attachments.totalBytes = altogether
        self.configuration = configuration
        let store = MemoryVaultStore(faults: faults)
        state = Mutex(State(store: store, node: try await Node.open(configuration, store: store, time: time)))
    }

    deinit {
        for path in [folder, "\(folder)-issuers.json"] { try? FileManager.default.removeItem(atPath: path) }
    }

    var node: Node { state.withLock { $0.node } }
    var store: MemoryVaultStore { state.withLock { $0.store } }

    func start() {
        let node = node
        let task = Task {
            do {
                try await node.run()
            } catch {
                if !Task.isCancelled { self.state.withLock { $0.hasDied = true } }
                throw error
            }
        }
        state.withLock { $0.running = task }
    }

    func stop() async {
        let running = state.withLock { state -> Task<Void, any Error>? in
            defer { state.running = nil }
            return state.running
        }
        running?.cancel()
        _ = await running?.result
    }

    /// Ends the process, so to speak, and opens the vault anew as it is on disk.
    func restart(faults: StoreFaults = StoreFaults()) async throws {
        await stop()
        let store = store.reopened(faults: faults)
        let node = try await Node.open(configuration, store: store, time: time)
        state.withLock { $0 = State(store: store, node: node) }
    }

    /// Starts the process again if it has ended by itself.
    func revive() async throws {
        guard state.withLock({ $0.hasDied }) else { return }
        try await restart()
        start()
    }

    /// Waits for the first event that fits, from a position of the feed on.
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
                try await Task.sleep(for: .seconds(120))
                throw Failure("\(name): no \(kind.rawValue) in 120 s; \(try await self.story())")
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

    /// Events of a kind.
    func events(_ kind: NodeEvent.Kind) async throws -> [NodeEvent] {
        try await node.events(after: 0, limit: 10_000).filter { $0.kind == kind }
    }

    /// All events, for a failing test.
    func story() async throws -> String {
        try await node.events(after: 0, limit: 10_000)
            .map { "\($0.kind.rawValue) \($0.detail.text ?? $0.detail.reason ?? "")" }.joined(separator: "; ")
    }
}

/// A failure of a test's own making.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Waits until a condition holds, starting again whoever has crashed.
func until(
    _ what: String, _ people: Person..., seconds: Int = 120, _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        for person in people { try await person.revive() }
        if (try? await condition()) == true { return }
        try await Task.sleep(for: .milliseconds(3))
    }
    var stories: [String] = []
    for person in people { stories.append("\(person.name): \((try? await person.story()) ?? "closed")") }
    throw Failure("\(what) did not happen in \(seconds) s. \(stories.joined(separator: "\n"))")
}

/// Makes two people meet and gives the relationship.
func meet(_ inviter: Person, _ invitee: Person) async throws -> RelationshipID {
    let (invitation, _) = try await inviter.node.invite(label: invitee.name)
    try await until("publication", inviter) {
        // Refused until the inviter's relay has the bundles.
        _ = try await invitee.node.accept(invitation.uri, asksDomain: false)
        return true
    }
    try await inviter.event(.relationshipLive)
    try await invitee.event(.relationshipLive)
    guard let id = try await invitee.node.relationships().first?.id else { throw Failure("no relationship") }
    return try RelationshipID(text: id)
}
