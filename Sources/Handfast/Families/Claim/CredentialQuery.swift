public import HandfastClaims

/// A claim that is asked for, and what it has to be.
public struct WantedClaim: Codable, Hashable, Sendable {
    /// Where it stands in the credential.
    public var path: ClaimPath
    /// What it has to be; nil for any value.
    public var value: ClaimValue?

    /// A claim that is asked for.
    public init(_ path: ClaimPath, value: ClaimValue? = nil) {
        self.path = path
        self.value = value
    }

    var fault: String? {
        if let fault = path.fault { return fault }
        guard case .text(let text) = value, text.utf8.count > ClaimLimits.name else { return nil }
        return "value is longer than \(ClaimLimits.name) bytes"
    }
}

/// A credential that is asked for: its type, what of it, and from whom.
///
/// - Source: Spec/10 §10.9
public struct CredentialQuery: Codable, Hashable, Sendable {
    /// The credential's type (`vct`), 1 to 512 bytes.
    public var type: String
    /// The claims that are wanted, at most 64; without any, only that there is such a credential.
    public var claims: [WantedClaim]
    /// The issuers that will do, at most 16; without any, those whom the asking side trusts.
    public var issuers: [String]?
    /// Whether it is enough that the person says so.
    public var selfAsserted: Bool?

    /// A credential that is asked for.
    public init(type: String, claims: [WantedClaim] = [], issuers: [String]? = nil, selfAsserted: Bool? = nil) {
        self.type = type
        self.claims = claims
        self.issuers = issuers
        self.selfAsserted = selfAsserted
    }

    var fault: String? {
        if let fault = TextRule.fault(in: type, named: "type", maximum: ClaimLimits.identifier) { return fault }
        if claims.count > ClaimLimits.claims { return "there are more than \(ClaimLimits.claims) claims" }
        if Set(claims.map(\.path)).count != claims.count { return "a claim is asked for twice" }
        for claim in claims {
            if let fault = claim.fault { return fault }
        }
        guard let issuers else { return nil }
        if issuers.isEmpty || issuers.count > ClaimLimits.issuers {
            return "issuers are not 1 to \(ClaimLimits.issuers)"
        }
        for issuer in issuers {
            if let fault = TextRule.fault(in: issuer, named: "issuer", maximum: ClaimLimits.identifier) {
                return fault
            }
        }
        return nil
    }
}
