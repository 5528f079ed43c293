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

    /// Whether a claim, which must be there, is this text, byte by byte.
    func hasText(_ name: String, _ expected: String) throws(CredentialError) -> Bool {
        try requiredText(name).utf8.elementsEqual(expected.utf8)
    }

    /// `iat`, `nbf` and `exp`.
    func times() throws(CredentialError) -> CredentialTimes {
        CredentialTimes(issuedAt: try time("iat"), notBefore: try time("nbf"), expires: try time("exp"))
    }

    private func time(_ name: String) throws(CredentialError) -> Double? {
        guard let value = claims[name] else { return nil }
        guard let seconds = CredentialTimes.seconds(value) else { throw .invalidClaim(name, in: part) }
        return seconds
    }

    /// Refuses a credential that names those to whom it may be shown, if this audience is none of them.
    /// - Source: RFC 7519 §4.1.3
    func checkAudience(_ audience: String) throws(CredentialError) {
        switch claims["aud"] {
        case nil: return
        case .text(let only)?: guard only.utf8.elementsEqual(audience.utf8) else { throw .wrongCredentialAudience }
        case .array(let items)?: guard items.contains(.text(audience)) else { throw .wrongCredentialAudience }
        default: throw .invalidClaim("aud", in: part)
        }
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

    /// What the claims say, if they may say it.
    func credential(disclosed: [ClaimPath]) throws(CredentialError) -> VerifiedCredential {
        for place in disclosed {
            if case .name(let name)? = place.steps.first, Self.alwaysVisible.contains(name) {
                throw .notRedactable(name)
            }
        }
        let times = try times()
        return VerifiedCredential(
            format: .sdJWT, issuer: try requiredText("iss"), type: try requiredText("vct"), subject: try text("sub"),
            claims: claims.filter { entry in !Self.names.contains { entry.key == .text($0) } }, disclosed: disclosed,
            issuedAt: times.issuedAtSeconds, notBefore: times.notBeforeSeconds, expires: times.expiresSeconds,
            holderKey: try holderKey(), status: try status())
    }
}
