internal import HandfastEncoding

extension SDCWT {
    /// Shows some claims to a verifier, and that this holder does it now.
    /// - Parameters:
    ///   - paths: The claims to disclose, with what they stand in. What is visible anyway may be among them.
    ///   - audience: The verifier's name.
    ///   - nonce: The verifier's nonce.
    ///   - issuedAt: The time, in seconds since 1970.
    ///   - key: The holder's key.
    /// - Returns: A key binding token with the credential in it.
    /// - Throws: ``CredentialError/wrongHolderKey``, ``CredentialError/unknownClaim(_:)``,
    ///   ``CredentialError/sizeExceeded(limit:in:)``, ``CredentialError/invalidKey(_:)``
    public func present(
        disclosing paths: [ClaimPath], audience: String, nonce: [UInt8], issuedAt: UInt64,
        with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> [UInt8] {
        guard key.publicKey == content.holderKey else { throw .wrongHolderKey }
        let chosen = try disclosures(for: paths)
        let presentation = try KeyBindingToken.sign(
            credential: encoded(disclosing: chosen), audience: audience, nonce: nonce, issuedAt: issuedAt, with: key)
        guard presentation.count <= Self.maximumPresentationCount else {
            throw .sizeExceeded(limit: Self.maximumPresentationCount, in: .keyBinding)
        }
        return presentation
    }

    /// What a verifier would learn from a presentation of these claims.
    /// - Throws: ``CredentialError/unknownClaim(_:)``
    public func preview(disclosing paths: [ClaimPath]) throws(CredentialError) -> VerifiedCredential {
        var unblinding = try SDCWTUnblinding(try disclosures(for: paths).map { disclosures[$0] })
        let claims = try unblinding.reveal(try token.payloadMap())
        let disclosed = try unblinding.finish()
        return try SDCWTClaims(claims, mayHideSubject: true).verified(disclosed: disclosed.compactMap { $0 })
    }

    /// The disclosures that show these claims, in ascending order: each with those that it stands in.
    private func disclosures(for claims: [ClaimPath]) throws(CredentialError) -> [Int] {
        var isChosen = [Bool](repeating: false, count: disclosures.count)
        for claim in claims {
            guard claim.leads(in: content.all) else { throw .unknownClaim(claim) }
            for (index, path) in paths.enumerated() {
                if let path, claim.begins(with: path) { isChosen[index] = true }
            }
        }
        return isChosen.indices.filter { isChosen[$0] }
    }
}
