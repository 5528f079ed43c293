public import HandfastCrypto
internal import HandfastEncoding

/// What a holder keeps from its request until the issuer answers.
///
/// - Source: Spec/11 §11.6
public struct PendingAnonymousCredential: ~Copyable, Sendable {
    /// What goes to the issuer.
    public let request: AnonymousRequest

    private let blinding: SecretScalar

    static let maximumEncodedCount = 512

    private init(request: AnonymousRequest, blinding: consuming SecretScalar) {
        self.request = request
        self.blinding = blinding
    }

    /// Makes a request that answers the issuer's nonce.
    public static func request(
        nonce: FixedBytes<32>, holder: borrowing AnonymousHolderSecret, parameters: AnonymousParameters,
        using generator: inout some RandomNumberGenerator
    ) -> PendingAnonymousCredential {
        let blinding = SecretScalar(random: &generator)
        let blindingMask = SecretScalar(random: &generator)
        let secretMask = SecretScalar(random: &generator)
        let (first, second) = (parameters.generators[0], parameters.generators[1])

        let commitment = blinding * first + holder.scalar * second
        let mask = blindingMask * first + secretMask * second
        let challenge = AnonymousRequest.challenge(parameters, commitment: commitment, mask: mask, nonce: nonce)
        let request = AnonymousRequest(
            commitment: commitment, challenge: challenge,
            blindingResponse: (blindingMask + challenge * blinding).published(),
            secretResponse: (secretMask + challenge * holder.scalar).published())
        return PendingAnonymousCredential(request: request, blinding: blinding)
    }

    /// Checks the issuer's answer and takes the credential from it.
    /// - Parameter now: Seconds since 1970: an epoch that only this holder has would be its mark.
    /// - Throws: ``AnonymousClaimError/issuanceNotProven``, ``AnonymousClaimError/wrongValueCount(expected:actual:)``,
    ///   ``AnonymousClaimError/expired(epoch:current:)``, ``AnonymousClaimError/epochAhead(epoch:current:)``
    public borrowing func finish(
        _ issuance: AnonymousIssuance, parameters: AnonymousParameters, now: UInt64
    ) throws(AnonymousClaimError) -> AnonymousCredential {
        try parameters.schema.requireCurrent(issuance.epoch, at: now)
        let total = try issuance.verify(for: request, parameters: parameters)
        return AnonymousCredential(
            signature: issuance.signature, exponent: SecretScalar(issuance.exponent), total: total,
            blinding: blinding.copy(), epoch: issuance.epoch, values: issuance.values)
    }
}

// MARK: - Storage

extension PendingAnonymousCredential {
    /// `[1, request, r]`, to be sealed into the vault.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter(capacity: Self.maximumEncodedCount)
        writer.writeArrayHeader(3)
        writer.writeUnsigned(1)
        writer.writeBytes(request.encoded())
        writer.writeBytes(blinding.bytes)
        return writer.finish()
    }

    /// Decodes what ``encoded()`` gives.
    /// - Throws: ``AnonymousClaimError``
    public static func decode(_ bytes: RawSpan) throws(AnonymousClaimError) -> PendingAnonymousCredential {
        try AnonymousClaimError.decoding("stored request", bytes, maximum: maximumEncodedCount) { reader in
            try reader.readArrayHeader(count: 3)
            _ = try reader.readUnsigned(version: 1)
            let request = try AnonymousRequest(decoding: reader.readBytes(maximum: maximumEncodedCount))
            let blinding = try AnonymousClaimError.secretScalar(
                reader.readBytes(count: SecretScalar.count), named: "blinding factor")
            return PendingAnonymousCredential(request: request, blinding: blinding)
        }
    }
}
