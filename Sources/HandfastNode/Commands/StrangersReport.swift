/// What comes of strangers, who answer invitations.
public struct StrangersReport: Codable, Hashable, Sendable {
    /// What of their answers is let come, at each relay at which invitations are answered.
    public var reception: ReceptionReport
    /// Open invitations: whoever has one may answer it, once.
    public var invitations: Int
    /// Invitations that this command has made void: their notes, or their last characters.
    public var voidInvitations: [String] = []
    /// What is still to be done, in words; `nil` when nothing is.
    public var notice: String?
}
