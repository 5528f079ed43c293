internal import HandfastCrypto

/// The first root of an epoch, from which both sides start their channels.
///
/// The handshake gives that of epoch 0, a rejoin that of a later one. In either case one side has offered ratchet keys
/// in a message sealed by HPKE, and the other answers with the epoch's first envelope.
///
/// - Source: Spec/03 §3.3, §3.4; Spec/04 §4.1, §4.9
struct EpochRoot: ~Copyable, Sendable {
    let secret: SecretBytes

    init(_ secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// What a later rejoin can show to have held this epoch.
    borrowing func resume() -> SecretBytes {
        LabelledHash(.resume, key: secret).secret()
    }

    /// The channel of the side that answers, its first step made.
    ///
    /// - Parameters:
    ///   - ratchetKey: The X25519 key of the side that is answered.
    ///   - kemKey: Its ML-KEM key.
    ///   - nonce: What takes the place of the first envelope's tag.
    borrowing func answering(
        ratchetKey: AgreementPublicKey, kemKey: KEMPublicKey, nonce: FixedBytes<16>, now: Timestamp,
        using entropy: inout some Entropy
    ) throws(ChannelError) -> Channel {
        var channel = Channel(
            root: secret.copy(), ownRatchetKey: AgreementPrivateKey.generate(using: &entropy),
            peerRatchetKey: ratchetKey, sending: nil, previousLength: 0,
            // Replaced by the step below before anything is sent.
            nextSendingHeaderKey: try answererHeaderKey(nonce: nonce), receiving: nil,
            nextReceivingHeaderKey: try askerHeaderKey(),
            schedule: PostQuantumSchedule(stepsSinceLast: 0, last: now), salt: entropy.next())
        channel.peerOffer = kemKey
        try channel.makeStep(now: now, using: &entropy)
        return channel
    }

    /// The channel of the side that offered the keys, ready to open the first envelope.
    borrowing func asking(
        ratchetKey: borrowing AgreementPrivateKey, kemKey: borrowing KEMPrivateKey, nonce: FixedBytes<16>,
        now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> Channel {
        // Until the answer's step, its header key stands where that of the answerer's next chain will.
        var channel = Channel(
            root: secret.copy(),
            ownRatchetKey: try ChannelError.naming("offered ratchet key") {
                try AgreementPrivateKey(copying: ratchetKey.bytes)
            },
            peerRatchetKey: ratchetKey.publicKey, sending: nil, previousLength: 0,
            nextSendingHeaderKey: try askerHeaderKey(), receiving: nil,
            nextReceivingHeaderKey: try answererHeaderKey(nonce: nonce),
            schedule: PostQuantumSchedule(stepsSinceLast: 0, last: now), salt: entropy.next())
        channel.ownOffer = try ChannelError.naming("offered ratchet key") {
            try KEMPrivateKey(seed: SecretBytes(copying: kemKey.seed))
        }
        return channel
    }

    /// The header key of the first chain of the side that offered the keys.
    private borrowing func askerHeaderKey() throws(ChannelError) -> HeaderKey {
        let key = LabelledHash(.inviteeHeader, key: secret).secret()
        return try ChannelError.naming("root") { try HeaderKey(copying: key.bytes) }
    }

    /// The header key of the first chain of the side that answers.
    private borrowing func answererHeaderKey(nonce: FixedBytes<16>) throws(ChannelError) -> HeaderKey {
        var derivation = LabelledHash(.welcomeHeader, key: secret)
        derivation.absorb(nonce.bytes)
        let key = derivation.secret()
        return try ChannelError.naming("root") { try HeaderKey(copying: key.bytes) }
    }
}
