internal import HandfastCrypto
internal import HandfastEncoding

/// A holder's request for an anonymous credential: a commitment to its secret, with a proof that it knows what is inside.
///
/// - Source: Spec/11 §11.6
public struct AnonymousRequest: Hashable, Sendable {
    /// The largest request, in bytes.
    public static let maximumEncodedCount = 256

    /// C = r · H_0 + s · H_1.
    let commitment: RistrettoPoint
    let challenge: RistrettoScalar
    let blindingResponse: RistrettoScalar
    let secretResponse: RistrettoScalar

    static func challenge(
        _ parameters: AnonymousParameters, commitment: RistrettoPoint, mask: RistrettoPoint, nonce: FixedBytes<32>
    ) -> RistrettoScalar {
        var transcript = AnonymousTranscript()
        transcript.absorb(parameters.domain.array)
        transcript.absorb(commitment, mask)
        transcript.absorb(nonce.array)
        return transcript.scalar(.anonymousRequest)
    }

    /// Refuses a request that does not prove its commitment for this nonce.
    func verify(nonce: FixedBytes<32>, parameters: AnonymousParameters) throws(AnonymousClaimError) {
        let mask =
            blindingResponse * parameters.generators[0] + secretResponse * parameters.generators[1]
            - challenge * commitment
        let expected = Self.challenge(parameters, commitment: commitment, mask: mask, nonce: nonce)
        guard expected == challenge else { throw .requestNotProven }
    }

    /// The request as CBOR, for the issuer.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(commitment.bytes)
            writer.writeKey(2)
            writer.writeBytes(challenge.array + blindingResponse.array + secretResponse.array)
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives; nothing is proven yet.
    /// - Throws: ``AnonymousClaimError``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("request", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 2)
            try map.requireKey(1, &reader)
            let commitment = try AnonymousClaimError.point(
                reader.readBytes(count: RistrettoPoint.count), named: "commitment")
            try map.requireKey(2, &reader)
            let proof = try reader.readBytes(count: 3 * RistrettoScalar.count)
            try map.finish(&reader)
            return AnonymousRequest(
                commitment: commitment,
                challenge: try AnonymousClaimError.scalar(proof.extracting(0..<32), named: "challenge"),
                blindingResponse: try AnonymousClaimError.scalar(
                    proof.extracting(32..<64), named: "response for the blinding factor"),
                secretResponse: try AnonymousClaimError.scalar(
                    proof.extracting(64..<96), named: "response for the holder's secret"))
        }
    }

    init(
        commitment: RistrettoPoint, challenge: RistrettoScalar, blindingResponse: RistrettoScalar,
        secretResponse: RistrettoScalar
    ) {
        self.commitment = commitment
        self.challenge = challenge
        self.blindingResponse = blindingResponse
        self.secretResponse = secretResponse
    }
}
