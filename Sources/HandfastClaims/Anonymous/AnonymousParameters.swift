public import HandfastCrypto
internal import HandfastEncoding

/// What an issuer's key and a schema give everybody to compute with. Deriving it costs about 20 µs an attribute: keep it.
///
/// **Experimental.** The scheme, µBBS over ristretto255, has had less analysis than the rest of Handfast.
///
/// - Source: Spec/11 §11.4
public struct AnonymousParameters: Sendable {
    /// The issuer's public key, W.
    public let issuer: RistrettoPoint
    /// What the credentials say.
    public let schema: AnonymousSchema

    /// The scalar that binds everything above, and the generators, into each proof.
    public let domain: RistrettoScalar
    /// Q.
    let domainGenerator: RistrettoPoint
    /// H_0 to H_(n+1).
    let generators: [RistrettoPoint]
    /// P1 + domain · Q.
    let base: RistrettoPoint
    /// The sum of `base` and an epoch's part of B, for the epochs that a verifier prepared for.
    private var epochBases: [UInt64: RistrettoPoint] = [:]

    static let maximumEncodedCount = AnonymousSchema.maximumEncodedCount + 64
    private static let fixedPoint: RistrettoPoint = {
        var transcript = AnonymousTranscript()
        transcript.absorb("P1")
        return transcript.point(.anonymousGenerator)
    }()

    /// The parameters of an issuer's key and a schema.
    /// - Throws: ``AnonymousClaimError/identityPoint(_:)``
    public init(issuer: RistrettoPoint, schema: AnonymousSchema) throws(AnonymousClaimError) {
        guard !issuer.isIdentity else { throw .identityPoint("issuer's key") }
        var seed = AnonymousTranscript()
        seed.absorb(issuer)
        seed.absorb(schema.encoded())
        seed.absorb(UInt64(schema.valueCount))

        var transcript = seed
        transcript.absorb("Q")
        let domainGenerator = transcript.point(.anonymousGenerator)
        let generators = (0..<schema.valueCount + 2).map { index in
            var transcript = seed
            transcript.absorb("H")
            transcript.absorb(UInt64(index))
            return transcript.point(.anonymousGenerator)
        }
        transcript = seed
        transcript.absorb(domainGenerator)
        for generator in generators { transcript.absorb(generator) }
        let domain = transcript.scalar(.anonymousDomain)

        self.issuer = issuer
        self.schema = schema
        self.domain = domain
        self.domainGenerator = domainGenerator
        self.generators = generators
        base = Self.fixedPoint + domain * domainGenerator
    }

    /// The number of generators H: the values of a credential, the blinding factor and the holder's secret among them.
    var messageCount: Int { generators.count }

    /// The same parameters, with which verifying in the epoch of a time takes less: what the epoch adds is in them.
    /// - Parameter now: Seconds since 1970.
    public func prepared(at now: UInt64) -> AnonymousParameters {
        var prepared = self
        let epoch = schema.epoch(at: now)
        prepared.epochBases = [epoch: base(ofEpoch: epoch), epoch + 1: base(ofEpoch: epoch + 1)]
        return prepared
    }

    /// `base` + epoch · H_2.
    func base(ofEpoch epoch: UInt64) -> RistrettoPoint {
        if let known = epochBases[epoch] { return known }
        return base + AnonymousValue.integer(Int64(clamping: epoch)).scalar * generators[AnonymousSchema.epochIndex]
    }

    /// `B` of a credential, whose values are given in the order of their numbers, 2 first.
    func commitment(_ blinded: RistrettoPoint, values: [AnonymousValue]) -> RistrettoPoint {
        var sum = base + blinded
        for (value, generator) in zip(values, generators.dropFirst(AnonymousSchema.epochIndex)) {
            sum += value.scalar * generator
        }
        return sum
    }
}

extension AnonymousParameters: Hashable {
    /// Whether key and schema are the same, from which the rest follows.
    public static func == (left: AnonymousParameters, right: AnonymousParameters) -> Bool {
        left.issuer == right.issuer && left.schema == right.schema
    }

    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(issuer)
        hasher.combine(schema)
    }
}

// MARK: - Encoding

extension AnonymousParameters {
    /// Key and schema as CBOR: what an issuer publishes.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(issuer.bytes)
            writer.writeKey(2)
            writer.writeBytes(schema.encoded())
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives.
    /// - Throws: ``AnonymousClaimError``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("parameters", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 2)
            try map.requireKey(1, &reader)
            let issuer = try AnonymousClaimError.point(
                reader.readBytes(count: RistrettoPoint.count), named: "issuer's key")
            try map.requireKey(2, &reader)
            let schema = try AnonymousSchema(
                decoding: reader.readBytes(maximum: AnonymousSchema.maximumEncodedCount))
            try map.finish(&reader)
            return try AnonymousParameters(issuer: issuer, schema: schema)
        }
    }
}
