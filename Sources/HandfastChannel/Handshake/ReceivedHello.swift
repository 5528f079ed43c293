public import HandfastCrypto
internal import HandfastEncoding

/// A hello that an inviter has opened and verified; nothing has been stored yet.
///
/// Whether its ticket is known and unspent is for the caller to say, in the transaction that stores the relationship.
/// - Source: Spec/03 §3.3, §3.4
public struct ReceivedHello: ~Copyable, Sendable {
    /// The relationship that it opens.
    public let relationship: RelationshipID
    /// The invitee's pairwise identity, its inception only.
    public let inviteeLog: KeyLog
    /// Where the invitee receives.
    public let addresses: [Address]
    /// The ticket to be spent.
    public let ticket: Ticket
    /// The invitee's first records, encoded entries.
    public let entries: [[UInt8]]
    /// When the invitee says that it was made.
    public let created: Timestamp
    private let bundle: Bundle
    private let transcript: HandshakeTranscript
    private let root: EpochRoot
    private let ratchetKey: AgreementPublicKey
    private let kemKey: KEMPublicKey

    /// `H("hello", hello)`, the key of the replay cache.
    public var hash: Digest { transcript.helloHash }

    /// Which bundle a hello is sealed to, so that its key can be found; nothing is verified beyond size and version.
    ///
    /// - Throws: ``ChannelError/tooLarge(of:maximum:)``, ``ChannelError/malformed(_:)``,
    ///   ``ChannelError/unsupportedVersion(_:of:)``
    public static func bundleHash(of hello: RawSpan) throws(ChannelError) -> Digest {
        try SealedForm.hello.check(hello)
        return try ChannelError.naming("hello") { try Digest(hello.extracting(1..<SealedForm.hello.prefixByteCount)) }
    }

    /// `H("hello", hello)` without opening it, for the replay cache.
    public static func hash(of hello: [UInt8]) -> Digest {
        Digest.of(.hello, hello)
    }

    /// Opens and verifies a hello.
    ///
    /// - Parameters:
    ///   - hello: The bytes as they came.
    ///   - bundle: The bundle that ``bundleHash(of:)`` names.
    ///   - key: That bundle's private key.
    /// - Throws: ``ChannelError``: size and version, ``ChannelError/wrongBundle``, ``ChannelError/notAuthentic``, then
    ///   what the content has wrong.
    public static func open(
        _ hello: RawSpan, bundle: Bundle, key: borrowing SealingPrivateKey
    ) throws(ChannelError) -> ReceivedHello {
        guard try bundleHash(of: hello) == bundle.hash else { throw .wrongBundle }
        let info = HandshakeTranscript.info(bundleHash: bundle.hash)
        let opened = try SealedForm.hello.open(hello, info: info, key: key)
        let content = try ChannelError.decoding(
            "hello", opened.message.payload.bytes, maximum: SealedForm.hello.maximumByteCount
        ) { reader in try Greeting.Content(&reader) }
        let log = try KeyLog([KeyEvent(decoding: content.inception.bytes)])
        try ChannelError.naming("hello") {
            try opened.message.verify(
                type: SealedForm.hello.type, externalData: bundle.hash.array + opened.encapsulation,
                with: log.currentKey)
        }
        let transcript = HandshakeTranscript(
            bundleHash: bundle.hash, encapsulation: opened.encapsulation, helloHash: hash(of: [UInt8](hello)))
        return ReceivedHello(
            relationship: HandshakeTranscript.relationship(
                bundleHash: bundle.hash, encapsulation: opened.encapsulation, invitee: log.id),
            inviteeLog: log, addresses: content.addresses, ticket: content.ticket, entries: content.entries,
            created: content.created, bundle: bundle, transcript: transcript,
            root: transcript.root(exported: opened.exported, ticket: content.ticket), ratchetKey: content.ratchetKey,
            kemKey: content.kemKey)
    }

    /// Answers with a welcome: makes the channel's first step and signs with both identities.
    ///
    /// - Parameters:
    ///   - identity: A fresh pairwise identity for this relationship.
    ///   - signer: The identity that signed the bundle, perhaps rotated since.
    ///   - addresses: 1–4 places where the invitee reaches us.
    ///   - entries: Our first records, at most 16 encoded entries.
    ///   - now: The time.
    ///   - entropy: Keys, nonce and the encapsulation.
    /// - Throws: ``ChannelError``
    public borrowing func welcome(
        identity: borrowing Identity, signer: borrowing Identity, addresses: [Address], entries: [[UInt8]],
        now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> Welcome {
        guard (1...Address.maximumCount).contains(addresses.count), entries.count <= Greeting.maximumEntryCount
        else { throw .malformed("welcome: 1 to 4 addresses and at most 16 records") }
        guard signer.id == bundle.signerLog.id else {
            throw .wrongSigner(expected: bundle.signerLog.id, actual: signer.id)
        }
        let nonce = FixedBytes<16>(random: &entropy)
        var channel = try root.answering(
            ratchetKey: ratchetKey, kemKey: kemKey, nonce: nonce, now: now, using: &entropy)
        guard let ciphertext = channel.sending?.ciphertext else { throw .malformed("welcome: no ciphertext") }
        let ratchetKey = channel.ownRatchetKey.publicKey
        let inception = identity.log.events[0]
        let digest = transcript.welcomeDigest(
            relationship: relationship, inception: inception, ratchetKey: ratchetKey, ciphertext: ciphertext)
        let proof = HandshakeProof(
            bundle: bundle.bytes, encapsulation: transcript.encapsulation, helloHash: transcript.helloHash,
            ciphertext: ciphertext, ratchetKey: ratchetKey, inviteeInception: inviteeLog.events[0].encoded(),
            inviterInception: inception.encoded(),
            pairwiseSignature: COSESign1.sign(
                digest.array, type: HandshakeProof.type, with: identity.signingKey
            ).encodedDetached(),
            signerSignature: COSESign1.sign(
                digest.array, type: HandshakeProof.type, with: signer.signingKey
            ).encodedDetached(),
            signerEvents: signer.log.events.dropFirst(bundle.signerLog.events.count).map { $0.encoded() })
        var envelope: [UInt8] = []
        let content = WelcomeContent(proof: proof, addresses: addresses, entries: entries).encoded()
        try channel.seal(.welcome, content.bytes, lead: nonce, into: &envelope)
        return Welcome(envelope: envelope, channel: channel, resume: root.resume(), proof: proof)
    }
}

/// An inviter's answer to a hello.
@frozen
public struct Welcome: ~Copyable {
    /// The bytes to send.
    public let envelope: [UInt8]
    /// The inviter's side of the channel.
    public let channel: Channel
    /// The resume secret of epoch 0, for ``ResumeSecrets``.
    public let resume: SecretBytes
    /// What shows a third party the handshake, as the inviter signed it.
    public let proof: HandshakeProof
}
