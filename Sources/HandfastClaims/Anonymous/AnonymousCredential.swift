public import HandfastCrypto
internal import HandfastEncoding

/// An anonymous credential in its holder's hands. It can be shown any number of times, and nobody can tell by two showings
/// that they are of one credential, except by what they show.
///
/// **Experimental.** The scheme, µBBS over ristretto255, has had less analysis than the rest of Handfast.
///
/// - Source: Spec/11 §11.6
public struct AnonymousCredential: ~Copyable, Sendable {
    /// The epoch in which it holds.
    public let epoch: UInt64
    /// The values of the attributes, in the schema's order.
    public let values: [AnonymousValue]

    /// A.
    let signature: RistrettoPoint
    /// e.
    let exponent: SecretScalar
    /// B.
    let total: RistrettoPoint
    /// r.
    let blinding: SecretScalar

    static let maximumEncodedCount = 12_288

    init(
        signature: RistrettoPoint, exponent: consuming SecretScalar, total: RistrettoPoint,
        blinding: consuming SecretScalar, epoch: UInt64, values: [AnonymousValue]
    ) {
        self.signature = signature
        self.exponent = exponent
        self.total = total
        self.blinding = blinding
        self.epoch = epoch
        self.values = values
    }
}

// MARK: - Presenting

extension AnonymousCredential {
    /// Shows the epoch and some attributes to one verifier, and a pseudonym.
    /// - Parameters:
    ///   - names: The attributes to show; the epoch always is.
    ///   - scope: Where the pseudonym stays the same, by the vendor's authenticated identity.
    ///   - binding: The verifier's nonce, the verifier and the relationship.
    ///   - holder: The secret with which the credential was requested.
    /// - Throws: ``AnonymousClaimError/unknownAttribute(_:)``,
    ///   ``AnonymousClaimError/wrongValueCount(expected:actual:)`` if the parameters are of another schema
    public borrowing func present(
        showing names: some Sequence<String>, in scope: PseudonymScope, for binding: PresentationBinding,
        holder: borrowing AnonymousHolderSecret, parameters: AnonymousParameters,
        using generator: inout some RandomNumberGenerator
    ) throws(AnonymousClaimError) -> AnonymousPresentation {
        let messages = try parameters.messages(epoch: epoch, values: values)
        var shown = [AnonymousSchema.epochIndex: messages[0]]
        for name in names {
            let index = try parameters.schema.index(of: name)
            shown[index] = messages[index - AnonymousSchema.epochIndex]
        }

        let first = SecretScalar(random: &generator)
        let second = SecretScalar(random: &generator)
        let randomised = second * total
        let hiddenSignature = (first * second) * signature
        let product = first * randomised - exponent * hiddenSignature
        let scopePoint = scope.point
        let pseudonym = holder.scalar * scopePoint

        let exponentMask = SecretScalar(random: &generator)
        let firstMask = SecretScalar(random: &generator)
        let secondMask = SecretScalar(random: &generator)
        let signatureCommitment = exponentMask * hiddenSignature + firstMask * randomised
        var messageCommitment = secondMask * randomised
        var hidden: [HiddenMessage] = []
        for index in 0..<parameters.messageCount where shown[index] == nil {
            let message =
                switch index {
                case 0: blinding.copy()
                case 1: holder.scalar.copy()
                default: SecretScalar(messages[index - AnonymousSchema.epochIndex].scalar)
                }
            let entry = HiddenMessage(message, mask: SecretScalar(random: &generator))
            messageCommitment += entry.commitment(to: parameters.generators[index])
            hidden.append(entry)
        }
        let pseudonymCommitment = hidden[1].commitment(to: scopePoint)

        let points = AnonymousPresentation.Points(
            signature: hiddenSignature, product: product, randomised: randomised, pseudonym: Pseudonym(pseudonym))
        let challenge = points.challenge(
            parameters, signatureCommitment, messageCommitment, pseudonymCommitment, scope: scope, binding: binding,
            shown: shown)
        return AnonymousPresentation(
            points: points, challenge: challenge,
            exponentResponse: (exponentMask + challenge * exponent).published(),
            firstResponse: (firstMask - challenge * first).published(),
            secondResponse: (secondMask - challenge * second.inverse()).published(),
            messageResponses: hidden.map { $0.response(to: challenge) }, shown: shown)
    }

    /// A value that stays hidden and its mask; a class only because an array cannot hold what cannot be copied.
    private final class HiddenMessage {
        private let message: SecretScalar
        private let mask: SecretScalar

        init(_ message: consuming SecretScalar, mask: consuming SecretScalar) {
            self.message = message
            self.mask = mask
        }

        func commitment(to generator: RistrettoPoint) -> RistrettoPoint { mask * generator }

        func response(to challenge: RistrettoScalar) -> RistrettoScalar { (mask + challenge * message).published() }
    }
}

// MARK: - Storage

extension AnonymousCredential {
    /// `[1, A, e, B, r, epoch, [* value]]`, the values as encoded items, to be sealed into the vault.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter()
        writer.writeArrayHeader(7)
        writer.writeUnsigned(1)
        writer.writeBytes(signature.bytes)
        writer.writeBytes(exponent.bytes)
        writer.writeBytes(total.bytes)
        writer.writeBytes(blinding.bytes)
        writer.writeUnsigned(epoch)
        writer.writeArrayHeader(values.count)
        for value in values { writer.writeBytes(value.encoded()) }
        return writer.finish()
    }

    /// Decodes what ``encoded()`` gives.
    /// - Throws: ``AnonymousClaimError``
    public static func decode(_ bytes: RawSpan) throws(AnonymousClaimError) -> AnonymousCredential {
        try AnonymousClaimError.decoding("stored credential", bytes, maximum: maximumEncodedCount) { reader in
            try reader.readArrayHeader(count: 7)
            _ = try reader.readUnsigned(version: 1)
            let signature = try AnonymousClaimError.point(
                reader.readBytes(count: RistrettoPoint.count), named: "signature")
            let exponent = try AnonymousClaimError.secretScalar(
                reader.readBytes(count: SecretScalar.count), named: "exponent")
            let total = try AnonymousClaimError.point(
                reader.readBytes(count: RistrettoPoint.count), named: "signed point")
            let blinding = try AnonymousClaimError.secretScalar(
                reader.readBytes(count: SecretScalar.count), named: "blinding factor")
            let epoch = try reader.readUnsigned(maximum: UInt64(Int64.max))
            var values: [AnonymousValue] = []
            for _ in 0..<(try reader.readArrayHeader(maximum: AnonymousSchema.maximumAttributeCount)) {
                let item = try reader.readBytes(maximum: AnonymousValue.maximumCount + 9)
                values.append(try AnonymousValue(decoding: item))
            }
            return AnonymousCredential(
                signature: signature, exponent: exponent, total: total, blinding: blinding, epoch: epoch,
                values: values)
        }
    }
}

extension CBORReader {
    /// Reads the version of a stored structure, which must be this one.
    mutating func readUnsigned(version: UInt64) throws(CBORError) -> UInt64 {
        let start = offset
        let actual = try readUnsigned()
        guard actual == version else { throw .outOfRange(at: start) }
        return actual
    }
}
