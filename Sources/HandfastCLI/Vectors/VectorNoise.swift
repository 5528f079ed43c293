internal import HandfastCrypto

/// The handshake of a link, computed by hand, and packets under its keys.
///
/// - Source: Noise rev. 34 §5, §7.5; Spec/06 §6.1, §6.2
struct VectorNoise {
    /// `h` after each message, the hash of the handshake being the last.
    let hashes: [[UInt8]]
    let chainingKeys: [[UInt8]]
    let first: [UInt8]
    let second: [UInt8]
    let clientKey: [UInt8]
    let serverKey: [UInt8]

    init(
        server: borrowing AgreementPrivateKey, clientEphemeral: borrowing AgreementPrivateKey,
        serverEphemeral: borrowing AgreementPrivateKey
    ) throws {
        var state = State()
        state.mixHash(Array("HF1.link".utf8))
        state.mixHash(server.publicKey.array)
        state.mixHash(clientEphemeral.publicKey.array)
        let es = try clientEphemeral.sharedSecret(with: server.publicKey)
        let firstKey = state.mixKey([UInt8](es.bytes))
        let firstTag = try state.sealNothing(firstKey)
        var (hashes, chainingKeys) = ([state.hash], [state.chainingKey])
        state.mixHash(serverEphemeral.publicKey.array)
        let ee = try serverEphemeral.sharedSecret(with: clientEphemeral.publicKey)
        let secondKey = state.mixKey([UInt8](ee.bytes))
        let secondTag = try state.sealNothing(secondKey)
        hashes.append(state.hash)
        chainingKeys.append(state.chainingKey)
        let (one, two) = State.hkdf(state.chainingKey, [])
        self.hashes = hashes
        self.chainingKeys = chainingKeys
        first = Self.packet(1, clientEphemeral.publicKey.array + firstTag)
        second = Self.packet(2, serverEphemeral.publicKey.array + secondTag)
        clientKey = Array(one[..<32])
        serverKey = Array(two[..<32])
    }

    static func packet(_ type: UInt8, _ message: [UInt8]) -> [UInt8] {
        [type, UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
    }

    /// A transport packet with a part of the stream.
    static func transport(_ plaintext: [UInt8], key: [UInt8], number: UInt64) throws -> [UInt8] {
        let nonce = [0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        return packet(3, try State.seal(plaintext, key: key, nonce: nonce, authenticating: []))
    }

    static func frame(_ bytes: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? bytes.count
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + bytes
    }

    private struct State {
        var hash: [UInt8]
        var chainingKey: [UInt8]

        init() {
            let name = Array("Noise_NK_25519_ChaChaPoly_BLAKE2b".utf8)
            hash = name + [UInt8](repeating: 0, count: NoiseHash.count - name.count)
            chainingKey = hash
        }

        mutating func mixHash(_ data: [UInt8]) { hash = NoiseHash.hash(hash.bytes, data.bytes).array }

        mutating func mixKey(_ input: [UInt8]) -> [UInt8] {
            let (next, key) = Self.hkdf(chainingKey, input)
            chainingKey = next
            return Array(key[..<32])
        }

        mutating func sealNothing(_ key: [UInt8]) throws -> [UInt8] {
            let tag = try Self.seal([], key: key, nonce: [UInt8](repeating: 0, count: 12), authenticating: hash)
            mixHash(tag)
            return tag
        }

        static func hkdf(_ chainingKey: [UInt8], _ input: [UInt8]) -> ([UInt8], [UInt8]) {
            let key = SecretBytes(copying: chainingKey.bytes)
            let keys = NoiseHash.hkdf2(chainingKey: key, inputKeyMaterial: input.bytes)
            return ([UInt8](keys.first.bytes), [UInt8](keys.second.bytes))
        }

        static func seal(
            _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating data: [UInt8]
        ) throws -> [UInt8] {
            var sealed = [UInt8](repeating: 0, count: plaintext.count + ChaCha20Poly1305.tagCount)
            var output = sealed.mutableBytes
            let key = try AEADKey(copying: key.bytes)
            try ChaCha20Poly1305.seal(
                plaintext.bytes, key: key, nonce: FixedBytes(copying: nonce), authenticating: data.bytes, into: &output)
            return sealed
        }
    }
}
