public import HandfastCrypto

/// The name of a queue at its relay: 16 random bytes.
///
/// - Source: Spec/07
public struct QueueID: Hashable, Sendable {
    /// The 16 bytes.
    public let value: FixedBytes<16>

    /// Names the queue with these bytes.
    public init(_ value: FixedBytes<16>) {
        self.value = value
    }

    /// A new random name.
    public static func random(using random: inout some RandomNumberGenerator) -> QueueID {
        QueueID(FixedBytes(random: &random))
    }

    /// The 16 bytes, copied.
    public var array: [UInt8] { value.array }
}
