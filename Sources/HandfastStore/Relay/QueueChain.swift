public import HandfastCrypto

/// The running digest of a queue: zeros before the first envelope, `H("queue chain", digest, envelope)` after each.
///
/// Sender and relay both keep it, so that either can tell whether the other's store was rolled back.
///
/// - Source: Spec/07
public enum QueueChain {
    /// The digest of a queue without envelopes.
    public static let start = Digest(FixedBytes.zero)

    private static let label = Label("queue chain")

    /// The digest after one more envelope.
    public static func digest(_ digest: Digest, extendedBy envelope: [UInt8]) -> Digest {
        var hash = LabelledHash(label)
        hash.absorb(digest.bytes)
        hash.absorb(envelope)
        return hash.digest()
    }
}
