internal import HandfastCrypto
internal import NIOCore
internal import Synchronization

/// The one ``HandshakeDoor`` of a server's event loops, with its clock and randomness.
final class SharedDoor: Sendable {
    private let door: Mutex<HandshakeDoor>

    init(_ limits: LinkLimits) {
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
        return door.withLock { door in
            var random = SecureRandom()
            return door.admit(
                cookie, from: address.origin, isLocal: address.isLoopback, at: Self.now, using: &random)
        }
    }
}
