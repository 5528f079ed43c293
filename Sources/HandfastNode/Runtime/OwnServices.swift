public import HandfastCrypto
internal import Synchronization

/// The services of one node, which alone its own relay admits: the relay of a node is no relay for strangers.
///
/// - Source: Spec/07 §7.3
public final class OwnServices: Sendable {
    private let keys = Mutex<Set<VerificationKey>>([])

    /// None yet; a node adds its services before they attach.
    public init() {}

    /// Whether a service is one of the node's.
    public func contains(_ service: VerificationKey) -> Bool { keys.withLock { $0.contains(service) } }

    func insert(_ service: VerificationKey) {
        keys.withLock { _ = $0.insert(service) }
    }
}
