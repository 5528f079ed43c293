/// When a verifier takes a status list token for an answer, and when a copy of it must be replaced.
/// - Source: draft-ietf-oauth-status-list-20 §8.3, §13.7; Spec/10 §10.8.3
public struct StatusPolicy: Hashable, Sendable {
    /// How a token came to where it is used.
    public enum Origin: Hashable, Sendable {
        /// The holder sent it along. Since nobody says when the holder got it, it counts as kept since it was issued.
        case stapled
        /// It was fetched from its issuer at this time, in seconds since 1970, and kept since.
        case fetched(at: UInt64)
    }

    /// The greatest age of a token since it was issued, in seconds; nil for as long as the issuer lets it live.
    public let maximumAge: UInt64?
    /// How far clocks may differ, in seconds.
    public let clockSkew: UInt64

    /// A verifier's own rules, beside those of the issuer.
    /// - Parameters:
    ///   - maximumAge: The greatest age of a token since it was issued, in seconds.
    ///   - clockSkew: How far clocks may differ, in seconds.
    public init(maximumAge: UInt64? = nil, clockSkew: UInt64 = VerificationContext.defaultClockSkew) {
        self.maximumAge = maximumAge
        self.clockSkew = clockSkew
    }

    /// Refuses a token that may not be used now.
    /// - Throws: ``StatusListError/token(_:)`` with ``CredentialError/expired(at:in:)`` or
    ///   ``CredentialError/issuedInFuture(at:in:)``; ``StatusListError/stale(since:)``;
    ///   ``StatusListError/tooOld(issuedAt:maximumAge:)``
    public func check(_ token: StatusListToken, from origin: Origin, now: UInt64) throws(StatusListError) {
        let times = CredentialTimes(
            issuedAt: Double(token.issuedAt), notBefore: nil, expires: token.expires.map { Double($0) })
        do {
            try times.check(now: now, clockSkew: clockSkew, part: .statusListToken)
        } catch {
            throw .token(error)
        }
        if let maximumAge, now > Self.sum(token.issuedAt, maximumAge, clockSkew) {
            throw .tooOld(issuedAt: token.issuedAt, maximumAge: maximumAge)
        }
        if let end = Self.endOfKeeping(token, from: origin), now > Self.sum(end, clockSkew) {
            throw .stale(since: end)
        }
    }

    /// The last second at which the token may be used, skew not counted; nil if nothing ends it. Who keeps tokens
    /// fetches another before.
    public func usableUntil(_ token: StatusListToken, from origin: Origin) -> UInt64? {
        let ends = [
            token.expires.map { $0 - 1 }, maximumAge.map { Self.sum(token.issuedAt, $0) },
            Self.endOfKeeping(token, from: origin),
        ]
        return ends.compactMap { $0 }.min()
    }

    /// What a token says of a credential now.
    /// - Parameters:
    ///   - reference: The list and the place that the credential names.
    ///   - token: The bytes of the token.
    ///   - keys: The keys of who may sign the list.
    ///   - origin: How the token came.
    ///   - now: The time, in seconds since 1970.
    /// - Throws: as ``StatusListToken/init(verifying:uri:issuerKeys:)``, ``check(_:from:now:)`` and
    ///   ``StatusListToken/status(of:)``; then nothing is known of the status
    public func status(
        of reference: StatusReference, in token: [UInt8], keys: [IssuerKey], from origin: Origin, now: UInt64
    ) throws(StatusListError) -> CredentialStatus {
        let token = try StatusListToken(verifying: token, uri: reference.uri, issuerKeys: keys)
        try check(token, from: origin, now: now)
        return try token.status(of: reference)
    }

    private static func endOfKeeping(_ token: StatusListToken, from origin: Origin) -> UInt64? {
        guard let timeToLive = token.timeToLive else { return nil }
        return switch origin {
        case .stapled: sum(token.issuedAt, timeToLive)
        case .fetched(let time): sum(time, timeToLive)
        }
    }

    private static func sum(_ terms: UInt64...) -> UInt64 {
        terms.reduce(0) { total, term in
            let (sum, isTooLarge) = total.addingReportingOverflow(term)
            return isTooLarge ? .max : sum
        }
    }
}
