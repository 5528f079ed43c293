internal import HandfastCrypto

/// The server's half of the NK handshake. It holds nothing between messages: one comes in, one goes out.
/// - Source: Noise Protocol Framework revision 34 §7.5
enum NoiseResponder {
    /// Answers a client's first message.
    /// - Throws: ``LinkError/handshakeRefused``, if it was not made for this key or a byte was changed.
    static func answer(
        _ message: RawSpan, key: borrowing AgreementPrivateKey, prologue: RawSpan,
        ephemeral: consuming AgreementPrivateKey, payload: RawSpan = RawSpan()
    ) throws(LinkError) -> NoiseAnswer {
        do {
            guard message.byteCount >= NoiseProtocol.handshakeMessageCount else { throw LinkError.truncated }
            var symmetric = NoiseSymmetricState(prologue: prologue)
            symmetric.mixHash(key.publicKey.bytes)
            let peer = try AgreementPublicKey(message.extracting(first: NoiseProtocol.publicKeyCount))
            symmetric.mixHash(peer.bytes)
            try symmetric.mixKey(key.sharedSecret(with: peer))
            let received = try symmetric.decryptAndHash(message.extracting(droppingFirst: NoiseProtocol.publicKeyCount))
            symmetric.mixHash(ephemeral.publicKey.bytes)
            try symmetric.mixKey(ephemeral.sharedSecret(with: peer))
            let answer = ephemeral.publicKey.array + (try symmetric.encryptAndHash(payload))
            return NoiseAnswer(
                message: answer, payload: received, transport: try symmetric.split(isInitiator: false))
        } catch {
            throw .handshakeRefused
        }
    }
}
