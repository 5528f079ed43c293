internal import HandfastCrypto

/// Randomness that repeats what a vector recorded; or, while a vector is made, the system's, written down.
struct VectorEntropy: Entropy {
    /// Bytes that are handed out first.
    private var script: ArraySlice<UInt8>
    private var encapsulation: (ciphertext: [UInt8], sharedSecret: [UInt8])?
    private let isRecording: Bool
    private var system = SystemEntropy()
    /// Whether more was asked for than was recorded.
    private(set) var isExhausted = false
    /// The encapsulation that was made, or handed out.
    private(set) var used: (ciphertext: [UInt8], sharedSecret: [UInt8])?

    /// Repeats a record.
    init(_ script: [UInt8], encapsulation: (ciphertext: [UInt8], sharedSecret: [UInt8])? = nil) {
        self.script = script[...]
        self.encapsulation = encapsulation
        isRecording = encapsulation == nil
    }

    /// Bytes of the record that nobody asked for.
    var unusedCount: Int { script.count }

    mutating func next() -> UInt64 {
        guard script.count >= 8 else {
            isExhausted = true
            return 0
        }
        var number: UInt64 = 0
        for byte in script.prefix(8).reversed() { number = number << 8 | UInt64(byte) }
        script = script.dropFirst(8)
        return number
    }

    mutating func encapsulate(to key: KEMPublicKey) throws(CryptoError) -> KEMEncapsulation {
        if let recorded = encapsulation {
            encapsulation = nil
            used = recorded
            return KEMEncapsulation(
                ciphertext: recorded.ciphertext, sharedSecret: SecretBytes(copying: recorded.sharedSecret.bytes))
        }
        guard isRecording else { throw .authenticationFailed }
        let fresh = try system.encapsulate(to: key)
        let secret = [UInt8](fresh.sharedSecret.bytes)
        used = (fresh.ciphertext, secret)
        return KEMEncapsulation(ciphertext: fresh.ciphertext, sharedSecret: fresh.sharedSecret.copy())
    }

    mutating func sender(to key: SealingPublicKey, info: RawSpan) throws(CryptoError) -> HPKESender {
        try system.sender(to: key, info: info)
    }
}
