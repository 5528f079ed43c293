internal import HandfastCrypto
internal import HandfastEncoding

/// The issuer's answer to a partner, with a proof.
///
/// - Source: Spec/11 §11.8
public struct Confirmation: Hashable, Sendable {
    /// The largest answer, in bytes.
    public static let maximumEncodedCount = 80

    let challenge: RistrettoScalar
    let response: RistrettoScalar

    init(challenge: RistrettoScalar, response: RistrettoScalar) {
        self.challenge = challenge
        self.response = response
    }

    static func challenge(
        _ question: ConfirmationQuestion, issuer: RistrettoPoint, generatorMask: RistrettoPoint,
        signatureMask: RistrettoPoint
    ) -> RistrettoScalar {
        var transcript = AnonymousTranscript()
        transcript.absorb(issuer, question.signature, question.product, generatorMask, signatureMask)
        return transcript.scalar(.anonymousConfirmation)
    }

    /// Refuses an answer by another key or to another question.
    func verify(_ question: ConfirmationQuestion, issuer: RistrettoPoint) throws(AnonymousClaimError) {
        let expected = Self.challenge(
            question, issuer: issuer,
            generatorMask: RistrettoPoint.generatorMultiple(response) - challenge * issuer,
            signatureMask: response * question.signature - challenge * question.product)
        guard expected == challenge else { throw .confirmationNotProven }
    }

    /// The answer as CBOR.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(challenge.array + response.array)
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives; nothing is proven yet.
    /// - Throws: ``AnonymousClaimError``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("confirmation", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 1)
            try map.requireKey(1, &reader)
            let proof = try reader.readBytes(count: 2 * RistrettoScalar.count)
            try map.finish(&reader)
            return Confirmation(
                challenge: try AnonymousClaimError.scalar(proof.extracting(0..<32), named: "challenge"),
                response: try AnonymousClaimError.scalar(proof.extracting(32..<64), named: "response"))
        }
    }
}
