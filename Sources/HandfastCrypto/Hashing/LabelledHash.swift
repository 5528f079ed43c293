/// The suite's hash and key derivation: BLAKE2b under a ``Label`` over length-prefixed parts.
///
/// Each part is preceded by its size as 8 bytes, little endian, so that no two lists of parts give the same input.
/// With a key it is the key derivation function of the suite. The size of the result is a parameter of the hash: a
/// shorter result is not the beginning of a longer one.
/// - Source: RFC 7693 §2.5 (parameter block), Spec/01
public struct LabelledHash: ~Copyable {
    private var state: BLAKE2b

    /// Starts a hash with a result of `count` bytes, 16...64.
    public init(_ label: Label, count: Int = 32) {
        precondition((16...64).contains(count), "BLAKE2b gives 16 to 64 bytes")
        state = BLAKE2b(count: count, label: label, key: RawSpan())
    }

    /// Starts a derivation under a key of 32 bytes, with a result of `count` bytes, 16...64.
    public init(_ label: Label, key: borrowing SecretBytes, count: Int = 32) {
        precondition(key.count == 32, "A derivation key has 32 bytes")
        precondition((16...64).contains(count), "BLAKE2b gives 16 to 64 bytes")
        state = BLAKE2b(count: count, label: label, key: key.bytes)
    }

    /// Appends one part: its size, then its bytes.
    public mutating func absorb(_ part: RawSpan) {
        absorbWord(UInt64(part.byteCount))
        state.update(part)
    }

    /// Appends one part: its size, then its bytes.
    public mutating func absorb(_ part: [UInt8]) {
        absorb(part.bytes)
    }

    /// Appends a number as a part of 8 bytes, little endian.
    public mutating func absorb(_ number: UInt64) {
        absorbWord(8)
        absorbWord(number)
    }

    private mutating func absorbWord(_ word: UInt64) {
        let word = InlineArray<1, UInt64>(repeating: word.littleEndian)
        unsafe state.update(word.span.bytes)
    }

    /// The hash as a public digest; for a hash of 32 bytes.
    public consuming func digest() -> Digest {
        precondition(state.count == 32, "A digest has 32 bytes")
        var value = FixedBytes<32>.zero
        var output = value.mutableBytes
        finalize(into: &output)
        return Digest(value)
    }

    /// The hash as a secret of the size that was asked for at the start.
    public consuming func secret() -> SecretBytes {
        var secret = SecretBytes(count: state.count)
        var output = secret.mutableBytes
        finalize(into: &output)
        return secret
    }

    private consuming func finalize(into output: inout MutableRawSpan) {
        state.finalize(into: &output)
    }
}
