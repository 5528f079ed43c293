@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto

/// One direction's queue at a relay: numbers without gaps and a running digest, as put has them (Spec/07), and what is
/// on its way from there to the recipient.
final class PeerQueue {
    /// Something on its way.
    struct Message {
        let bytes: [UInt8]
        /// Not what its sender sealed: no vault may change by it beyond notes.
        var isForged = false
    }

    private(set) var digests: [Digest] = [Digest.of(.body, [], [])]
    var underWay: [Message] = []
    /// Everything that ever was on its way, to be sent again by somebody who listens.
    private(set) var past: [[UInt8]] = []
    /// Whether the relay's store ever went back to an older state.
    private(set) var hasGoneBack = false

    /// The number that the next envelope must have, and the digest up to there.
    var end: (number: Int, digest: Digest) { (digests.count - 1, digests[digests.count - 1]) }

    /// Whether the relay takes an envelope as its next.
    func put(_ bytes: [UInt8], number: Int) -> Bool {
        guard number == end.number else { return false }
        digests.append(Self.digest(after: end.digest, bytes))
        underWay.append(Message(bytes: bytes))
        past.append(bytes)
        return true
    }

    /// The relay's store becomes an older copy of itself: the latest `count` envelopes are gone.
    func goBack(by count: Int) {
        let count = min(count, end.number)
        guard count > 0 else { return }
        digests.removeLast(count)
        underWay.removeLast(min(count, underWay.count))
        hasGoneBack = true
    }

    static func digest(after digest: Digest, _ bytes: [UInt8]) -> Digest {
        Digest.of(.body, digest.array, bytes)
    }
}
