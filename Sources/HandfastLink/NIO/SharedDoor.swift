internal import HandfastCrypto
internal import NIOCore
internal import Synchronization

/// The one ``HandshakeDoor`` of a server's event loops, with its clock and randomness.
final class SharedDoor: Sendable {
    private let door: Mutex<HandshakeDoor>
    private let judged: @Sendable (HandshakeOutcome) -> Void

    /// - Parameter judged: Told of each message that is judged.
    init(_ limits: LinkLimits, judged: @escaping @Sendable (HandshakeOutcome) -> Void) {
        self.judged = judged
        var random = SecureRandom()
        door = Mutex(HandshakeDoor(limits, at: Self.now, using: &random))
    }

    private static var now: Duration { .nanoseconds(Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

    var counts: HandshakeCounts {
        door.withLock {
            HandshakeCounts(answered: $0.answeredCount, asked: $0.askedCount, refused: $0.refusedCount)
        }
    }

    /// Judges a first message; those of a place without addresses are answered.
    func admit(_ cookie: [UInt8]?, from address: NetworkAddress?) -> Admission {
        guard let address else { return .answer }
        let admission = door.withLock { door in
            var random = SecureRandom()
            return door.admit(
                cookie, from: address.origin, isLocal: address.isLoopback, at: Self.now, using: &random)
        }
        judged(admission.outcome)
        return admission
    }
}
