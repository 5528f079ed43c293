public import HandfastCrypto

/// Leave to put envelopes into one queue: 32 random bytes that the recipient gives to the sender and, hashed, to the
/// relay.
///
/// - Source: Spec/07
public struct SendCapability: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes; whoever has them may send.
    public let value: FixedBytes<32>

    /// Wraps 32 bytes from an address.
    public init(_ value: FixedBytes<32>) {
        self.value = value
    }

    /// A new random capability.
    public static func random(using random: inout some RandomNumberGenerator) -> SendCapability {
        SendCapability(FixedBytes(random: &random))
    }

    /// What the relay keeps of it: `H("capability", capability)`.
    public var digest: Digest {
        Digest.of(.capability, value.array)
    }

    /// The 32 bytes, copied.
    public var array: [UInt8] { value.array }

    /// Never the bytes themselves.
    public var description: String { "send capability" }
}
