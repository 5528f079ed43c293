internal import HandfastEncoding

/// The claims of an SD-JWT VC that have a meaning of their own, by name.
/// - Source: RFC 7519 §4.1; draft-ietf-oauth-sd-jwt-vc-19 §2.2.2.3
struct RegisteredClaims {
    /// Those that can never be redacted.
    static let alwaysVisible = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"]
    /// Those that are given besides the other claims.
    static let names = ["iss", "nbf", "exp", "cnf", "vct", "status", "sub", "iat"]

    private let claims: CBORMap
    private let part: CredentialError.Part

    init(_ claims: CBORMap, in part: CredentialError.Part) {
        self.claims = claims
        self.part = part
    }

    func text(_ name: String) throws(CredentialError) -> String? {
        switch claims[name] {
        case nil: return nil
        case .text(let text)? where !text.isEmpty: return text
        default: throw .invalidClaim(name, in: part)
        }
    }

    func requiredText(_ name: String) throws(CredentialError) -> String {
        guard let text = try text(name) else { throw .missingClaim(name, in: part) }
        return text
    }

    /// Whole seconds since 1970.
    func time(_ name: String) throws(CredentialError) -> UInt64? {
        switch claims[name] {
        case nil: return nil
        case .unsigned(let seconds)?: return seconds
        default: throw .invalidClaim(name, in: part)
        }
    }

    /// Checks `iat`, `nbf` and `exp`, which may each be off by the difference of two clocks.
    func checkTimes(now: UInt64, clockSkew: UInt64) throws(CredentialError) {
        let (latest, earliest) = (now.addingClamped(clockSkew), now - min(now, clockSkew))
        if let issuedAt = try time("iat"), issuedAt > latest { throw .issuedInFuture(at: issuedAt, in: part) }
        if let notBefore = try time("nbf"), notBefore > latest { throw .notYetValid(from: notBefore, in: part) }
        if let expires = try time("exp"), expires <= earliest { throw .expired(at: expires, in: part) }
    }

    /// The key of the holder (`cnf` with `jwk`).
    func holderKey() throws(CredentialError) -> CredentialVerificationKey {
        switch claims["cnf"] {
        case nil: throw .missingHolderKey
        case .map(let confirmation)?:
            guard case .map(let jwk)? = confirmation["jwk"] else { throw .invalidClaim("cnf", in: part) }
            return try CredentialVerificationKey(jwk: jwk)
        default: throw .invalidClaim("cnf", in: part)
        }
    }

    /// Where the status stands; a status of another mechanism is refused, since it could not be looked up.
    func status() throws(CredentialError) -> StatusReference? {
        guard let status = claims["status"] else { return nil }
        guard case .map(let mechanisms) = status, case .map(let list)? = mechanisms["status_list"],
            case .unsigned(let index)? = list["idx"], case .text(let uri)? = list["uri"],
            1...StatusReference.maximumURICount ~= uri.utf8.count
        else { throw .invalidClaim("status", in: part) }
        return StatusReference(uri: uri, index: index)
    }
}

extension UInt64 {
    /// The sum, or the greatest number if the sum is greater.
    fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
