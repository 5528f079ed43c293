/// Why the wallet could not do what it was asked.
public enum WalletError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The credential is bound to a key that this wallet did not make.
    case unknownHolderKey
    /// A credential for this key is here already.
    case issuedAlready(copy: Int)
    /// The copy says something else than the others.
    case differentContent(copy: Int)
    /// Every copy belongs to another relationship, has ended or was never issued.
    case noFreeCopy
    /// The issuer has revoked or suspended the credential that answers the query.
    case revoked(query: Int, Revoked.Kind)
    /// No credential of the wallet answers the query.
    case noCredential(query: Int)

    /// What was wrong, and what to do next.
    public var description: String {
        switch self {
        case .unknownHolderKey:
            "the credential is bound to a key that this wallet did not make; `handfast credential request` makes keys, "
                + "for which the issuer then issues"
        case .issuedAlready(let copy): "a credential for copy \(copy) is here already"
        case .differentContent(let copy):
            "copy \(copy) says something else than the other copies; a vendor could tell them apart: ask the issuer for "
                + "copies that say the same"
        case .noFreeCopy:
            "every copy of the credential belongs to another relationship; `handfast credential request` prepares more"
        case .revoked(let query, let kind):
            "the credential that answers query \(query) is \(kind.rawValue) by its issuer: it would be refused; "
                + (kind == .suspended
                    ? "a later token of its status list may bring it back" : "ask the issuer for another one")
        case .noCredential(let query):
            "no credential of the wallet is what query \(query + 1) asks for; `handfast credential list` shows what is there"
        }
    }
}
