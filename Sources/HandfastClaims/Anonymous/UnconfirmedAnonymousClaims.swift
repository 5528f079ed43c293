/// What a presentation showed to a partner, which has to ask the issuer before it knows whether any of it is true.
///
/// - Source: Spec/11 §11.8
public struct UnconfirmedAnonymousClaims: Hashable, Sendable {
    /// What to ask the issuer.
    public let question: ConfirmationQuestion

    let claims: VerifiedAnonymousClaims

    init(claims: VerifiedAnonymousClaims, question: ConfirmationQuestion) {
        self.claims = claims
        self.question = question
    }

    /// The claims, once the issuer has confirmed that they are from it.
    /// - Throws: ``AnonymousClaimError/confirmationNotProven``
    public func confirmed(by confirmation: Confirmation) throws(AnonymousClaimError) -> VerifiedAnonymousClaims {
        try confirmation.verify(question, issuer: claims.issuer)
        return claims
    }
}
