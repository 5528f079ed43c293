/// What a person or a program asks of a node about anonymous claims. Experimental, as the scheme is.
public enum AnonymousAction: Codable, Hashable, Sendable {
    /// Makes the nonce that what the other side of a relationship sends next has to answer; an earlier one counts no
    /// more. Answered by ``CommandReply/anonymousNonce(_:)``.
    case makeNonce(relationship: String)
    /// The nonce that a relationship was given, and for whom what answers it has to be made. Answered by
    /// ``CommandReply/anonymousNonce(_:)``.
    case nonce(relationship: String)
    /// Takes a nonce back for ever, because something that answers it was taken. Answered by
    /// ``CommandReply/anonymousNonce(_:)``.
    case spendNonce(relationship: String, nonce: [UInt8])
    /// Makes a request for a credential. Answered by ``CommandReply/anonymousRequest(_:)``.
    case request(label: String, parameters: [UInt8], nonce: [UInt8])
    /// Takes what an issuer has answered to a request. Answered by ``CommandReply/anonymousCredentials(_:)``.
    case take(issuance: [UInt8])
    /// Lists credentials and requests. Answered by ``CommandReply/anonymousCredentials(_:)``.
    case list
    /// Shows attributes of a credential to the other side of a relationship. Answered by
    /// ``CommandReply/anonymousPresentation(_:)``.
    case present(credential: String, relationship: String, nonce: [UInt8], showing: [String], isLinkable: Bool)
}
