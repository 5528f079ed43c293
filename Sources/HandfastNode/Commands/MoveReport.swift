/// What became of a move to other relays.
public struct MoveReport: Codable, Hashable, Sendable {
    /// A relationship that stays where it is.
    public struct Refusal: Codable, Hashable, Sendable {
        /// The relationship's id.
        public var relationship: String
        /// Why, in words.
        public var reason: String
    }

    /// The relays at which is received from now on, `host:port/key`, the preferred one first.
    public var relays: [String] = []
    /// Relationships that began to move by this command.
    public var began = 0
    /// Relationships that received there before, or were about to.
    public var already = 0
    /// Relationships that stay where they are.
    public var refused: [Refusal] = []
    /// Relationships whose other side is still to be told: their new queues are not open yet, or nothing can be signed.
    public var untold = 0
    /// Relationships whose other side was told and has not sent anything to the new place, or whose old relay is not
    /// emptied yet. Both places are listened to until then.
    public var unfinished = 0
    /// Those of ``unfinished`` whose other side sends to the new place: only the old relay is still being emptied.
    public var confirmed = 0
    /// Relationships that have left their old relay.
    public var done = 0
    /// Open invitations that are void, because they name a relay that is left: their notes, or their first characters.
    public var voidInvitations: [String] = []
    /// What is still to be done, in words; `nil` when nothing is.
    public var notice: String?

    /// Nothing has moved yet.
    public init() {}

    /// Whether something of it is still to be done.
    public var isUnderWay: Bool { untold + unfinished > 0 }
}
