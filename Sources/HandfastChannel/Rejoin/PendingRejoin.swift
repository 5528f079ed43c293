public import HandfastCrypto
internal import HandfastEncoding

/// All that a side keeps between its rejoin and the answer, secrets included.
///
/// - Source: Spec/04 §4.8
public struct PendingRejoin: ~Copyable, Sendable {
    /// The epoch that the answer begins.
    public let epoch: UInt64
    /// The name of the rejoin.
    public let hash: Digest
    private let root: EpochRoot
    private let ratchetKey: AgreementPrivateKey
    private let kemKey: KEMPrivateKey

    init(
        epoch: UInt64, hash: Digest, root: consuming EpochRoot, ratchetKey: consuming AgreementPrivateKey,
        kemKey: consuming KEMPrivateKey
    ) {
        self.epoch = epoch
        self.hash = hash
        self.root = root
        self.ratchetKey = ratchetKey
        self.kemKey = kemKey
    }

    /// Opens the epoch's first envelope and verifies its signature. Nothing changes when this throws.
    ///
    /// - Parameters:
    ///   - envelope: The bytes as they came.
    ///   - peerLog: The peer's key log as the ledger has it.
    ///   - now: The time.
    ///   - entropy: The channel's salt.
    /// - Throws: ``ChannelError/notAuthentic`` for an envelope that is no answer to this rejoin, or what its content
    ///   has wrong.
    public borrowing func open(
        _ envelope: RawSpan, peerLog: KeyLog, now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> OpenedRejoined {
        try Channel.check(envelope)
        let nonce = try ChannelError.naming("envelope") {
            try FixedBytes<16>(envelope.extracting(EnvelopeLayout.tagRange))
        }
        var channel = try root.asking(ratchetKey: ratchetKey, kemKey: kemKey, nonce: nonce, now: now, using: &entropy)
        var plaintext: [UInt8] = []
        let opened = try channel.openFirst(.rejoined, envelope, now: now, into: &plaintext)
        let content = try ChannelError.decoding(
            "rejoined", plaintext.bytes.extracting(opened.content), maximum: Channel.maximumContentByteCount
        ) { reader in try RejoinedContent(&reader) }
        let log = try peerLog.joined(with: content.events)
        let digest = RejoinedContent.digest(
            rejoin: hash, heads: content.heads, ratchetKey: channel.peerRatchetKey, ciphertext: opened.ciphertext,
            addresses: content.addresses)
        try ChannelError.naming("rejoined") {
            try COSESign1(decodingDetached: content.signature.bytes, payload: digest.array)
                .verify(type: RejoinedContent.type, with: log.currentKey)
        }
        return OpenedRejoined(
            channel: channel, resume: root.resume(), heads: content.heads, addresses: content.addresses, peerLog: log)
    }

    /// The secrets, to be sealed into the vault: about 250 bytes.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter(capacity: 256)
        writer.writeArrayHeader(6)
        writer.writeUnsigned(1)
        writer.writeUnsigned(epoch)
        writer.writeBytes(hash.array)
        writer.writeBytes(root.secret.bytes)
        writer.writeBytes(ratchetKey.bytes)
        writer.writeBytes(kemKey.seed)
        return writer.finish()
    }

    /// Decodes what ``encoded()`` gives.
    ///
    /// - Throws: ``ChannelError``
    public static func decode(_ bytes: RawSpan) throws(ChannelError) -> PendingRejoin {
        try ChannelError.decoding("stored pending rejoin", bytes, maximum: 512) { reader in
            try reader.readArrayHeader(count: 6)
            let version = try reader.readUnsigned()
            guard version == 1 else { throw ChannelError.unsupportedVersion(version, of: "stored pending rejoin") }
            let epoch = try reader.readUnsigned(maximum: Rejoin.maximumEpoch)
            let hash = try Digest(reader.readBytes(count: 32))
            let root = EpochRoot(SecretBytes(copying: try reader.readBytes(count: 32)))
            let ratchetKey = try AgreementPrivateKey(copying: reader.readBytes(count: 32))
            let kemKey = try KEMPrivateKey(
                seed: SecretBytes(copying: reader.readBytes(count: KEMPrivateKey.seedCount)))
            return PendingRejoin(epoch: epoch, hash: hash, root: root, ratchetKey: ratchetKey, kemKey: kemKey)
        }
    }
}

/// What a side has once its rejoin is answered and the signature holds.
@frozen
public struct OpenedRejoined: ~Copyable {
    /// The new epoch's channel.
    public let channel: Channel
    /// The epoch's resume secret, for ``ResumeSecrets``.
    public let resume: SecretBytes
    /// How far both directions of the ledger have come at the peer: one encoded item.
    public let heads: [UInt8]
    /// Where the peer receives from now on, each with a queue of its own; empty where nothing has changed.
    public let addresses: [Address]
    /// The peer's key log with what it showed; the ledger's own log grows by records only.
    public let peerLog: KeyLog
}
