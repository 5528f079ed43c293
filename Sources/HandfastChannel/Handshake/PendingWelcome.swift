public import HandfastCrypto
internal import HandfastEncoding

/// All that an invitee keeps between its hello and the welcome, secrets included.
///
/// - Source: Spec/03 §3.4
public struct PendingWelcome: ~Copyable, Sendable {
    private let root: EpochRoot
    private let ratchetKey: AgreementPrivateKey
    private let kemKey: KEMPrivateKey
    // Both verified before: the one when it came, the other is our own.
    private let bundle: Bundle
    private let transcript: HandshakeTranscript
    private let inception: KeyEvent

    init(
        root: consuming EpochRoot, ratchetKey: consuming AgreementPrivateKey, kemKey: consuming KEMPrivateKey,
        bundle: Bundle, transcript: HandshakeTranscript, inception: KeyEvent
    ) {
        self.root = root
        self.ratchetKey = ratchetKey
        self.kemKey = kemKey
        self.bundle = bundle
        self.transcript = transcript
        self.inception = inception
    }

    /// Opens the inviter's first envelope and verifies both of its signatures. Nothing changes when this throws.
    ///
    /// - Throws: ``ChannelError/notAuthentic`` for an envelope that is no welcome to this hello, or what its content
    ///   has wrong.
    public borrowing func open(
        _ envelope: RawSpan, now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> OpenedWelcome {
        try Channel.check(envelope)
        let nonce = try ChannelError.naming("envelope") {
            try FixedBytes<16>(envelope.extracting(EnvelopeLayout.tagRange))
        }
        var channel = try root.asking(ratchetKey: ratchetKey, kemKey: kemKey, nonce: nonce, now: now, using: &entropy)
        var plaintext: [UInt8] = []
        let opened = try channel.openFirst(.welcome, envelope, now: now, into: &plaintext)
        let content = try ChannelError.decoding(
            "welcome", plaintext.bytes.extracting(opened.content), maximum: Channel.maximumContentByteCount
        ) { reader in try WelcomeContent(&reader) }
        let proof = HandshakeProof(
            bundle: bundle.bytes, encapsulation: transcript.encapsulation, helloHash: transcript.helloHash,
            ciphertext: opened.ciphertext, ratchetKey: channel.peerRatchetKey, inviteeInception: inception.encoded(),
            inviterInception: content.inception, pairwiseSignature: content.pairwiseSignature,
            signerSignature: content.signerSignature, signerEvents: content.signerEvents)
        let verified = try proof.verify(bundle: bundle, invitee: inception)
        return OpenedWelcome(
            channel: channel, resume: root.resume(), proof: proof, inviterLog: try KeyLog([verified.inviter]),
            signerLog: verified.signer, addresses: content.addresses, entries: content.entries)
    }

    /// The secrets and the transcript, to be sealed into the vault.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter(capacity: 8_192)
        writer.writeArrayHeader(8)
        writer.writeUnsigned(1)
        writer.writeBytes(root.secret.bytes)
        writer.writeBytes(ratchetKey.bytes)
        writer.writeBytes(kemKey.seed)
        writer.writeBytes(bundle.bytes)
        writer.writeBytes(transcript.encapsulation)
        writer.writeBytes(transcript.helloHash.array)
        writer.writeBytes(inception.encoded())
        return writer.finish()
    }

    /// Decodes what ``encoded()`` gives.
    ///
    /// - Throws: ``ChannelError``
    public static func decode(_ bytes: RawSpan) throws(ChannelError) -> PendingWelcome {
        let maximum = Bundle.maximumByteCount + 8_192
        return try ChannelError.decoding("stored pending welcome", bytes, maximum: maximum) { reader in
            try reader.readArrayHeader(count: 8)
            let version = try reader.readUnsigned()
            guard version == 1 else { throw ChannelError.unsupportedVersion(version, of: "stored pending welcome") }
            let root = EpochRoot(SecretBytes(copying: try reader.readBytes(count: 32)))
            let ratchetKey = try AgreementPrivateKey(copying: reader.readBytes(count: 32))
            let kemKey = try KEMPrivateKey(
                seed: SecretBytes(copying: reader.readBytes(count: KEMPrivateKey.seedCount)))
            let bundle = try Bundle(decoding: reader.readBytes(maximum: Bundle.maximumByteCount))
            let encapsulation = [UInt8](try reader.readBytes(count: HPKESender.encapsulationCount))
            let helloHash = try Digest(reader.readBytes(count: 32))
            let inception = try KeyEvent(decoding: reader.readBytes(maximum: KeyEvent.maximumByteCount))
            return PendingWelcome(
                root: root, ratchetKey: ratchetKey, kemKey: kemKey, bundle: bundle,
                transcript: HandshakeTranscript(
                    bundleHash: bundle.hash, encapsulation: encapsulation, helloHash: helloHash),
                inception: inception)
        }
    }
}

/// What an invitee has once the welcome has opened and both signatures hold.
@frozen
public struct OpenedWelcome: ~Copyable {
    /// The invitee's side of the channel; the first message back shows the inviter that we are live.
    public let channel: Channel
    /// The resume secret of epoch 0, for ``ResumeSecrets``.
    public let resume: SecretBytes
    /// What shows a third party the handshake, as the inviter signed it.
    public let proof: HandshakeProof
    /// The inviter's pairwise identity, its inception only.
    public let inviterLog: KeyLog
    /// The log of the bundle's signer, up to its signature of the welcome.
    public let signerLog: KeyLog
    /// Where the inviter receives.
    public let addresses: [Address]
    /// The inviter's first records, encoded entries.
    public let entries: [[UInt8]]
}
