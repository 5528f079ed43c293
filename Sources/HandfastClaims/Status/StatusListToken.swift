/// A status list as its issuer publishes it: where, when, for how long.
/// - Source: draft-ietf-oauth-status-list-20 §5; Spec/10 §10.8.2
public struct StatusListToken: Hashable, Sendable {
    /// Where the token is published: its subject, and what a credential names.
    public let uri: String
    /// When it was issued, in seconds since 1970.
    public let issuedAt: UInt64
    /// When it ends, in seconds since 1970; nil if it does not say.
    public let expires: UInt64?
    /// For how long a copy may be kept, in seconds; nil if it does not say.
    public let timeToLive: UInt64?
    /// The statuses.
    public let list: StatusList

    /// A token that is to be signed.
    /// - Throws: ``StatusListError/wrongURI``, ``StatusListError/wrongTimes``
    public init(
        uri: String, issuedAt: UInt64, expires: UInt64?, timeToLive: UInt64?, list: StatusList
    ) throws(StatusListError) {
        try Self.require(uri: uri)
        guard expires.map({ $0 > issuedAt }) ?? true, timeToLive != 0 else { throw .wrongTimes }
        self.uri = uri
        self.issuedAt = issuedAt
        self.expires = expires
        self.timeToLive = timeToLive
        self.list = list
    }

    /// What the list says of a credential.
    /// - Throws: ``StatusListError/wrongSubject(expected:actual:)`` if the credential names another list,
    ///   ``StatusListError/indexOutOfRange(index:count:)``
    public func status(of reference: StatusReference) throws(StatusListError) -> CredentialStatus {
        guard uri.utf8.elementsEqual(reference.uri.utf8) else {
            throw .wrongSubject(expected: reference.uri, actual: uri)
        }
        return try list.status(at: reference.index)
    }

    /// Refuses what cannot be a URI: a scheme, a colon, and nothing but visible ASCII.
    static func require(uri: String) throws(StatusListError) {
        let bytes = uri.utf8
        guard bytes.count <= StatusReference.maximumURICount, bytes.allSatisfy({ (0x21...0x7E).contains($0) }),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex
        else { throw .wrongURI }
    }
}
