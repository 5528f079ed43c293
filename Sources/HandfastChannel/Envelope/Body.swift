internal import HandfastCrypto

/// The plaintext of an envelope: kind, content and, sometimes, an offered ML-KEM key, padded with zeros.
///
/// - Source: Spec/04 §4.5
struct Body {
    let kind: PayloadKind
    let offer: KEMPublicKey?
    /// Where the content stands in the plaintext.
    let content: Range<Int>

    /// Parses an authenticated plaintext.
    ///
    /// - Throws: ``ChannelError/malformed(_:)`` for an unknown kind, content beyond the end or too long, or padding that is
    ///   not zero.
    init(_ plaintext: RawSpan) throws(ChannelError) {
        guard plaintext.byteCount >= EnvelopeLayout.bodyPrefixByteCount else { throw .malformed("body: too short") }
        let first = unsafe plaintext.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        let length = Int(UInt16(bigEndian: unsafe plaintext.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt16.self)))
        guard let kind = PayloadKind(rawValue: first & ~EnvelopeLayout.offerBit) else {
            throw .malformed("body: unknown kind \(first & ~EnvelopeLayout.offerBit)")
        }
        var start = EnvelopeLayout.bodyPrefixByteCount
        if first & EnvelopeLayout.offerBit != 0 {
            let end = start + EnvelopeLayout.offerByteCount
            guard plaintext.byteCount >= end else { throw .malformed("body: too short for its ML-KEM key") }
            let key = plaintext.extracting(start..<end)
            offer = try ChannelError.naming("body") { try KEMPublicKey(key) }
            start = end
        } else {
            offer = nil
        }
        guard length <= plaintext.byteCount - start else { throw .malformed("body: content beyond the end") }
        guard length <= EnvelopeLayout.maximumContentByteCount else { throw .malformed("body: content too long") }
        guard length == 0 || kind != .turn else { throw .malformed("body: a turn has no content") }
        content = start..<start + length
        self.kind = kind
        guard Self.isZero(plaintext.extracting(content.upperBound..<plaintext.byteCount)) else {
            throw .malformed("body: padding is not zero")
        }
    }

    private static func isZero(_ bytes: RawSpan) -> Bool {
        // No way out of the loop: it becomes a few wide instructions.
        unsafe bytes.withUnsafeBytes { unsafe $0.reduce(0, |) == 0 }
    }

    /// Writes a plaintext that fills `target` up to the room for the authentication tag.
    static func write(_ kind: PayloadKind, _ content: RawSpan, offer: KEMPublicKey?, into target: inout MutableRawSpan)
    {
        let first = kind.rawValue | (offer == nil ? 0 : EnvelopeLayout.offerBit)
        target.storeBytes(of: first, toByteOffset: 0, as: UInt8.self)
        target.storeBytes(of: UInt16(content.byteCount).bigEndian, toByteOffset: 1, as: UInt16.self)
        var start = EnvelopeLayout.bodyPrefixByteCount
        if let offer {
            target.copy(offer.array.bytes, to: start)
            start += EnvelopeLayout.offerByteCount
        }
        target.copy(content, to: start)
        let end = target.byteCount - EnvelopeLayout.authenticationTagByteCount
        var padding = target._mutatingExtracting(start + content.byteCount..<end)
        unsafe padding.withUnsafeMutableBytes { _ = unsafe $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }
}
