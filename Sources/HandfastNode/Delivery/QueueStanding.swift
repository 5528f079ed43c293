internal import HandfastCrypto

/// What a relay tells of a queue that is asked by an empty put.
///
/// - Source: Spec/07 §7.2
struct QueueStanding: Hashable, Sendable {
    /// The number that it expects next.
    let next: UInt64
    /// Its digest at that number.
    let digest: Digest
}
