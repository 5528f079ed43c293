public import HandfastClaims

/// An issuer whose word a verifier takes.
public struct TrustedIssuer: Hashable, Sendable {
    /// The issuer, as it names itself.
    public let issuer: String
    /// The keys by which it signs.
    public let keys: [IssuerKey]
    /// The types of credential for which its word is taken; nil for every type.
    public let types: [String]?

    /// An issuer whose word is taken.
    public init(issuer: String, keys: [IssuerKey], types: [String]? = nil) {
        self.issuer = issuer
        self.keys = keys
        self.types = types
    }

    /// Whether its word is taken for a type.
    public func vouches(for type: String) -> Bool { types?.contains(type) != false }
}

extension [TrustedIssuer] {
    /// The keys of an issuer.
    public func keys(of issuer: String) -> [IssuerKey] {
        filter { $0.issuer.utf8.elementsEqual(issuer.utf8) }.flatMap(\.keys)
    }

    /// Verifies something that an issuer signed, by each of the keys that it may mean until one fits.
    ///
    /// - Parameters:
    ///   - unknown: The issuer, where it is none of these or none of its keys has the name that is wanted.
    ///   - verify: is given what finds the key of an issuer.
    func verifying<Result>(
        unknown: inout String?,
        _ verify: ((_ issuer: String, _ keyID: [UInt8]?) -> CredentialVerificationKey?) throws(CredentialError) ->
            Result
    ) throws(CredentialError) -> Result {
        var attempt = 0
        while true {
            var hasMore = false
            var asked: String?
            do {
                return try verify { name, keyID in
                    let keys = self.keys(of: name).named(keyID)
                    asked = name
                    hasMore = attempt + 1 < keys.count
                    return keys.indices.contains(attempt) ? keys[attempt] : nil
                }
            } catch {
                switch error {
                case .invalidSignature(in: .credential) where hasMore,
                    .wrongAlgorithm(_, in: .credential) where hasMore:
                    attempt += 1
                case .unknownIssuerKey:
                    unknown = asked
                    throw error
                default: throw error
                }
            }
        }
    }
}
