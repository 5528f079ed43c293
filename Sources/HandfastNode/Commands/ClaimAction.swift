/// What a person or a program asks of a node about requests for claims.
public enum ClaimAction: Codable, Hashable, Sendable {
    /// Asks the other side for claims: `request` is the body without its nonce. Answered by ``CommandReply/claims(_:)``.
    case request(relationship: String, purpose: String, description: String?, queries: [UInt8], maximumAge: UInt64?)
    /// Lists requests of both sides: those that are open, or all. Answered by ``CommandReply/claims(_:)``.
    case requests(relationship: String?, all: Bool)
    /// Shows what a request of the other side asks for; `words`, a deterministic CBOR map, is what one says of oneself.
    /// Answered by ``CommandReply/claims(_:)``.
    case present(relationship: String, number: UInt64, words: [UInt8])
    /// Refuses a request of the other side. Answered by ``CommandReply/claims(_:)``.
    case refuse(relationship: String, number: UInt64, reason: String?)
    /// Lists what others have learned. Answered by ``CommandReply/claims(_:)``.
    case learned(relationship: String?)
    /// Lists the rules. Answered by ``CommandReply/claimRules(_:)``.
    case rules
    /// Adds a rule. Answered by ``CommandReply/claimRules(_:)``.
    case addRule(ClaimRuleReport)
    /// Removes a rule by its name. Answered by ``CommandReply/claimRules(_:)``.
    case removeRule(String)
}

/// What a person or a program asks of a node about the credentials of its wallet.
public enum CredentialAction: Codable, Hashable, Sendable {
    /// Makes holder keys for the copies of a new credential. Answered by ``CommandReply/credentials(_:)``.
    case makeKeys(label: String, count: Int)
    /// Lists the credentials, or shows one. Answered by ``CommandReply/credentials(_:)``.
    case list(id: String?)
    /// Takes copies that an issuer has issued, all or none. Answered by ``CommandReply/credentials(_:)``.
    case take(copies: [[UInt8]], format: String)
    /// Keeps the token of a status list, to be shown with credentials. Answered by ``CommandReply/credentials(_:)``.
    case takeStatusToken([UInt8])
}

/// What a person or a program asks of a node about the issuers whose word is taken for claims.
public enum IssuerAction: Codable, Hashable, Sendable {
    /// Lists them. Answered by ``CommandReply/issuers(_:)``.
    case list
    /// Trusts one by its keys, each a JWK in deterministic CBOR, or, without any, by those that it publishes. Answered by
    /// ``CommandReply/issuers(_:)``.
    case trust(issuer: String, keys: [[UInt8]], types: [String]?)
    /// Trusts one no longer. Answered by ``CommandReply/issuers(_:)``.
    case forget(issuer: String)
}
