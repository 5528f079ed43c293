public import HandfastCrypto
internal import HandfastEncoding

/// What a side makes that has lost the channel: the bytes to send and what to keep until their answer comes.
///
/// From the transaction on that stores it, its sender has no channel: the old one is erased.
///
/// - Source: Spec/04 §4.8
@frozen
public struct Rejoin: ~Copyable {
    /// The first byte of a rejoin, where an envelope has 1.
    public static let firstByte = SealedForm.rejoin.version
    /// No epoch has a higher number.
    public static let maximumEpoch = UInt64(UInt32.max)

    /// The bytes to put into the peer's queue; a retry puts the same.
    public let bytes: [UInt8]
    /// `H("rejoin", relationship, bytes)`.
    public let hash: Digest
    /// What opens the answer.
    public let pending: PendingRejoin

    /// Seals a rejoin.
    ///
    /// - Parameters:
    ///   - relationship: The relationship.
    ///   - epoch: The epoch to begin, 1 to ``maximumEpoch``.
    ///   - resume: An earlier epoch that the peer can be expected to remember; nil for none.
    ///   - resumes: Holds the secret of `resume`.
    ///   - heads: How far both directions of the ledger have come: one encoded item.
    ///   - insteadOf: The hash of a rejoin of the peer that could not be answered.
    ///   - addresses: Where this side receives from now on, 1 to 4; empty where the peer knows.
    ///   - identity: The own pairwise identity.
    ///   - peer: The peer's X-Wing key in force.
    ///   - now: The time.
    ///   - entropy: Keys and the HPKE context.
    /// - Throws: ``ChannelError/unknownResume(_:)``, ``ChannelError/tooLarge(of:maximum:)``,
    ///   ``ChannelError/malformed(_:)`` for an epoch out of range.
    public static func make(
        relationship: RelationshipID, epoch: UInt64, resume: UInt64?, resumes: borrowing ResumeSecrets,
        heads: [UInt8], insteadOf: Digest? = nil, addresses: [Address] = [], identity: borrowing Identity,
        peer: SealingPublicKey, now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> Rejoin {
        guard (1...maximumEpoch).contains(epoch), resume.map({ $0 < epoch }) ?? true else {
            throw .malformed("rejoin: epoch \(epoch) cannot be begun")
        }
        let form = SealedForm.rejoin
        let sender = try form.sender(to: peer, info: info(of: relationship), using: &entropy)
        let ratchetKey = AgreementPrivateKey.generate(using: &entropy)
        let kemKey = KEMPrivateKey.generate(using: &entropy)
        let content = RejoinContent(
            epoch: epoch, resume: resume, heads: heads, events: identity.log.shown, ratchetKey: ratchetKey.publicKey,
            kemKey: kemKey.publicKey, created: now, insteadOf: insteadOf, addresses: addresses)
        let message = COSESign1.sign(
            content.encoded(), type: form.type,
            externalData: externalData(relationship: relationship, encapsulation: sender.encapsulation),
            with: identity.signingKey)
        let sealed = try form.seal(message, with: sender)
        let hash = hash(of: sealed.bytes, relationship: relationship)
        let root = try root(exported: sealed.exported, resume: resume, resumes: resumes, hash: hash)
        return Rejoin(
            bytes: sealed.bytes, hash: hash,
            pending: PendingRejoin(epoch: epoch, hash: hash, root: root, ratchetKey: ratchetKey, kemKey: kemKey))
    }

    /// Whether what came by a relationship's queue is a rejoin rather than an envelope, by its first byte.
    public static func isRejoin(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount > 0 else { return false }
        return unsafe bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == firstByte
    }

    /// `H("rejoin", relationship, bytes)`, the name of a rejoin whether it can be opened or not.
    public static func hash(of bytes: [UInt8], relationship: RelationshipID) -> Digest {
        Digest.of(.rejoin, relationship.digest.array, bytes)
    }

    static func info(of relationship: RelationshipID) -> [UInt8] {
        Array("HF1.rejoin".utf8) + relationship.digest.array
    }

    static func externalData(relationship: RelationshipID, encapsulation: [UInt8]) -> [UInt8] {
        relationship.digest.array + encapsulation
    }

    /// The first root of the epoch, from what HPKE exports, the resume secret if one is named, and the rejoin.
    static func root(
        exported: borrowing SecretBytes, resume: UInt64?, resumes: borrowing ResumeSecrets, hash: Digest
    ) throws(ChannelError) -> EpochRoot {
        var derivation = LabelledHash(.rejoinRoot, key: exported)
        if let resume {
            guard let secret = resumes.secret(of: resume) else { throw .unknownResume(resume) }
            derivation.absorb(secret.bytes)
        } else {
            derivation.absorb([])
        }
        derivation.absorb(hash.bytes)
        return EpochRoot(derivation.secret())
    }
}
