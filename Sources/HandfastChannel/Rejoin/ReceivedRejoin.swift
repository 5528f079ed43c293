public import HandfastCrypto
internal import HandfastEncoding

/// A rejoin that was opened and verified; nothing has been stored yet, and whether it is answered is for the caller to
/// say.
///
/// - Source: Spec/04 §4.8
public struct ReceivedRejoin: ~Copyable, Sendable {
    /// The rejoin's name.
    public let hash: Digest
    /// The epoch that the asker wants to begin.
    public let epoch: UInt64
    /// The epoch that it shows to remember; nil if it remembers none, which a person should be told.
    public let resume: UInt64?
    /// The hash of a rejoin of ours that the asker could not answer.
    public let insteadOf: Digest?
    /// How far both directions of the ledger have come at the asker: one encoded item.
    public let heads: [UInt8]
    /// The asker's key log with what it showed; the ledger's own log grows by records only.
    public let peerLog: KeyLog
    /// Where the asker receives from now on, each with a queue of its own; empty where nothing has changed.
    public let addresses: [Address]
    /// When the asker says that it was made.
    public let created: Timestamp
    private let exported: SecretBytes
    private let ratchetKey: AgreementPublicKey
    private let kemKey: KEMPublicKey

    /// Opens and verifies a rejoin.
    ///
    /// - Parameters:
    ///   - bytes: The bytes as they came.
    ///   - relationship: The relationship by whose queue they came.
    ///   - identity: The own pairwise identity.
    ///   - peerLog: The peer's key log as the ledger has it.
    /// - Throws: ``ChannelError``: size and version, ``ChannelError/notAuthentic``, then what the content, the log or
    ///   the signature have wrong.
    public static func open(
        _ bytes: RawSpan, relationship: RelationshipID, identity: borrowing Identity, peerLog: KeyLog
    ) throws(ChannelError) -> ReceivedRejoin {
        let form = SealedForm.rejoin
        try form.check(bytes)
        let opened = try open(bytes, of: relationship, with: identity)
        let content = try ChannelError.decoding(
            "rejoin", opened.message.payload.bytes, maximum: form.maximumByteCount
        ) { reader in try RejoinContent(&reader) }
        let log = try peerLog.joined(with: content.events)
        try ChannelError.naming("rejoin") {
            try opened.message.verify(
                type: form.type,
                externalData: Rejoin.externalData(relationship: relationship, encapsulation: opened.encapsulation),
                with: log.currentKey)
        }
        return ReceivedRejoin(
            hash: Rejoin.hash(of: [UInt8](bytes), relationship: relationship), epoch: content.epoch,
            resume: content.resume, insteadOf: content.insteadOf, heads: content.heads, peerLog: log,
            addresses: content.addresses, created: content.created, exported: opened.exported.copy(),
            ratchetKey: content.ratchetKey, kemKey: content.kemKey)
    }

    /// Opens the sealed part by the X-Wing key in force or by the one that the peer knew before a rotation.
    private static func open(
        _ bytes: RawSpan, of relationship: RelationshipID, with identity: borrowing Identity
    ) throws(ChannelError) -> SealedForm.Opened {
        let info = Rejoin.info(of: relationship)
        do {
            return try SealedForm.rejoin.open(bytes, info: info, key: identity.sealingKey)
        } catch .notAuthentic {
            switch identity.earlierSealingKey {
            case .none: throw .notAuthentic
            case .some(let key): return try SealedForm.rejoin.open(bytes, info: info, key: key)
            }
        }
    }

    /// Answers: makes the epoch's channel with its first step, and signs.
    ///
    /// - Parameters:
    ///   - resumes: Holds the secret of ``resume``, if one is named.
    ///   - heads: How far both directions of the ledger have come here: one encoded item.
    ///   - addresses: Where this side receives from now on, 1 to 4; empty where the asker knows.
    ///   - identity: The own pairwise identity.
    ///   - now: The time.
    ///   - entropy: Keys, nonce and the encapsulation.
    /// - Throws: ``ChannelError/unknownResume(_:)``, ``ChannelError/cryptography(_:of:)`` for a degenerate key.
    public borrowing func answer(
        resumes: borrowing ResumeSecrets, heads: [UInt8], addresses: [Address] = [],
        identity: borrowing Identity, now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> Rejoined {
        let root = try Rejoin.root(exported: exported, resume: resume, resumes: resumes, hash: hash)
        let nonce = FixedBytes<16>(random: &entropy)
        var channel = try root.answering(
            ratchetKey: ratchetKey, kemKey: kemKey, nonce: nonce, now: now, using: &entropy)
        guard let ciphertext = channel.sending?.ciphertext else { throw .malformed("rejoined: no ciphertext") }
        let digest = RejoinedContent.digest(
            rejoin: hash, heads: heads, ratchetKey: channel.ownRatchetKey.publicKey, ciphertext: ciphertext,
            addresses: addresses)
        let signature = COSESign1.sign(digest.array, type: RejoinedContent.type, with: identity.signingKey)
        let content = RejoinedContent(
            heads: heads, signature: signature.encodedDetached(), events: identity.log.shown,
            addresses: addresses
        ).encoded()
        var envelope: [UInt8] = []
        try channel.seal(.rejoined, content.bytes, lead: nonce, into: &envelope)
        return Rejoined(envelope: envelope, channel: channel, resume: root.resume())
    }
}

/// A side's answer to a rejoin.
@frozen
public struct Rejoined: ~Copyable {
    /// The bytes to send.
    public let envelope: [UInt8]
    /// The new epoch's channel.
    public let channel: Channel
    /// The epoch's resume secret, for ``ResumeSecrets``.
    public let resume: SecretBytes
}
