internal import HandfastEncoding

/// A credential in the form of an SD-JWT VC: what the issuer signed, and the disclosures that come with it.
///
/// Its form has been checked; that it is genuine is known only after ``verify(now:clockSkew:issuerKey:)``.
/// - Source: RFC 9901; draft-ietf-oauth-sd-jwt-vc-19; Spec/10 §10.5
public struct SDJWT: Hashable, Sendable {
    /// The largest credential, in bytes of its text.
    public static let maximumCount = 32 * 1_024
    /// The largest presentation, in bytes of its text.
    public static let maximumPresentationCount = 48 * 1_024
    /// The most disclosures.
    public static let maximumDisclosureCount = 128
    /// The type (`typ`) of the issuer's token.
    public static let type = "dc+sd-jwt"
    /// The type (`typ`) of the holder's proof.
    static let bindingType = "kb+jwt"

    let token: JWS
    let disclosures: [SDJWTDisclosure]
    /// The claims, with the disclosures in their places.
    let claims: CBORMap
    /// The path of each disclosure in ``claims``, and what the holder discloses or keeps back one by one.
    public let redacted: [ClaimPath]
    /// What the holder may tell: the credential with every disclosure in its place.
    public let full: VerifiedCredential

    /// Reads what an issuer gave, its token and every disclosure with `~` behind each; nothing is verified.
    /// - Throws: ``CredentialError``, every case that is about form, disclosures and claims;
    ///   ``CredentialError/unexpectedKeyBinding`` for a presentation
    public init(decoding text: String) throws(CredentialError) {
        let pieces = try SDJWTText(text, maximumCount: Self.maximumCount)
        guard pieces.keyBinding.isEmpty else { throw .unexpectedKeyBinding }
        try self.init(token: pieces.token(), disclosures: pieces.disclosures)
    }

    init(token: JWS, disclosures texts: [Substring]) throws(CredentialError) {
        var disclosures: [SDJWTDisclosure] = []
        disclosures.reserveCapacity(texts.count)
        for (index, text) in texts.enumerated() {
            disclosures.append(try SDJWTDisclosure(decoding: text, index: index))
        }
        try self.init(token: token, disclosures: disclosures)
    }

    init(token: JWS, disclosures: [SDJWTDisclosure]) throws(CredentialError) {
        let (claims, places) = try DisclosureResolver.resolve(token.claims, with: disclosures)
        full = try RegisteredClaims(claims, in: .credential).credential(disclosed: places)
        self.token = token
        self.disclosures = disclosures
        self.claims = claims
        redacted = places
    }

    /// The key that the issuer says it signed with.
    public var keyID: String? { token.keyID }

    /// The text that the issuer gave.
    public func encoded() -> String {
        disclosures.reduce(into: token.text + "~") { $0 += $1.text + "~" }
    }

    /// What a verifier would learn from a presentation of these claims.
    /// - Throws: ``CredentialError/unknownClaim(_:)``
    public func preview(disclosing paths: [ClaimPath]) throws(CredentialError) -> VerifiedCredential {
        try SDJWT(token: token, disclosures: disclosures(for: paths)).full
    }

    /// The disclosures that show these claims, each with those that it stands in.
    func disclosures(for paths: [ClaimPath]) throws(CredentialError) -> [SDJWTDisclosure] {
        for path in paths where !path.leads(in: claims) { throw .unknownClaim(path) }
        return zip(disclosures, redacted).compactMap { disclosure, place in
            paths.contains { $0.begins(with: place) } ? disclosure : nil
        }
    }
}
