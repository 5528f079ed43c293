public import HandfastClaims

/// An issuer whose word a verifier takes.
public struct TrustedIssuer: Hashable, Sendable {
    /// The issuer, as it names itself.
    public let issuer: String
    /// The keys by which it signs.
    public let keys: [CredentialVerificationKey]
    /// The types of credential for which its word is taken; nil for every type.
    public let types: [String]?

    /// An issuer whose word is taken.
    public init(issuer: String, keys: [CredentialVerificationKey], types: [String]? = nil) {
        self.issuer = issuer
        self.keys = keys
        self.types = types
    }

    /// Whether its word is taken for a type.
    public func vouches(for type: String) -> Bool { types?.contains(type) != false }
}

extension [TrustedIssuer] {
    /// Verifies something that an issuer signed, by each of its keys until one fits.
    ///
    /// - Parameter verify: is given what finds the key of an issuer.
    func verifying<Result>(
        _ verify: ((_ issuer: String, _ keyID: [UInt8]?) -> CredentialVerificationKey?) throws(CredentialError) ->
            Result
    ) throws(CredentialError) -> Result {
        var attempt = 0
        while true {
            var hasMore = false
            do {
                return try verify { name, _ in
                    let keys = self.filter { $0.issuer.utf8.elementsEqual(name.utf8) }.flatMap(\.keys)
                    hasMore = attempt + 1 < keys.count
                    return keys.indices.contains(attempt) ? keys[attempt] : nil
                }
            } catch {
                switch error {
                case .invalidSignature(in: .credential) where hasMore,
                    .wrongAlgorithm(_, in: .credential) where hasMore:
                    attempt += 1
                default: throw error
                }
            }
        }
    }
}
