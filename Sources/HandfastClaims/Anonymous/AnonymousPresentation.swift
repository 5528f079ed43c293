internal import HandfastCrypto
internal import HandfastEncoding

/// What a holder shows of an anonymous credential: the epoch, some attributes, a pseudonym, and the proof of them.
///
/// Its size is about 280 bytes, 32 for each value that stays hidden, and the values that are shown.
///
/// - Source: Spec/11 §11.7
public struct AnonymousPresentation: Hashable, Sendable {
    /// The largest presentation, in bytes.
    public static let maximumEncodedCount = 12_288

    /// The points that hide the credential, and the pseudonym.
    struct Points: Hashable, Sendable {
        /// Ā.
        let signature: RistrettoPoint
        /// B̄.
        let product: RistrettoPoint
        /// D.
        let randomised: RistrettoPoint
        /// N.
        let pseudonym: Pseudonym
    }

    let points: Points
    let challenge: RistrettoScalar
    let exponentResponse: RistrettoScalar
    let firstResponse: RistrettoScalar
    let secondResponse: RistrettoScalar
    /// One for each hidden value, by ascending number.
    let messageResponses: [RistrettoScalar]
    /// The values that are shown, by their numbers.
    let shown: [Int: AnonymousValue]

    init(
        points: Points, challenge: RistrettoScalar, exponentResponse: RistrettoScalar, firstResponse: RistrettoScalar,
        secondResponse: RistrettoScalar, messageResponses: [RistrettoScalar], shown: [Int: AnonymousValue]
    ) {
        self.points = points
        self.challenge = challenge
        self.exponentResponse = exponentResponse
        self.firstResponse = firstResponse
        self.secondResponse = secondResponse
        self.messageResponses = messageResponses
        self.shown = shown
    }
}

extension AnonymousPresentation.Points {
    /// The challenge of a proof over everything that it is to bind.
    func challenge(
        _ parameters: AnonymousParameters, _ signatureCommitment: RistrettoPoint, _ messageCommitment: RistrettoPoint,
        _ pseudonymCommitment: RistrettoPoint, scope: PseudonymScope, binding: PresentationBinding,
        shown: [Int: AnonymousValue]
    ) -> RistrettoScalar {
        var transcript = AnonymousTranscript()
        transcript.absorb(parameters.domain.array)
        transcript.absorb(signature, product, randomised, pseudonym.point)
        transcript.absorb(signatureCommitment, messageCommitment, pseudonymCommitment)
        transcript.absorb(scope.items.name)
        transcript.absorb(scope.items.identity.array)
        transcript.absorb(binding.nonce.array)
        transcript.absorb(binding.verifier.array)
        transcript.absorb(binding.relationship.array)
        for (index, value) in shown.sorted(by: { $0.key < $1.key }) {
            transcript.absorb(UInt64(index))
            transcript.absorb(value.encoded())
        }
        return transcript.scalar(.anonymousPresentation)
    }
}

// MARK: - Encoding

extension AnonymousPresentation {
    /// Challenge and responses beside those for hidden values.
    private static let fixedScalarCount = 4
    private static let maximumScalarCount = fixedScalarCount + AnonymousSchema.maximumAttributeCount + 2

    /// The presentation as CBOR.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 640)
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(
                points.signature.array + points.product.array + points.randomised.array
                    + points.pseudonym.point.array)
            writer.writeKey(2)
            let fixed = [challenge, exponentResponse, firstResponse, secondResponse]
            writer.writeBytes((fixed + messageResponses).flatMap(\.array))
            writer.writeKey(3)
            writer.writeMap { writer in
                for (index, value) in shown.sorted(by: { $0.key < $1.key }) {
                    writer.writeKey(index)
                    value.write(to: &writer)
                }
            }
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives; nothing is proven yet.
    /// - Throws: ``AnonymousClaimError``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("presentation", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 3)
            try map.requireKey(1, &reader)
            let points = try Points(decoding: reader.readBytes(count: 4 * RistrettoPoint.count))
            try map.requireKey(2, &reader)
            let scalars = try Self.scalars(reader.readBytes(maximum: Self.maximumScalarCount * RistrettoScalar.count))
            try map.requireKey(3, &reader)
            var shown: [Int: AnonymousValue] = [:]
            var entries = try reader.readIntegerMap(maximum: AnonymousSchema.maximumAttributeCount + 1)
            while let index = try entries.nextKey(&reader) {
                shown[index] = try AnonymousValue.read(from: &reader)
            }
            try map.finish(&reader)
            return AnonymousPresentation(
                points: points, challenge: scalars[0], exponentResponse: scalars[1], firstResponse: scalars[2],
                secondResponse: scalars[3], messageResponses: Array(scalars.dropFirst(Self.fixedScalarCount)),
                shown: shown)
        }
    }

    private static func scalars(_ bytes: RawSpan) throws(AnonymousClaimError) -> [RistrettoScalar] {
        let count = bytes.byteCount / RistrettoScalar.count
        guard bytes.byteCount.isMultiple(of: RistrettoScalar.count), count >= fixedScalarCount else {
            throw .wrongIndices
        }
        var scalars: [RistrettoScalar] = []
        for index in 0..<count {
            let start = index * RistrettoScalar.count
            scalars.append(
                try AnonymousClaimError.scalar(
                    bytes.extracting(start..<start + RistrettoScalar.count), named: "scalar \(index)"))
        }
        return scalars
    }
}

extension AnonymousPresentation.Points {
    fileprivate init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        signature = try AnonymousClaimError.point(bytes.extracting(0..<32), named: "Ā")
        product = try AnonymousClaimError.point(bytes.extracting(32..<64), named: "B̄")
        randomised = try AnonymousClaimError.point(bytes.extracting(64..<96), named: "D")
        pseudonym = Pseudonym(try AnonymousClaimError.point(bytes.extracting(96..<128), named: "N"))
    }
}
