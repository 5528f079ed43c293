extension RandomNumberGenerator {
    /// Draws `count` random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var bytes = result.mutableBytes
        fill(&bytes)
        return result
    }

    /// Overwrites the span with random bytes: numbers from ``Swift/RandomNumberGenerator/next()``, little endian, the
    /// last one cut short. The system's randomness is asked once for all of them.
    public mutating func fill(_ bytes: inout MutableRawSpan) {
        if Self.self == SecureRandom.self || Self.self == SystemEntropy.self {
            SecureRandom.fill(&bytes)
            return
        }
        var number: UInt64 = 0
        for offset in 0..<bytes.byteCount {
            if offset % 8 == 0 { number = next() }
            bytes.storeBytes(of: UInt8(truncatingIfNeeded: number), toByteOffset: offset, as: UInt8.self)
            number >>= 8
        }
    }
}
