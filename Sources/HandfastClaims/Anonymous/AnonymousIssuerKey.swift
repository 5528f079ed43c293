public import HandfastCrypto

/// An issuer's secret key for anonymous credentials, x. Whoever has it can issue, and verify every presentation.
///
/// **Experimental.** The scheme, µBBS over ristretto255, has had less analysis than the rest of Handfast.
///
/// - Source: Spec/11 §11.4
public struct AnonymousIssuerKey: ~Copyable, Sendable {
    /// Size in bytes.
    public static let count = SecretScalar.count

    private let secret: SecretScalar

    /// W = x · G, to be published.
    public let publicKey: RistrettoPoint

    /// Takes a key from a vault.
    /// - Throws: ``AnonymousClaimError/nonCanonicalScalar(_:)``, ``AnonymousClaimError/identityPoint(_:)`` for 0
    public init(copying bytes: RawSpan) throws(AnonymousClaimError) {
        let secret = try AnonymousClaimError.secretScalar(bytes, named: "issuer's secret key")
        let publicKey = RistrettoPoint.generatorMultiple(secret)
        guard !publicKey.isIdentity else { throw .identityPoint("issuer's key") }
        self.secret = secret
        self.publicKey = publicKey
    }

    private init(_ secret: consuming SecretScalar) {
        publicKey = RistrettoPoint.generatorMultiple(secret)
        self.secret = secret
    }

    /// A new key.
    public static func generate(using generator: inout some RandomNumberGenerator) -> AnonymousIssuerKey {
        AnonymousIssuerKey(SecretScalar(random: &generator))
    }

    /// The key, borrowed, to be sealed into a vault.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }

    /// Whether B̄ = x · Ā, which shows that the key made the credential behind a presentation.
    borrowing func hasIssued(_ question: ConfirmationQuestion) -> Bool {
        secret * question.signature == question.product
    }

    /// T₁ of a presentation whose B̄ is x · Ā: c · B̄ + ê · Ā is then (c · x + ê) · Ā.
    borrowing func signatureCommitment(of presentation: AnonymousPresentation) -> RistrettoPoint {
        let factor = presentation.challenge * secret + presentation.exponentResponse
        return factor * presentation.points.signature + presentation.firstResponse * presentation.points.randomised
    }
}

// MARK: - Issuing

extension AnonymousIssuerKey {
    /// Answers a request: a credential with these values, for this epoch.
    /// - Parameters:
    ///   - request: The holder's request.
    ///   - nonce: What the issuer gave the holder for this request, used once.
    ///   - epoch: The present epoch or the next.
    ///   - values: One for each attribute of the schema, in its order.
    /// - Throws: ``AnonymousClaimError/wrongIssuer``, ``AnonymousClaimError/requestNotProven``,
    ///   ``AnonymousClaimError/wrongValueCount(expected:actual:)``, ``AnonymousClaimError/invalidValue(_:)``
    public borrowing func issue(
        _ request: AnonymousRequest, nonce: FixedBytes<32>, epoch: UInt64, values: [AnonymousValue],
        parameters: AnonymousParameters, using generator: inout some RandomNumberGenerator
    ) throws(AnonymousClaimError) -> AnonymousIssuance {
        guard parameters.issuer == publicKey else { throw .wrongIssuer }
        let messages = try parameters.messages(epoch: epoch, values: values)
        try request.verify(nonce: nonce, parameters: parameters)
        let total = parameters.commitment(request.commitment, values: messages)

        var exponent = SecretScalar(random: &generator)
        var key = secret + exponent
        while key.isZero {
            exponent = SecretScalar(random: &generator)
            key = secret + exponent
        }
        let signature = key.inverse() * total
        guard !signature.isIdentity else { throw .identityPoint("signature") }

        let mask = SecretScalar(random: &generator)
        let publicExponent = exponent.published()
        let challenge = AnonymousIssuance.challenge(
            parameters, exponent: publicExponent, signature: signature, total: total,
            generatorMask: RistrettoPoint.generatorMultiple(mask), signatureMask: mask * signature)
        return AnonymousIssuance(
            epoch: epoch, values: values, signature: signature, exponent: publicExponent, challenge: challenge,
            response: (mask + challenge * key).published())
    }
}

extension AnonymousParameters {
    /// The values of a credential from number 2 on.
    func messages(epoch: UInt64, values: [AnonymousValue]) throws(AnonymousClaimError) -> [AnonymousValue] {
        guard values.count == schema.attributes.count else {
            throw .wrongValueCount(expected: schema.attributes.count, actual: values.count)
        }
        guard let number = Int64(exactly: epoch) else { throw .invalidValue("an epoch is below 2^63") }
        for value in values { try value.requireBounds() }
        return [.integer(number)] + values
    }
}

// MARK: - Confirming to partners

extension AnonymousIssuerKey {
    /// Answers a partner that verifies presentations without the key: whether a credential behind one is from here.
    ///
    /// It learns no attribute and no pseudonym, only that the partner asks, and when. Each answer tells the partner a
    /// little that it could not compute itself, so it goes to partners only.
    /// - Throws: ``AnonymousClaimError/notIssued``
    /// - Source: Spec/11 §11.8
    public borrowing func confirm(
        _ question: ConfirmationQuestion, using generator: inout some RandomNumberGenerator
    ) throws(AnonymousClaimError) -> Confirmation {
        guard hasIssued(question) else { throw .notIssued }
        let mask = SecretScalar(random: &generator)
        let challenge = Confirmation.challenge(
            question, issuer: publicKey, generatorMask: RistrettoPoint.generatorMultiple(mask),
            signatureMask: mask * question.signature)
        return Confirmation(challenge: challenge, response: (mask + challenge * secret).published())
    }
}
