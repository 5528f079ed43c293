/// Which side of the handshake a party was; it is also the direction of that party's records.
public enum SenderRole: UInt8, Sendable, Hashable, CaseIterable {
    /// The side that accepted an invitation and sent `hello`.
    case invitee = 0
    /// The side that made the invitation and answered with `welcome`.
    case inviter = 1

    /// The other side.
    public var other: SenderRole {
        switch self {
        case .invitee: .inviter
        case .inviter: .invitee
        }
    }
}
