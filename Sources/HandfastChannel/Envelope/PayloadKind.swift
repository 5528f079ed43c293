/// What the content of an envelope is.
///
/// - Source: Spec/04 §4.5
public enum PayloadKind: UInt8, Sendable, Hashable {
    /// No content: it only renews keys.
    case turn = 0
    /// Signed records.
    case records = 1
    /// One ephemeral message: authenticated, unsigned, not kept.
    case ephemeral = 2
    /// The inviter's answer to `hello`.
    case welcome = 3
    /// The answer to `rejoin`.
    case rejoined = 4
    /// Signed records of both directions, after a rejoin.
    case returned = 5

    /// Whether it is the first envelope of an epoch, and only that.
    var beginsEpoch: Bool { self == .welcome || self == .rejoined }
}
