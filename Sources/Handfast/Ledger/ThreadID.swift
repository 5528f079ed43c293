public import HandfastCrypto

/// Ties records to one another that belong to one matter, 16 random bytes.
///
/// - Source: Spec/05 §5.1
public struct ThreadID: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes.
    public let bytes: FixedBytes<16>

    /// The thread with these bytes.
    public init(_ bytes: FixedBytes<16>) {
        self.bytes = bytes
    }

    /// A new thread.
    public static func random(using generator: inout some RandomNumberGenerator) -> ThreadID {
        ThreadID(FixedBytes(random: &generator))
    }

    /// The bytes in lowercase hexadecimal.
    public var description: String { bytes.description }
}
