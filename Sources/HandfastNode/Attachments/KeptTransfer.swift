/// What the vault keeps of an attachment's way, beside the record that names it.
struct KeptTransfer: Codable, Hashable, Sendable {
    /// How far it is.
    enum Stage: String, Codable, Hashable, Sendable {
        /// A peer's, that waits for a person's word.
        case asking
        /// A peer's, that is being received.
        case taking
        /// A peer's, that is here, whole and durable.
        case received
        /// An own one, that the peer does not have yet.
        case giving
        /// An own one, that the peer has.
        case delivered
        /// Declined by who was to receive it.
        case declined
        /// Taken back by who sent it.
        case gone
        /// Not what its record says, or it cannot be read or written any more.
        case failed
        /// A peer's, that was here and whose content was deleted.
        case deleted

        /// Whether the node has something to do for it.
        var isOpen: Bool { self == .taking || self == .giving }
    }

    /// How far it is.
    var stage: Stage
    /// The size of the file in bytes.
    var size: UInt64
    /// The round of the receiver's latest want; 0 before the first.
    var round: UInt32 = 0
    /// The chunks that the receiver had at its latest want.
    var have: UInt64 = 0
    /// For an own one: everything below was sent in this round.
    var sent: UInt64 = 0
    /// Everything below was asked for.
    var until: UInt64 = 0
    /// Why it stands where it stands, in words.
    var reason: String?
}
