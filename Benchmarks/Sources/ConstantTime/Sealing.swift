import HandfastCrypto

/// Sealing, opening and deriving under watched keys.
enum Sealing {
    static func run() throws {
        try ratchet()
        try messages()
        try vault()
        try Main.check("LabelledHash keyed, HKDF-SHA256") {
            var hash = LabelledHash(Label("ticket"), key: SecretBytes(copying: hidden(32).bytes))
            hash.absorb(hidden(16))
            keep(hash.secret())
            let derived = try HKDFSHA256.derive(
                inputKeyMaterial: hidden(32).bytes, salt: RawSpan(), info: RawSpan(), count: 64)
            keep(derived)
        }
        try Main.check("knock of a ticket") { keep(Digest.of(Label("knock"), hidden(16))) }
    }

    /// Chain and header keys: the step of each message, and the tag by which its envelope is known.
    private static func ratchet() throws {
        try Main.check("ChainKeys.advance, nine times") {
            var chain = try ChainKeys(copying: hidden(32).bytes)
            var message = AEADKey()
            for _ in 0..<9 { chain.advance(into: &message) }
            keep(message)
        }
        try Main.check("HeaderStream.mask and the comparison of a tag") {
            var headers = HeaderStream(try HeaderKey(copying: hidden(32).bytes))
            var block = FixedBytes<64>.zero
            var bytes = block.mutableBytes
            headers.mask(&bytes, at: 7)
            // As EnvelopeHeader.hasTag: whether sixteen bytes are zero.
            let first = unsafe block.bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
            let second = unsafe block.bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
            keep(show(first | second == 0))
        }
    }

    private static func messages() throws {
        for byteCount in [0, 64, 1_024, 16_384] {
            try Main.check("ChaCha20Poly1305.seal and open, \(byteCount) bytes, right and wrong") {
                let key = try AEADKey(copying: hidden(32).bytes)
                var sealed = [UInt8](repeating: 0, count: byteCount + ChaCha20Poly1305.tagCount)
                hide(sealed)
                var bytes = sealed.mutableBytes
                try ChaCha20Poly1305.sealInPlace(&bytes, key: key, nonce: .zero, authenticating: RawSpan())
                var opened = [UInt8](repeating: 0, count: byteCount)
                var output = opened.mutableBytes
                try ChaCha20Poly1305.open(
                    sealed.bytes, key: key, nonce: .zero, authenticating: RawSpan(), into: &output)
                sealed[byteCount] ^= 1
                bytes = sealed.mutableBytes
                guard
                    (try? ChaCha20Poly1305.openInPlace(&bytes, key: key, nonce: .zero, authenticating: RawSpan()))
                        == nil
                else { throw Failure.wrongResult }
            }
        }
    }

    /// The key of a vault, and the check whether the one that was given opens it.
    private static func vault() throws {
        try Main.check("StorageKey.seal and open, right and wrong") {
            var random = SecureRandom()
            let key = try StorageKey(copying: hidden(32).bytes)
            var sealed = key.seal(hidden(64).bytes, authenticating: RawSpan(), using: &random)
            keep(try key.open(sealed.bytes, authenticating: RawSpan()))
            sealed[sealed.count - 1] ^= 1
            guard (try? key.open(sealed.bytes, authenticating: RawSpan())) == nil else { throw Failure.wrongResult }
        }
    }
}
