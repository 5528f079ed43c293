internal import Logging
internal import Synchronization

/// What all connections of a server have unsent, so that clients that do not read cannot fill its memory together.
///
/// Beyond the limit the connection that holds most is closed: who reads holds little.
/// - Source: Spec/06 §6.3
final class UnsentBytes: Sendable {
    private let limit: Int
    private let logger: Logger
    private let count = Atomic(0)
    private let connections = Mutex<[ObjectIdentifier: LinkConnection]>([:])

    /// - Parameter limit: In bytes.
    init(limit: Int, logger: Logger = Logger(label: "handfast.link")) {
        self.limit = limit
        self.logger = logger
    }

    func enter(_ connection: LinkConnection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    func leave(_ connection: LinkConnection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = nil }
    }

    func add(_ bytes: Int) { count.add(bytes, ordering: .relaxed) }

    func subtract(_ bytes: Int) { count.subtract(bytes, ordering: .relaxed) }

    /// Closes connections, those that hold most first, until what the others hold is within the limit.
    func relieve() {
        while count.load(ordering: .relaxed) > limit {
            let held = connections.withLock { connections in connections.values.map { ($0, $0.unsentBytes) } }
            guard let (most, bytes) = held.max(by: { $0.1 < $1.1 }), bytes > 0 else { return }
            logger.warning(
                "connection closed: it does not read, and too much is unsent altogether",
                metadata: ["address": "\(most.remoteAddress)", "bytes": "\(bytes)"])
            most.abort()
        }
    }
}
