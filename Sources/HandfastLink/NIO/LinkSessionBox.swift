internal import Synchronization

/// Carries a session into the closure that sets its channel up.
final class LinkSessionBox: Sendable {
    private let session: Mutex<LinkSession?>

    init(_ session: consuming sending LinkSession) {
        self.session = Mutex(session)
    }

    /// The session, the first time.
    func take() -> LinkSession? {
        session.withLock { $0.take() }
    }
}
