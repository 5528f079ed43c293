internal import HandfastCrypto

/// The ratcheted encryption between two identities: a Double Ratchet with header keys, lazy steps and ML-KEM steps.
///
/// A pure value: it reads no clock, draws randomness from its caller and does no I/O. Whoever holds it seals and opens
/// envelopes, writes
/// ``encoded()`` and ``auxiliary()`` to durable storage before an envelope leaves or is acknowledged, and then calls
/// ``didCommit(using:)``.
/// ```swift
/// var envelope: [UInt8] = []
/// try channel.seal(.records, content.bytes, now: now, into: &envelope, using: &entropy)
/// // … at the other end
/// switch try channel.open(envelope.bytes, now: now, into: &plaintext) {
/// case .message(.records, let content): handle(plaintext[content])
/// default: break
/// }
/// ```
/// - Source: Spec/04
public struct Channel: ~Copyable, Sendable {
    /// The largest content of one envelope, in bytes.
    public static let maximumContentByteCount = EnvelopeLayout.maximumContentByteCount
    /// The largest envelope, in bytes.
    public static let maximumEnvelopeByteCount = EnvelopeLayout.maximumByteCount
    /// The most messages that one envelope may be ahead of the one expected.
    static let maximumSkip: UInt32 = 256
    /// A receiver turns after this many messages of one chain, or after a day.
    static let messagesBeforeTurn: UInt32 = 64
    static let secondsBeforeTurn: UInt64 = 86_400

    var root: SecretBytes
    var ownRatchetKey: AgreementPrivateKey
    var peerRatchetKey: AgreementPublicKey
    /// Nil while a step is due before the next message can be sent.
    var sending: SendingChain?
    /// Messages in the sending chain before the current or coming one.
    var previousLength: UInt32
    var nextSendingHeaderKey: HeaderKey
    /// Nil until the peer's first message.
    var receiving: ReceivingChain?
    var nextReceivingHeaders: HeaderStream
    /// Our ML-KEM key that the peer has not used yet.
    var ownOffer: KEMPrivateKey?
    /// The peer's ML-KEM key that we have not used yet.
    var peerOffer: KEMPublicKey?
    /// Digest of the peer's key that we used last: none is used twice.
    var usedPeerOffer: Digest?
    var schedule: PostQuantumSchedule
    var skipped: [SkippedKey] = []
    var held = HeldEnvelopes()
    /// Whether the peer's chain that unlocks the held envelopes has been opened.
    var heldAreReleasable = false
    /// Part of every nonce; never stored, so that a copied state never repeats one.
    var salt: UInt64
    /// Whether ``auxiliary()`` has changed since the channel was loaded or committed.
    public internal(set) var auxiliaryChanged = false

    // Reused by every message, so that none allocates.
    var messageKey = AEADKey()
    var trialKeys = ChainKeys()

    init(
        root: consuming SecretBytes, ownRatchetKey: consuming AgreementPrivateKey,
        peerRatchetKey: AgreementPublicKey, sending: consuming SendingChain?, previousLength: UInt32,
        nextSendingHeaderKey: consuming HeaderKey, receiving: consuming ReceivingChain?,
        nextReceivingHeaderKey: consuming HeaderKey, schedule: PostQuantumSchedule, salt: UInt64
    ) {
        self.root = root
        self.ownRatchetKey = ownRatchetKey
        self.peerRatchetKey = peerRatchetKey
        self.sending = sending
        self.previousLength = previousLength
        self.nextSendingHeaderKey = nextSendingHeaderKey
        self.receiving = receiving
        nextReceivingHeaders = HeaderStream(nextReceivingHeaderKey)
        self.schedule = schedule
        self.salt = salt
    }

    /// Draws a new salt. Call it after each durable commit.
    public mutating func didCommit(using random: inout some RandomNumberGenerator) {
        salt = random.next()
        auxiliaryChanged = false
    }

    /// Whether this side has only received for so long that it should seal a ``PayloadKind/turn``, to renew keys.
    public borrowing func turnIsDue(now: Timestamp) -> Bool {
        guard sending == nil else { return false }
        switch receiving {
        case .some(let chain) where chain.hasContent:
            return chain.next >= Self.messagesBeforeTurn || now >= chain.began.adding(seconds: Self.secondsBeforeTurn)
        default:
            return false
        }
    }

    /// Envelopes that were held and can be opened now, to be given to ``open(_:now:into:)`` again. Usually there are
    /// none.
    ///
    /// Ask after each envelope that opened, before the state is stored: which ones are released is not part of it.
    public mutating func takeReleasable() -> [[UInt8]] {
        guard heldAreReleasable else { return [] }
        heldAreReleasable = false
        auxiliaryChanged = true
        return held.take()
    }

    /// The nonce of the current salt: 0⁴ ‖ salt.
    static func nonce(_ salt: UInt64) -> FixedBytes<12> {
        var nonce = FixedBytes<12>.zero
        var bytes = nonce.mutableBytes
        bytes.storeBytes(of: salt, toByteOffset: 4, as: UInt64.self)
        return nonce
    }
}
