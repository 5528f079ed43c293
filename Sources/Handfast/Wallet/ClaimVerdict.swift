public import HandfastClaims

/// A credential that was shown and of which every check holds.
public struct ShownCredential: Hashable, Sendable {
    /// Which of the request's credentials it answers, from 0.
    public let query: Int
    /// What it says.
    public let credential: VerifiedCredential
    /// Whether nobody but the holder vouches for it.
    public let isOwnWord: Bool
    /// When the token was issued by which its status is valid, in seconds since 1970; nil for what has no status.
    public let statusIssuedAt: UInt64?
}

/// A credential that was refused because its issuer no longer stands by it.
public struct RefusedCredential: Hashable, Sendable {
    /// Which of the request's credentials it was to answer, from 0.
    public let query: Int
    /// Its issuer, as it names itself.
    public let issuer: String
    /// Where its status stands.
    public let reference: StatusReference
    /// What the issuer says of it.
    public let status: CredentialStatus
    /// When the issuer said so, in seconds since 1970.
    public let time: UInt64
}

/// What came of a presentation.
///
/// - Source: Spec/10 §10.9
public struct ClaimVerdict: Hashable, Sendable {
    /// Every check of every query, in order.
    public internal(set) var checks: [ClaimCheck] = []
    /// The credentials of the queries of which every check holds.
    public internal(set) var shown: [ShownCredential] = []
    /// The credentials that were refused because their issuers no longer stand by them.
    public internal(set) var refused: [RefusedCredential] = []
    /// Issuers of whom no key was known that a credential or a status list names; they may have a new one.
    public internal(set) var issuersOfUnknownKeys: Set<String> = []

    /// Takes a later token of a list for what it says of a credential that was shown.
    ///
    /// - Parameter token: A token of the same issuer that was verified before.
    public mutating func take(_ token: StatusListToken) {
        for shown in shown {
            guard let reference = shown.credential.status, let time = shown.statusIssuedAt, token.issuedAt > time,
                let status = try? token.status(of: reference), status != .valid
            else { continue }
            refuse(shown, reference, status, at: token.issuedAt)
        }
    }

    private mutating func refuse(
        _ credential: ShownCredential, _ reference: StatusReference, _ status: CredentialStatus, at time: UInt64
    ) {
        shown.removeAll { $0.query == credential.query }
        refused.append(
            RefusedCredential(
                query: credential.query, issuer: credential.credential.issuer, reference: reference, status: status,
                time: time))
        let failing = ClaimCheck.failing(.status, of: credential.query, because: status.refusal)
        checks = checks.map { check in failing.first { $0.query == check.query && $0.check == check.check } ?? check }
    }
}

extension CredentialStatus {
    /// Why what has this status is refused.
    var refusal: String { "its issuer says: \(self)" }
}

extension ClaimCheck {
    /// All checks of a query of which one failed.
    static func failing(_ name: Name, of query: Int, because reason: String) -> [ClaimCheck] {
        Name.allCases.map { other in
            other == name
                ? ClaimCheck(query: query, check: other, outcome: .failed, reason: reason)
                : ClaimCheck(query: query, check: other, outcome: .skipped)
        }
    }
}
