internal import HandfastCrypto

/// A step of the ratchet, derived by hand.
///
/// - Source: Spec/04 §4.1
struct VectorStep {
    let transcript: [UInt8]
    let root: [UInt8]
    let chainKey: [UInt8]
    let nextHeaderKey: [UInt8]

    init(
        root: [UInt8], agreement: [UInt8], sender: [UInt8], receiver: [UInt8], encapsulationKey: [UInt8] = [],
        ciphertext: [UInt8] = [], sharedSecret: [UInt8] = []
    ) {
        self.init(
            root: root, agreement: agreement,
            transcript: Digest.of(Label("step"), sender, receiver, encapsulationKey, ciphertext).array,
            sharedSecret: sharedSecret)
    }

    /// From a transcript, perhaps under a label that is not the step's.
    init(
        root: [UInt8], agreement: [UInt8], transcript: [UInt8], sharedSecret: [UInt8] = [],
        label: Label = Label("ratchet")
    ) {
        self.transcript = transcript
        let keys = VectorDerivation.derive(root, label, [agreement, sharedSecret, transcript], count: 64)
        self.root = Array(keys[..<32])
        chainKey = Array(keys[32...])
        nextHeaderKey = VectorDerivation.derive(root, Label("ratchet hdr"), [agreement, sharedSecret, transcript])
    }
}

/// Derivations whose results vectors show.
enum VectorDerivation {
    /// `H(label, parts…)`
    static func hash(_ label: Label, _ parts: [[UInt8]]) -> Digest {
        var hash = LabelledHash(label)
        for part in parts { hash.absorb(part) }
        return hash.digest()
    }

    /// `KDF(key, label, parts…; count)`
    static func derive(_ key: [UInt8], _ label: Label, _ parts: [[UInt8]], count: Int = 32) -> [UInt8] {
        let key = SecretBytes(copying: key.bytes)
        var derivation = LabelledHash(label, key: key, count: count)
        for part in parts { derivation.absorb(part) }
        let output = derivation.secret()
        return [UInt8](output.bytes)
    }
}
