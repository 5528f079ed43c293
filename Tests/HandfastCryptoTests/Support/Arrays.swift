import HandfastCrypto

// The module works on spans; tests are easier to read on arrays.

extension ChaCha20Poly1305 {
    static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var output = [UInt8](repeating: 0xee, count: plaintext.count + tagCount)
        var span = output.mutableBytes
        try seal(
            plaintext.bytes, key: AEADKey(copying: key.bytes), nonce: FixedBytes(copying: nonce),
            authenticating: associatedData.bytes, into: &span)
        return output
    }

    static func open(
        _ ciphertext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var output = [UInt8](repeating: 0xee, count: max(0, ciphertext.count - tagCount))
        var span = output.mutableBytes
        try open(
            ciphertext.bytes, key: AEADKey(copying: key.bytes), nonce: FixedBytes(copying: nonce),
            authenticating: associatedData.bytes, into: &span)
        return output
    }

    static func sealInPlace(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var buffer = plaintext + [UInt8](repeating: 0xee, count: tagCount)
        var span = buffer.mutableBytes
        try sealInPlace(
            &span, key: AEADKey(copying: key.bytes), nonce: FixedBytes(copying: nonce),
            authenticating: associatedData.bytes)
        return buffer
    }

    static func openInPlace(
        _ ciphertext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var buffer = ciphertext
        var span = buffer.mutableBytes
        try openInPlace(
            &span, key: AEADKey(copying: key.bytes), nonce: FixedBytes(copying: nonce),
            authenticating: associatedData.bytes)
        return buffer.dropLast(tagCount)
    }
}

extension SecretBytes {
    var array: [UInt8] { borrowing get { [UInt8](bytes) } }
}

extension [UInt8] {
    /// Every copy that differs in one bit.
    var singleBitFlips: [[UInt8]] {
        (0..<8 * count).map { bit in
            var copy = self
            copy[bit / 8] ^= 1 << (bit % 8)
            return copy
        }
    }
}
