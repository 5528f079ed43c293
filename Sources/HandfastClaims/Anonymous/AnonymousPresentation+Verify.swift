internal import HandfastCrypto

extension AnonymousPresentation {
    /// Checks everything with the issuer's key.
    /// - Parameter parameters: The issuer's; who verifies often keeps them prepared
    ///   (``AnonymousParameters/prepared(at:)``).
    /// - Throws: ``AnonymousClaimError``
    /// - Source: Spec/11 §11.7
    public func verify(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters, key: borrowing AnonymousIssuerKey
    ) throws(AnonymousClaimError) -> VerifiedAnonymousClaims {
        guard parameters.issuer == key.publicKey else { throw .wrongIssuer }
        let epoch = try requireForm(expectation, parameters: parameters)
        // With B̄ = xĀ known, T₁ takes a multiplication less. Without it the proof says which error it is.
        let isIssued = key.hasIssued(question)
        let commitment = isIssued ? key.signatureCommitment(of: self) : signatureCommitment
        let claims = try claims(expectation, parameters: parameters, epoch: epoch, signatureCommitment: commitment)
        guard isIssued else { throw .notIssued }
        return claims
    }

    /// Checks everything that can be checked without the issuer's key; the issuer confirms the rest.
    /// - Throws: ``AnonymousClaimError``
    /// - Source: Spec/11 §11.7, §11.8
    public func check(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters
    ) throws(AnonymousClaimError) -> UnconfirmedAnonymousClaims {
        let epoch = try requireForm(expectation, parameters: parameters)
        let claims = try claims(
            expectation, parameters: parameters, epoch: epoch, signatureCommitment: signatureCommitment)
        return UnconfirmedAnonymousClaims(claims: claims, question: question)
    }

    private var question: ConfirmationQuestion {
        ConfirmationQuestion(signature: points.signature, product: points.product)
    }

    /// Refuses anything but a partition of the schema's numbers in which 0 and 1 are hidden and 2 is shown, and an epoch
    /// that is not good.
    private func requireForm(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters
    ) throws(AnonymousClaimError) -> UInt64 {
        let permitted = AnonymousSchema.epochIndex..<parameters.messageCount
        guard shown.keys.allSatisfy(permitted.contains),
            shown.count + messageResponses.count == parameters.messageCount
        else { throw .wrongIndices }
        guard case .integer(let number) = shown[AnonymousSchema.epochIndex], let epoch = UInt64(exactly: number) else {
            throw .epochNotShown
        }
        try parameters.schema.requireCurrent(epoch, at: expectation.now)
        return epoch
    }

    /// What is shown, if the proof fits and the pseudonym is not blocked.
    private func claims(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters, epoch: UInt64,
        signatureCommitment: RistrettoPoint
    ) throws(AnonymousClaimError) -> VerifiedAnonymousClaims {
        let proven = provenChallenge(
            expectation, parameters: parameters, epoch: epoch, signatureCommitment: signatureCommitment)
        guard proven == challenge else { throw .presentationNotProven }
        guard !expectation.blocklist.contains(points.pseudonym) else { throw .blocklisted }

        var values: [String: AnonymousValue] = [:]
        for (index, value) in shown where index >= AnonymousSchema.firstAttributeIndex {
            values[parameters.schema.attributes[index - AnonymousSchema.firstAttributeIndex]] = value
        }
        return VerifiedAnonymousClaims(
            issuer: parameters.issuer, type: parameters.schema.type, values: values, epoch: epoch,
            expires: parameters.schema.end(ofEpoch: epoch), scope: expectation.scope, pseudonym: points.pseudonym)
    }

    /// T₁ as anybody computes it.
    private var signatureCommitment: RistrettoPoint {
        challenge * points.product + exponentResponse * points.signature + firstResponse * points.randomised
    }

    private func provenChallenge(
        _ expectation: AnonymousExpectation, parameters: AnonymousParameters, epoch: UInt64,
        signatureCommitment: RistrettoPoint
    ) -> RistrettoScalar {
        var known = parameters.base(ofEpoch: epoch)
        var messageCommitment = secondResponse * points.randomised
        var responses = messageResponses.makeIterator()
        for (index, generator) in parameters.generators.enumerated() where index != AnonymousSchema.epochIndex {
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
