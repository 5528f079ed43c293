internal import Handfast
internal import HandfastCrypto

/// A queue at a relay is not as this vault remembers it: one of the two was taken back to an older state.
///
/// Nothing is put there under the old channel any more. The sender takes over the relay's number and digest and begins
/// a new epoch with the next envelope.
///
/// - Source: Spec/07 §7.2
struct Divergence: Hashable, Sendable {
    /// What the comparison showed.
    let cause: RejoinCause
    /// The number that the relay expects next.
    let next: UInt64
    /// The queue digest at that number.
    let digest: Digest
    /// Whether the queue was as this process left it before: another node has sent there since.
    var isOfAnother = false
}
