public import HandfastChannel
public import HandfastCrypto
internal import HandfastEncoding
public import HandfastStore

/// What a client asks of a relay.
/// - Source: Spec/07
public enum RelayRequest: Equatable, Sendable {
    /// To speak for a service; the signature covers ``attachDigest(handshakeHash:service:)``.
    case attach(service: VerificationKey, signature: FixedBytes<64>)
    /// To open queues.
    case open([QueueOpening])
    /// To set the knocks that a queue accepts.
    case admit(QueueID, [Knock])
    /// To replace the bundles beside a queue.
    case publish(QueueID, [PublishedBundle])
    /// To give out the bundle in force.
    case fetch(QueueID)
    /// To keep a hello for the owner of a queue.
    case knock(QueueID, Knock, hello: [UInt8])
    /// To append envelopes to queues.
    case put([PutItem])
    /// To deliver everything above a position from now on.
    case subscribe(after: UInt64)
    /// To forget everything up to a position.
    case acknowledge(UInt64)
    /// To close queues for good.
    case close([QueueID])
    /// To set the policies of queues.
    case policy([PolicySetting])
    /// To answer.
    case ping

    enum Verb: UInt64 {
        case attach = 1
        case open = 2
        case admit = 3
        case publish = 4
        case fetch = 5
        case knock = 6
        case put = 7
        case subscribe = 8
        case acknowledge = 9
        case close = 10
        case ping = 11
        case policy = 12
    }

    private static let attachLabel = Label("attach")

    /// What the owner of a service signs to attach to it: `H("attach", h, service key)`, h being the link's handshake
    /// hash, so that the signature holds on this connection alone.
    public static func attachDigest(handshakeHash: [UInt8], service: VerificationKey) -> Digest {
        Digest.of(attachLabel, handshakeHash, service.coseKey)
    }
}
