internal import HandfastCrypto

/// One step of the root: what both sides derive from the same public values and shared secrets.
///
/// - Source: Spec/04 §4.1
struct RatchetStep: ~Copyable {
    let root: SecretBytes
    let chainKey: ChainKeys
    /// Header key of the same sender's next chain.
    let nextHeaderKey: HeaderKey

    /// The public values of a step; the ML-KEM key and ciphertext are empty in a step without them.
    struct PublicValues {
        let senderKey: AgreementPublicKey
        let receiverKey: AgreementPublicKey
        let encapsulationKey: [UInt8]
        let ciphertext: [UInt8]

        var digest: Digest {
            Digest.of(.step, senderKey.array, receiverKey.array, encapsulationKey, ciphertext)
        }
    }

    /// Derives the step.
    ///
    /// - Parameters:
    ///   - root: 32 bytes, the root before.
    ///   - agreement: 32 bytes from X25519.
    ///   - encapsulated: 32 bytes from ML-KEM; none in a step without it.
    ///   - values: The public keys and the ciphertext of the step.
    init(
        root: borrowing SecretBytes, agreement: borrowing SecretBytes, encapsulated: borrowing SecretBytes,
        _ values: PublicValues
    ) throws(ChannelError) {
        let digest = values.digest
        var derivation = LabelledHash(.ratchet, key: root, count: 64)
        derivation.absorb(agreement.bytes)
        derivation.absorb(encapsulated.bytes)
        derivation.absorb(digest.bytes)
        let keys = derivation.secret()
        var header = LabelledHash(.ratchetHeader, key: root)
        header.absorb(agreement.bytes)
        header.absorb(encapsulated.bytes)
        header.absorb(digest.bytes)
        let headerKey = header.secret()
        let chain = try ChannelError.naming("ratchet step") {
            try ChainKeys(copying: keys.bytes.extracting(32..<64))
        }
        let next = try ChannelError.naming("ratchet step") { try HeaderKey(copying: headerKey.bytes) }
        self.root = SecretBytes(copying: keys.bytes.extracting(0..<32))
        chainKey = chain
        nextHeaderKey = next
    }
}
