public import HandfastCrypto

/// The right to answer one invitation: 16 random bytes, spent by the first hello that brings them.
///
/// - Source: Spec/03 §3.1
public struct Ticket: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes; whoever has them may answer the invitation.
    public let value: FixedBytes<16>

    /// Wraps 16 bytes from an invitation or a hello.
    public init(_ value: FixedBytes<16>) {
        self.value = value
    }

    /// A new random ticket.
    public static func random(using random: inout some RandomNumberGenerator) -> Ticket {
        Ticket(FixedBytes(random: &random))
    }

    /// All that the relay learns of it.
    public var knock: Knock {
        Knock(Digest.of(.knock, value.array))
    }

    /// The 16 bytes, copied.
    public var array: [UInt8] { value.array }

    /// Never the bytes themselves.
    public var description: String { "ticket" }
}

/// What a relay sees of a ticket: `H("knock", ticket)`.
public struct Knock: Hashable, Sendable {
    /// The 32 bytes.
    public let digest: Digest

    /// Wraps 32 bytes from a frame.
    public init(_ digest: Digest) {
        self.digest = digest
    }
}
