internal import CSodium

/// The system's randomness, through libsodium.
public struct SecureRandom: RandomNumberGenerator, Sendable {
    /// A generator without state: two of them never give the same bytes.
    public init() {
        Sodium.start()
    }

    /// Eight random bytes. For more at once use ``Swift/RandomNumberGenerator/bytes(_:)``, which asks the system once.
    public mutating func next() -> UInt64 {
        unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 1) { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            unsafe randombytes_buf(start, MemoryLayout<UInt64>.size)
            return unsafe start.pointee
        }
    }

    static func fill(_ bytes: inout MutableRawSpan) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe randombytes_buf(start, buffer.count)
        }
    }
}
