internal import HandfastCrypto
internal import HandfastEncoding

/// An issuer's answer to a request: the values that it vouches for, and a proof that its key made the credential.
///
/// - Source: Spec/11 §11.6
public struct AnonymousIssuance: Hashable, Sendable {
    /// The largest answer, in bytes.
    public static let maximumEncodedCount = 12_288

    /// The epoch in which the credential holds.
    public let epoch: UInt64
    /// The values of the attributes, in the schema's order.
    public let values: [AnonymousValue]

    /// A.
    let signature: RistrettoPoint
    /// e.
    let exponent: RistrettoScalar
    let challenge: RistrettoScalar
    let response: RistrettoScalar

    static func challenge(
        _ parameters: AnonymousParameters, exponent: RistrettoScalar, signature: RistrettoPoint, total: RistrettoPoint,
        generatorMask: RistrettoPoint, signatureMask: RistrettoPoint
    ) -> RistrettoScalar {
        var transcript = AnonymousTranscript()
        transcript.absorb(parameters.domain.array)
        transcript.absorb(exponent.array)
        transcript.absorb(signature, total, generatorMask, signatureMask)
        return transcript.scalar(.anonymousIssuance)
    }

    /// Refuses an answer to another request or by another key.
    /// - Returns: B, on which the credential is a signature.
    func verify(
        for request: AnonymousRequest, parameters: AnonymousParameters
    ) throws(AnonymousClaimError) -> RistrettoPoint {
        let messages = try parameters.messages(epoch: epoch, values: values)
        let total = parameters.commitment(request.commitment, values: messages)
        // The key of this one credential: (x + e) · G.
        let key = parameters.issuer + RistrettoPoint.generatorMultiple(exponent)
        let generatorMask = RistrettoPoint.generatorMultiple(response) - challenge * key
        let signatureMask = response * signature - challenge * total
        let expected = Self.challenge(
            parameters, exponent: exponent, signature: signature, total: total, generatorMask: generatorMask,
            signatureMask: signatureMask)
        guard expected == challenge else { throw .issuanceNotProven }
        return total
    }

    /// The answer as CBOR, for the holder alone.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(signature.bytes)
            writer.writeKey(2)
            writer.writeBytes(exponent.array + challenge.array + response.array)
            writer.writeKey(3)
            writer.writeUnsigned(epoch)
            writer.writeKey(4)
            writer.writeArrayHeader(values.count)
            for value in values { value.write(to: &writer) }
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives; nothing is proven yet.
    /// - Throws: ``AnonymousClaimError``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("issuance", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 4)
            try map.requireKey(1, &reader)
            let signature = try AnonymousClaimError.point(
                reader.readBytes(count: RistrettoPoint.count), named: "signature")
            try map.requireKey(2, &reader)
            let proof = try reader.readBytes(count: 3 * RistrettoScalar.count)
            try map.requireKey(3, &reader)
            let epoch = try reader.readUnsigned(maximum: UInt64(Int64.max))
            try map.requireKey(4, &reader)
            var values: [AnonymousValue] = []
            for _ in 0..<(try reader.readArrayHeader(maximum: AnonymousSchema.maximumAttributeCount)) {
                values.append(try AnonymousValue.read(from: &reader))
            }
            try map.finish(&reader)
            return AnonymousIssuance(
                epoch: epoch, values: values, signature: signature,
                exponent: try AnonymousClaimError.scalar(proof.extracting(0..<32), named: "exponent"),
                challenge: try AnonymousClaimError.scalar(proof.extracting(32..<64), named: "challenge"),
                response: try AnonymousClaimError.scalar(proof.extracting(64..<96), named: "response"))
        }
    }

    init(
        epoch: UInt64, values: [AnonymousValue], signature: RistrettoPoint, exponent: RistrettoScalar,
        challenge: RistrettoScalar, response: RistrettoScalar
    ) {
        self.epoch = epoch
        self.values = values
        self.signature = signature
        self.exponent = exponent
        self.challenge = challenge
        self.response = response
    }
}
