internal import HandfastCrypto

extension AnonymousPresentation {
    /// Checks everything with the issuer's key.
    /// - Throws: ``AnonymousClaimError``
    /// - Source: Spec/11 §11.7
    public func verify(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters, key: borrowing AnonymousIssuerKey
    ) throws(AnonymousClaimError) -> VerifiedAnonymousClaims {
        guard parameters.issuer == key.publicKey else { throw .wrongIssuer }
        let claims = try check(expectation, parameters: parameters)
        guard key.hasIssued(claims.question) else { throw .notIssued }
        return claims.claims
    }

    /// Checks everything that can be checked without the issuer's key; the issuer confirms the rest.
    /// - Throws: ``AnonymousClaimError``
    /// - Source: Spec/11 §11.7, §11.8
    public func check(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters
    ) throws(AnonymousClaimError) -> UnconfirmedAnonymousClaims {
        let epoch = try requireIndices(parameters)
        try parameters.schema.requireCurrent(epoch, at: expectation.now)
        guard provenChallenge(expectation, parameters: parameters) == challenge else { throw .presentationNotProven }
        guard !expectation.blocklist.contains(points.pseudonym) else { throw .blocklisted }

        var values: [String: AnonymousValue] = [:]
        for (index, value) in shown where index >= AnonymousSchema.firstAttributeIndex {
            values[parameters.schema.attributes[index - AnonymousSchema.firstAttributeIndex]] = value
        }
        let claims = VerifiedAnonymousClaims(
            issuer: parameters.issuer, type: parameters.schema.type, values: values, epoch: epoch,
            expires: parameters.schema.end(ofEpoch: epoch), scope: expectation.scope, pseudonym: points.pseudonym)
        return UnconfirmedAnonymousClaims(
            claims: claims,
            question: ConfirmationQuestion(signature: points.signature, product: points.product))
    }

    /// Refuses anything but a partition of the schema's numbers in which 0 and 1 are hidden and 2 is shown.
    private func requireIndices(_ parameters: AnonymousParameters) throws(AnonymousClaimError) -> UInt64 {
        let permitted = AnonymousSchema.epochIndex..<parameters.messageCount
        guard shown.keys.allSatisfy(permitted.contains),
            shown.count + messageResponses.count == parameters.messageCount
        else { throw .wrongIndices }
        guard case .integer(let number) = shown[AnonymousSchema.epochIndex], let epoch = UInt64(exactly: number) else {
            throw .epochNotShown
        }
        return epoch
    }

    private func provenChallenge(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters
    ) -> RistrettoScalar {
        let signatureCommitment =
            challenge * points.product + exponentResponse * points.signature + firstResponse * points.randomised
        var known = parameters.base
        var messageCommitment = secondResponse * points.randomised
        var responses = messageResponses.makeIterator()
        for (index, generator) in parameters.generators.enumerated() {
            if let value = shown[index] {
                known += value.scalar * generator
            } else if let response = responses.next() {
                messageCommitment += response * generator
            }
        }
        messageCommitment += challenge * known
        // The second hidden value is the holder's secret.
        let pseudonymCommitment =
            messageResponses[1] * expectation.scope.point - challenge * points.pseudonym.point
        return points.challenge(
            parameters, signatureCommitment, messageCommitment, pseudonymCommitment, scope: expectation.scope,
            binding: expectation.binding, shown: shown)
    }
}
