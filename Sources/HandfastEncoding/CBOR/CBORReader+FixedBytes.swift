public import HandfastCrypto

extension CBORReader {
    /// Reads a byte string of exactly `count` bytes.
    /// - Throws: ``CBORError/wrongLength(expected:actual:at:)``, or what ``readBytes(maximum:)`` throws.
    public mutating func readFixedBytes<let count: Int>(
        as type: FixedBytes<count>.Type = FixedBytes<count>.self
    ) throws(CBORError) -> FixedBytes<count> {
        let start = offset
        let bytes = try readBytes(count: count)
        do {
            return try FixedBytes(bytes)
        } catch {
            throw .wrongLength(expected: count, actual: bytes.byteCount, at: start)
        }
    }
}
