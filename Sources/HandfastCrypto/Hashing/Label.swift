/// The name of one use of the hash, as BLAKE2b's 16-byte personalisation: `HF1.` and the name, padded with zeros.
///
/// No two uses share a label, so that no output of one can stand for an output of another.
public struct Label: Hashable, Sendable {
    /// The personalisation, 16 bytes.
    public let bytes: FixedBytes<16>

    /// A label from a literal of 1...12 ASCII characters; any other literal is a mistake of the program and traps.
    public init(_ name: StaticString) {
        precondition(name.isASCII && (1...12).contains(name.utf8CodeUnitCount), "A label has 1 to 12 ASCII characters")
        var bytes = InlineArray<16, UInt8>(repeating: 0)
        for (index, byte) in "HF1.".utf8.enumerated() { bytes[index] = byte }
        for index in 0..<name.utf8CodeUnitCount {
            bytes[4 + index] = unsafe name.utf8Start[index]
        }
        self.bytes = FixedBytes(storage: bytes)
    }
}
