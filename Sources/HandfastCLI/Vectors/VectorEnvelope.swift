internal import HandfastCrypto

/// Envelopes put together by hand from their keys, as the specification has it and beside the library's own code: to
/// show intermediate values, and to make envelopes that no honest side sends.
///
/// - Source: Spec/04 §4.2, §4.4 to §4.6
struct VectorEnvelope {
    var version: UInt8 = 1
    var flags: UInt8 = 0
    var previousLength: UInt32 = 0
    var salt: [UInt8]
    var ratchetKey: [UInt8]
    /// Stands in the place of the tag; only a welcome has one.
    var nonce: [UInt8]?
    var ciphertext: [UInt8]?
    /// Padded.
    var body: [UInt8]

    /// Every byte string that an implementer may want to compare.
    struct Sealed {
        let tag: [UInt8]
        let header: [UInt8]
        let maskedHeader: [UInt8]
        let messageKey: [UInt8]
        let envelope: [UInt8]
    }

    /// `kind ‖ content length ‖ [ML-KEM key] ‖ content ‖ zeros`, as long as it is padded beside a ciphertext.
    static func body(
        kind: UInt8, content: [UInt8], offer: [UInt8]? = nil, besideCiphertext: Bool = false, length: UInt16? = nil
    ) -> [UInt8] {
        let length = length ?? UInt16(content.count)
        var body = [kind | (offer == nil ? 0 : 0x80), UInt8(length >> 8), UInt8(length & 0xff)]
        body += offer ?? []
        body += content
        let beside = besideCiphertext ? KEMPrivateKey.ciphertextCount : 0
        let padded = paddedByteCount(of: body.count + beside) - beside
        return body + [UInt8](repeating: 0, count: padded - body.count)
    }

    /// Padmé of at least 256 bytes.
    static func paddedByteCount(of count: Int) -> Int {
        let size = max(256, count)
        let exponent = size.bitWidth - 1 - size.leadingZeroBitCount
        let exponentBits = exponent.bitWidth - exponent.leadingZeroBitCount
        let unit = 1 << (exponent - exponentBits)
        return (size + unit - 1) / unit * unit
    }

    /// Seals under the message key that comes after `skipping` others from what a chain has left.
    func sealed(keys: [UInt8], headerKey: [UInt8], index: UInt32, skipping: Int = 0) throws -> Sealed {
        var chain = try ChainKeys(copying: keys.bytes)
        var key = AEADKey()
        for _ in 0...skipping { chain.advance(into: &key) }
        let headers = try HeaderKey(copying: headerKey.bytes)
        let length = (0..<4).map { UInt8(truncatingIfNeeded: previousLength >> (24 - 8 * UInt32($0))) }
        let header = [flags] + length + salt + ratchetKey
        var block = [UInt8](repeating: 0, count: 16) + header + [0, 0, 0]
        var span = block.mutableBytes
        headers.mask(&span, at: index)
        let tag = [UInt8](block[..<16])
        let masked = [UInt8](block[16..<61])
        var before = [version] + (nonce ?? tag) + masked
        if let ciphertext {
            var hidden = ciphertext
            var span = hidden.mutableBytes
            headers.maskCiphertext(&span, at: index)
            before += hidden
        }
        var sealed = [UInt8](repeating: 0, count: body.count + ChaCha20Poly1305.tagCount)
        var output = sealed.mutableBytes
        try ChaCha20Poly1305.seal(
            body.bytes, key: key, nonce: FixedBytes(copying: [0, 0, 0, 0] + salt), authenticating: before.bytes,
            into: &output)
        return Sealed(
            tag: tag, header: header, maskedHeader: masked, messageKey: [UInt8](key.bytes),
            envelope: before + sealed)
    }
}
