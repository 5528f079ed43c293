/// Where the status of a credential stands: a list and a place in it.
/// - Source: draft-ietf-oauth-status-list-20 §6
public struct StatusReference: Hashable, Sendable {
    /// The longest URI, in bytes of UTF-8.
    public static let maximumURICount = 1_024

    /// The URI of the status list token, which is also its subject.
    public let uri: String
    /// The place in the list, from 0.
    public let index: UInt64

    /// A place in a list.
    public init(uri: String, index: UInt64) {
        self.uri = uri
        self.index = index
    }
}
