internal import HandfastCrypto
internal import HandfastEncoding

extension SDJWT {
    /// The text of a presentation: the issuer's token, the disclosures of the paths and of what they lie in, and the
    /// holder's proof. What is redacted below a path stays hidden unless another path leads there.
    /// - Parameters:
    ///   - paths: What to disclose, as paths in the credential with everything disclosed; always visible claims may be
    ///     among them.
    ///   - audience: Who the presentation is for.
    ///   - nonce: What it answers.
    ///   - issuedAt: The time, in seconds since 1970.
    ///   - key: The key that the credential names as its holder's.
    /// - Throws: ``CredentialError/unknownClaim(_:)``, ``CredentialError/wrongHolderKey``,
    ///   ``CredentialError/sizeExceeded(limit:in:)``, and as ``JWS/sign(_:type:keyID:with:part:)``
    public func present(
        disclosing paths: [ClaimPath], audience: String, nonce: String, issuedAt: UInt64,
        with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> String {
        guard full.holderKey == key.publicKey else { throw .wrongHolderKey }
        let bound = try disclosures(for: paths).reduce(into: token.text + "~") { $0 += $1.text + "~" }
        let digest = try SDJWTHash(of: token.claims).digest(of: bound)
        let proof = CBORMap(names: [
            ("iat", .unsigned(issuedAt)), ("aud", .text(audience)), ("nonce", .text(nonce)),
            ("sd_hash", .text(digest)),
        ])
        let presentation =
            bound + (try JWS.sign(proof, type: Self.bindingType, keyID: nil, with: key, part: .keyBinding))
        guard presentation.utf8.count <= Self.maximumPresentationCount else {
            throw .sizeExceeded(limit: Self.maximumPresentationCount, in: .keyBinding)
        }
        return presentation
    }
}
