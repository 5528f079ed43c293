internal import HandfastCrypto

/// The client's half of the NK handshake, between its message and the server's.
///
///     <- s
///     ...
///     -> e, es
///     <- e, ee
///
/// - Source: Noise Protocol Framework revision 34 §7.5
struct NoiseInitiator: ~Copyable, Sendable {
    private var symmetric: NoiseSymmetricState
    private let ephemeral: AgreementPrivateKey

    /// The first message, to be sent.
    let message: [UInt8]

    /// Makes the first message for the holder of `server`.
    init(
        to server: AgreementPublicKey, prologue: RawSpan, ephemeral: consuming AgreementPrivateKey,
        payload: RawSpan = RawSpan()
    ) throws(LinkError) {
        symmetric = NoiseSymmetricState(prologue: prologue)
        symmetric.mixHash(server.bytes)
        symmetric.mixHash(ephemeral.publicKey.bytes)
        do {
            try symmetric.mixKey(ephemeral.sharedSecret(with: server))
        } catch {
            throw .wrongServerKey
        }
        message = ephemeral.publicKey.array + (try symmetric.encryptAndHash(payload))
        self.ephemeral = ephemeral
    }

    /// Takes the server's message.
    /// - Throws: ``LinkError/wrongServerKey``, if the server does not hold the key or a byte was changed.
    consuming func finish(_ answer: RawSpan) throws(LinkError) -> NoiseAnswer {
        do {
            guard answer.byteCount >= NoiseProtocol.handshakeMessageCount else { throw LinkError.truncated }
            let peer = try AgreementPublicKey(answer.extracting(first: NoiseProtocol.publicKeyCount))
            symmetric.mixHash(peer.bytes)
            try symmetric.mixKey(ephemeral.sharedSecret(with: peer))
            let payload = try symmetric.decryptAndHash(answer.extracting(droppingFirst: NoiseProtocol.publicKeyCount))
            return NoiseAnswer(message: [], payload: payload, transport: try symmetric.split(isInitiator: true))
        } catch {
            throw .wrongServerKey
        }
    }
}

/// What one side has when the handshake is finished.
struct NoiseAnswer: ~Copyable {
    /// What is still to be sent to the other side.
    let message: [UInt8]
    /// What the other side put into its message.
    let payload: [UInt8]
    /// The connection.
    var transport: NoiseTransport
}
