public import HandfastChannel
public import HandfastClaims

/// What is done with a request for claims.
public enum ClaimDecision: String, Codable, Hashable, Sendable, CaseIterable {
    /// It is answered without asking.
    case answer
    /// A person is asked.
    case ask
    /// It is refused without asking.
    case refuse
}

/// A rule for requests that it fits; what it does not name fits always.
///
/// - Source: Spec/10 §10.11
public struct ClaimRule: Hashable, Sendable {
    /// What is done.
    public var decision: ClaimDecision
    /// The relationship in which it is asked.
    public var relationship: RelationshipID?
    /// What it is asked for.
    public var purpose: String?
    /// The type of the credential.
    public var type: String?
    /// The claim, or one that holds it.
    public var claim: ClaimPath?

    /// A rule.
    public init(
        _ decision: ClaimDecision, relationship: RelationshipID? = nil, purpose: String? = nil, type: String? = nil,
        claim: ClaimPath? = nil
    ) {
        self.decision = decision
        self.relationship = relationship
        self.purpose = purpose
        self.type = type
        self.claim = claim
    }

    fileprivate func fits(
        _ request: ClaimRequest, from relationship: RelationshipID, _ type: String, _ claim: ClaimPath?
    ) -> Bool {
        if let own = self.relationship, own != relationship { return false }
        if let purpose, purpose != request.purpose { return false }
        if let own = self.type, own != type { return false }
        guard let own = self.claim else { return true }
        return claim.map { own.contains($0) || $0.contains(own) && decision != .answer } ?? false
    }
}

/// The rules by which requests for claims are answered, put before a person, or refused.
///
/// - Source: Spec/10 §10.11
public struct ClaimPolicy: Hashable, Sendable {
    /// The rules; their order is of no meaning.
    public var rules: [ClaimRule]

    /// A policy of these rules.
    public init(_ rules: [ClaimRule] = []) {
        self.rules = rules
    }

    /// What is done with a request: a refusal goes before a question, that before an answer, and where not every claim
    /// is answered by some rule, a person is asked.
    public func decision(on request: ClaimRequest, from relationship: RelationshipID) -> ClaimDecision {
        var decision = ClaimDecision.answer
        for query in request.credentials {
            let claims: [ClaimPath?] = query.claims.isEmpty ? [nil] : query.claims.map(\.path)
            for claim in claims {
                let fitting = rules.filter { $0.fits(request, from: relationship, query.type, claim) }.map(\.decision)
                if fitting.contains(.refuse) { return .refuse }
                if fitting.contains(.ask) || fitting.isEmpty { decision = .ask }
            }
        }
        return decision
    }
}
