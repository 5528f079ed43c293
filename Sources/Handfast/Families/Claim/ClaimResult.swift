/// What one check of a presentation came to.
///
/// - Source: Spec/10 §10.9
public struct ClaimCheck: Codable, Hashable, Sendable {
    /// What was checked, in the order of the checks.
    public enum Name: String, Codable, Hashable, Sendable, CaseIterable {
        /// Something was shown for the query, and it can be read.
        case form
        /// The issuer is one that the query accepts and the asking side trusts, or saying so oneself is enough.
        case issuer
        /// The issuer signed it, and every disclosure belongs to it.
        case signature
        /// The type is that of the query.
        case type
        /// Its times hold, and it is not older than was asked for.
        case time
        /// The key of the holder signed the presentation.
        case holder
        /// It was made for this relationship.
        case audience
        /// It was made for this request.
        case nonce
        /// The issuer has not revoked it.
        case status
        /// Every claim that was asked for is there and is what it has to be.
        case query
    }

    /// What a check came to.
    public enum Outcome: String, Codable, Hashable, Sendable {
        /// It holds.
        case held
        /// It does not hold.
        case failed
        /// There was nothing to check: a credential without status, or one's own word without issuer.
        case absent
        /// An earlier check had failed.
        case skipped
    }

    /// Which of the request's credentials, from 0.
    public var query: Int
    /// What was checked.
    public var check: Name
    /// What it came to.
    public var outcome: Outcome
    /// Why it failed, in words of at most 512 bytes.
    public var reason: String?

    /// What one check came to.
    public init(query: Int, check: Name, outcome: Outcome, reason: String? = nil) {
        self.query = query
        self.check = check
        self.outcome = outcome
        self.reason = reason
    }

    var fault: String? {
        if !(0..<ClaimLimits.credentials).contains(query) { return "query is not 0 to \(ClaimLimits.credentials - 1)" }
        guard let reason else { return nil }
        if outcome != .failed { return "reason stands beside a check that has not failed" }
        return TextRule.fault(in: reason, named: "reason", maximum: ClaimLimits.reason)
    }
}

/// `claim/result`: what came of a presentation, check by check, so that its holder knows what the other side holds for
/// proved.
///
/// - Source: Spec/10 §10.9
public struct ClaimResult: RecordBody {
    /// The number of the request in the direction of this record's sender.
    public var request: UInt64
    /// The number of the presentation in the other direction.
    public var presentation: UInt64
    /// Every check of every query, in order.
    public var checks: [ClaimCheck]

    /// What came of a presentation.
    public init(request: UInt64, presentation: UInt64, checks: [ClaimCheck]) {
        self.request = request
        self.presentation = presentation
        self.checks = checks
    }

    /// Whether everything that was asked for is proved.
    public var isAccepted: Bool { checks.allSatisfy { $0.outcome == .held || $0.outcome == .absent } }

    /// The first check that failed.
    public var failure: ClaimCheck? { checks.first { $0.outcome == .failed } }

    /// The type of record that has this body.
    public static var recordType: RecordType { .claimResult }

    /// Why a value is out of bounds.
    public var fault: String? {
        if request == 0 || presentation == 0 { return "request or presentation is 0" }
        let names = ClaimCheck.Name.allCases
        if checks.isEmpty || checks.count % names.count != 0
            || checks.count > ClaimLimits.credentials * names.count
        {
            return "there are not \(names.count) checks of each of 1 to \(ClaimLimits.credentials) queries"
        }
        for (place, check) in checks.enumerated() {
            if check.query != place / names.count || check.check != names[place % names.count] {
                return "checks are not in order"
            }
            if let fault = check.fault { return fault }
        }
        return nil
    }
}
