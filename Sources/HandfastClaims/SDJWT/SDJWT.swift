internal import HandfastEncoding

/// A credential in the form of an SD-JWT VC: what the issuer signed, and the disclosures that come with it.
///
/// Its form has been checked; that it is genuine is known only after ``verify(now:clockSkew:issuerKey:)``.
/// - Source: RFC 9901; draft-ietf-oauth-sd-jwt-vc-19; Spec/10-claims.md §10.4
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
    /// The path of each disclosure in ``claims``.
    let places: [ClaimPath]

    /// Reads what an issuer gave: its token and every disclosure, with `~` behind each.
    /// - Throws: ``CredentialError``, every case that is about form and disclosures;
    ///   ``CredentialError/unexpectedKeyBinding`` for a presentation
    public init(decoding text: String) throws(CredentialError) {
        let pieces = try SDJWTText(text, maximumCount: Self.maximumCount)
        guard pieces.keyBinding.isEmpty else { throw .unexpectedKeyBinding }
        try self.init(token: pieces.token(), disclosures: pieces.disclosures)
    }

    init(token: JWS, disclosures texts: [Substring]) throws(CredentialError) {
        self.token = token
        var disclosures: [SDJWTDisclosure] = []
        for (index, text) in texts.enumerated() {
            disclosures.append(try SDJWTDisclosure(decoding: text, index: index))
        }
        self.disclosures = disclosures
        (claims, places) = try DisclosureResolver.resolve(token.claims, with: disclosures)
    }

    /// The text that the issuer gave.
    public var encoded: String {
        disclosures.reduce(into: token.text + "~") { $0 += $1.text + "~" }
    }

    /// What the holder may disclose or keep back, as paths in the credential with everything disclosed.
    public var redactedPaths: [ClaimPath] { places }
}
