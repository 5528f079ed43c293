internal import HandfastCrypto

/// Noise's SymmetricState: the transcript hash and what the agreements so far have given.
/// - Source: Noise Protocol Framework revision 34 §5.2
struct NoiseSymmetricState: ~Copyable, Sendable {
    private var chainingKey: SecretBytes
    private var cipher: NoiseCipher?

    /// The hash of everything said so far, 64 bytes.
    private(set) var hash: FixedBytes<64>

    init(prologue: RawSpan) {
        var start = SecretBytes(count: NoiseHash.count)
        var bytes = start.mutableBytes
        for (offset, byte) in NoiseProtocol.name.enumerated() {
            bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        }
        // HASHLEN is 64 and the name has 33 bytes: no hash is taken.
        hash = (try? FixedBytes(start.bytes)) ?? .zero
        chainingKey = start
        mixHash(prologue)
    }

    mutating func mixHash(_ data: RawSpan) {
        hash = NoiseHash.hash(hash.bytes, data)
    }

    mutating func mixKey(_ inputKeyMaterial: borrowing SecretBytes) throws(LinkError) {
        let keys = NoiseHash.hkdf2(chainingKey: chainingKey, inputKeyMaterial: inputKeyMaterial.bytes)
        cipher = NoiseCipher(key: try Self.key(from: keys.second))
        chainingKey = keys.first.copy()
    }

    /// The payload, sealed under the transcript so far, which then takes it up.
    mutating func encryptAndHash(_ payload: RawSpan) throws(LinkError) -> [UInt8] {
        var message = [UInt8](payload)
        message.append(contentsOf: repeatElement(0, count: ChaCha20Poly1305.tagCount))
        var bytes = message.mutableBytes
        guard try cipher?.sealInPlace(&bytes, authenticating: hash.bytes) != nil else { throw .handshakeRefused }
        mixHash(message.bytes)
        return message
    }

    /// The payload of a message that fits the transcript so far, which then takes it up.
    mutating func decryptAndHash(_ message: RawSpan) throws(LinkError) -> [UInt8] {
        guard message.byteCount >= ChaCha20Poly1305.tagCount else { throw .truncated }
        var payload = [UInt8](repeating: 0, count: message.byteCount - ChaCha20Poly1305.tagCount)
        var bytes = payload.mutableBytes
        guard try cipher?.open(message, authenticating: hash.bytes, into: &bytes) != nil else {
            throw .handshakeRefused
        }
        mixHash(message)
        return payload
    }

    /// The two directions of the connection.
    consuming func split(isInitiator: Bool) throws(LinkError) -> NoiseTransport {
        let keys = NoiseHash.hkdf2(chainingKey: chainingKey, inputKeyMaterial: RawSpan())
        let first = NoiseCipher(key: try Self.key(from: keys.first))
        let second = NoiseCipher(key: try Self.key(from: keys.second))
        if isInitiator {
            return NoiseTransport(handshakeHash: hash, sending: first, receiving: second)
        } else {
            return NoiseTransport(handshakeHash: hash, sending: second, receiving: first)
        }
    }

    private static func key(from secret: borrowing SecretBytes) throws(LinkError) -> AEADKey {
        do {
            return try AEADKey(copying: secret.bytes.extracting(first: AEADKey.count))
        } catch {
            throw .handshakeRefused
        }
    }
}
