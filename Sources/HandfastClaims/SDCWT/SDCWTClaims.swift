internal import HandfastEncoding

/// The claims of a credential with disclosures in their places, each of its type.
/// - Source: draft-ietf-spice-sd-cwt-07 §7, §13; RFC 8392 §3.1; Spec/10 §10.3
struct SDCWTClaims: Hashable, Sendable {
    /// The largest number of a type.
    static let maximumType: UInt64 = 65_535

    /// The claims that have a property of their own.
    static let named = [
        CWTClaim.issuer, CWTClaim.subject, CWTClaim.expires, CWTClaim.notBefore, CWTClaim.issuedAt,
        CWTClaim.confirmation, CWTClaim.type, CWTClaim.status,
    ]

    let issuer: String
    let type: String?
    let subject: String?
    let audience: String?
    let times: CredentialTimes
    let holderKey: CredentialVerificationKey
    let status: StatusReference?
    /// All claims, also these.
    let all: CBORMap

    /// Checks the claims and their times among each other.
    /// - Parameter mayHideSubject: Whether a digest at the top could be that of the subject.
    init(_ claims: CBORMap, mayHideSubject: Bool) throws(CredentialError) {
        guard let issuer = try Self.text(CWTClaim.issuer, of: claims) else {
            throw .missingClaim("iss", in: .credential)
        }
        self.issuer = issuer
        subject = try Self.text(CWTClaim.subject, of: claims)
        guard subject != nil || mayHideSubject else { throw .missingClaim("sub", in: .credential) }
        audience = try Self.text(CWTClaim.audience, of: claims)
        type =
            switch claims[CWTClaim.type] {
            case nil: nil
            case .text(let name)?: name
            case .unsigned(let number)? where number <= Self.maximumType: String(number)
            case _?: throw .invalidClaim("vct", in: .credential)
            }
        for claim in [CWTClaim.identifier, CWTClaim.nonce] {
            switch claims[claim] {
            case nil, .bytes?: break
            case _?: throw .invalidClaim(CWTClaim.name(of: claim), in: .credential)
            }
        }
        times = try CredentialTimes(claims, in: .credential)
        try times.checkOrder()
        holderKey = try Self.holderKey(of: claims)
        status = try claims[CWTClaim.status].map { value throws(CredentialError) in try StatusReference(value) }
        all = claims
    }

    /// A type as it is written: a number if it is one in digits.
    static func type(of name: String) -> CBORValue {
        guard let number = UInt64(name), number <= maximumType, String(number) == name else { return .text(name) }
        return .unsigned(number)
    }

    /// The issuer that a payload names before anything is verified, to find its key.
    static func unverifiedIssuer(of payload: CBORMap) throws(CredentialError) -> String {
        guard let issuer = try text(CWTClaim.issuer, of: payload) else { throw .missingClaim("iss", in: .credential) }
        return issuer
    }

    /// The holder's key that a payload names.
    static func holderKey(of payload: CBORMap) throws(CredentialError) -> CredentialVerificationKey {
        guard let confirmation = payload[CWTClaim.confirmation] else { throw .missingHolderKey }
        guard case .map(let methods) = confirmation, methods.entries.count == 1, let key = methods[1] else {
            throw .invalidClaim("cnf", in: .credential)
        }
        return try CredentialVerificationKey(coseKey: key)
    }

    private static func text(_ claim: Int, of claims: CBORMap) throws(CredentialError) -> String? {
        switch claims[claim] {
        case nil: return nil
        case .text(let text)?: return text
        case _?: throw .invalidClaim(CWTClaim.name(of: claim), in: .credential)
        }
    }

    /// What somebody learns to whom these claims were disclosed.
    func verified(disclosed: [ClaimPath]) -> VerifiedCredential {
        let others = all.filter { entry in
            !Self.named.contains { .integer(Int64($0)) == entry.key }
        }
        return VerifiedCredential(
            format: .sdCWT, issuer: issuer, type: type, subject: subject, claims: others, disclosed: disclosed,
            issuedAt: times.issuedAtSeconds, notBefore: times.notBeforeSeconds, expires: times.expiresSeconds,
            holderKey: holderKey, status: status)
    }
}
