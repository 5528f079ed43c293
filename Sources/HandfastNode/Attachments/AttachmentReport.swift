/// An attachment as a person sees it.
public struct AttachmentReport: Codable, Hashable, Sendable {
    /// Who sent it.
    public var sender: EntryReport.Sender
    /// The number of its record in that direction.
    public var sequence: UInt64
    /// The name that its sender gives it; never to be used as a path.
    public var name: String
    /// Its media type, by its sender's word.
    public var mediaType: String?
    /// The size of the file in bytes.
    public var size: UInt64
    /// `waiting` (for a person's word), `receiving`, `received`, `sending`, `delivered`, `declined`, `gone`, `failed` or
    /// `deleted`; `gone` also where nothing is known of it any more.
    public var state: String
    /// The bytes of the file that its receiver has.
    public var transferred: UInt64
    /// Why it is where it is, in words.
    public var reason: String?

    /// Whether the node has something to do for it.
    public var isOpen: Bool { state == "receiving" || state == "sending" }
}
