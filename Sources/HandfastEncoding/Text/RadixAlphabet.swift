/// An alphabet of 2^n characters, each of which stands for n bits, most significant first, without padding.
///
/// Decoding is strict: each sequence of bytes has one text and every other text is refused.
///
/// - Source: RFC 4648 §3.2, §3.3, §3.5.
struct RadixAlphabet: Sendable {
    private let bitsPerCharacter: Int
    private let characters: [UInt8]
    /// The value of each ASCII character, 0xFF for none.
    private let values: [UInt8]

    init(_ alphabet: StaticString, bitsPerCharacter: Int) {
        self.bitsPerCharacter = bitsPerCharacter
        characters = Array(alphabet.description.utf8)
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in characters.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
    }

    func encode(_ bytes: RawSpan) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.byteCount * 8 + bitsPerCharacter - 1) / bitsPerCharacter)
        let mask: UInt32 = 1 << UInt32(bitsPerCharacter) - 1
        var (bits, bitCount): (UInt32, Int) = (0, 0)
        for offset in bytes.byteOffsets {
            // The load checks its bounds; every bit pattern is a valid byte.
            bits = bits << 8 | UInt32(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            bitCount += 8
            while bitCount >= bitsPerCharacter {
                bitCount -= bitsPerCharacter
                text.append(characters[Int(bits >> UInt32(bitCount) & mask)])
            }
        }
        if bitCount > 0 { text.append(characters[Int(bits << UInt32(bitsPerCharacter - bitCount) & mask)]) }
        return String(decoding: text, as: UTF8.self)
    }

    func decode(_ text: some StringProtocol) throws(TextError) -> [UInt8] {
        // Copied, so that the loop runs over an array whatever text came.
        let utf8 = Array(text.utf8)
        let (byteCount, excess) = (utf8.count * bitsPerCharacter).quotientAndRemainder(dividingBy: 8)
        // A character more than the last byte needs would be all excess.
        guard excess < bitsPerCharacter else { throw .invalidLength(utf8.count) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        var (bits, bitCount): (UInt32, Int) = (0, 0)
        for (offset, character) in utf8.enumerated() {
            let value = values[Int(character)]
            guard value != 0xFF else { throw .invalidCharacter(at: offset) }
            bits = bits << UInt32(bitsPerCharacter) | UInt32(value)
            bitCount += bitsPerCharacter
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        guard bits & (1 << UInt32(bitCount) - 1) == 0 else { throw .nonZeroTrailingBits }
        return bytes
    }
}
