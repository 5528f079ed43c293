internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// What vectors of anonymous claims show of the way to a result, computed from the specification's formulas beside the
/// library's own computation.
///
/// - Source: Spec/11 §11.2, §11.4, §11.7
struct VectorAlgebra {
    let parameters: AnonymousParameters
    let fixed: RistrettoPoint
    let domainGenerator: RistrettoPoint
    let generators: [RistrettoPoint]
    let base: RistrettoPoint

    init(_ parameters: AnonymousParameters) throws {
        let count = parameters.schema.attributes.count + 1
        let seed = [parameters.issuer.array, parameters.schema.encoded(), Self.number(count)]
        self.parameters = parameters
        fixed = try Self.point("GENERATOR", [[UInt8]("P1".utf8)])
        domainGenerator = try Self.point("GENERATOR", seed + [[UInt8]("Q".utf8)])
        generators = try (0..<count + 2).map {
            try Self.point("GENERATOR", seed + [[UInt8]("H".utf8), Self.number($0)])
        }
        base = fixed + parameters.domain * domainGenerator
    }

    // MARK: Hashing

    static func list(_ items: [[UInt8]]) -> [UInt8] {
        items.flatMap { number($0.count) + $0 }
    }

    static func number(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static func point(_ label: String, _ items: [[UInt8]]) throws -> RistrettoPoint {
        try RistrettoPoint.mapping(uniform: uniform(label, items))
    }

    static func scalar(_ label: String, _ items: [[UInt8]]) throws -> RistrettoScalar {
        reduced(try uniform(label, items))
    }

    static func uniform(_ label: String, _ items: [[UInt8]]) throws -> [UInt8] {
        try MessageExpansion.expand(list(items), tag: [UInt8]("HANDFAST-V1-ANON-\(label)".utf8), count: 64)
    }

    static func reduced(_ uniform: [UInt8]) -> RistrettoScalar {
        SecretScalar(reducing: SecretBytes(copying: uniform.bytes)).published()
    }

    static func holderSecret(_ master: [UInt8]) throws -> RistrettoScalar {
        let info = [UInt8]("HANDFAST-V1-ANON-HOLDER".utf8)
        let wide = try HKDFSHA256.derive(
            inputKeyMaterial: master.bytes, salt: RawSpan(), info: info.bytes, count: 64)
        return SecretScalar(reducing: wide).published()
    }

    static func point(of input: VectorFields) throws -> RistrettoPoint {
        try point("PSEUDONYM", [[UInt8](try input.text("scope").utf8), try input.bytes("identity")])
    }

    // MARK: Structures

    /// The points and scalars of a structure, 32 bytes each, from the runs under its first two keys.
    static func parts(_ encoded: [UInt8], _ first: Int, _ second: Int) throws -> [[UInt8]] {
        var reader = CBORReader(encoded.bytes)
        var map = try reader.readIntegerMap()
        try map.requireKey(1, &reader)
        var run = try reader.readByteArray(maximum: first * 32)
        if second > 0 {
            try map.requireKey(2, &reader)
            run += try reader.readByteArray(maximum: second * 32)
        }
        return stride(from: 0, to: run.count, by: 32).map { Array(run[$0..<min($0 + 32, run.count)]) }
    }

    func total(_ commitment: RistrettoPoint, epoch: UInt64, values: [AnonymousValue]) throws -> RistrettoPoint {
        let messages = [AnonymousValue.integer(Int64(clamping: epoch))] + values
        return try zip(messages, generators.dropFirst(2)).reduce(base + commitment) { sum, entry in
            sum + (try Self.scalar("VALUE", [entry.0.encoded()])) * entry.1
        }
    }

    /// The values that a presentation shows.
    func shown(_ presentation: [UInt8]) throws -> [Int: AnonymousValue] {
        var reader = CBORReader(presentation.bytes)
        var map = try reader.readIntegerMap()
        try map.requireKey(1, &reader)
        try reader.skipItem()
        try map.requireKey(2, &reader)
        try reader.skipItem()
        try map.requireKey(3, &reader)
        var entries = try reader.readIntegerMap()
        var numbers: [Int: AnonymousValue] = [:]
        while let index = try entries.nextKey(&reader) {
            numbers[index] = try AnonymousValue.read(from: &reader)
        }
        return numbers
    }

    /// The points of a presentation and the commitments that its proof stands for.
    func fields(of presentation: [UInt8], _ input: VectorFields) throws -> VectorFields {
        let parts = try Self.parts(presentation, 4, 37)
        let points = try parts[..<4].map { try RistrettoPoint(FixedBytes(copying: $0)) }
        let scalars = try parts[4...].map { try RistrettoScalar(FixedBytes(copying: $0)) }
        let numbers = try shown(presentation)
        let (challenge, responses) = (scalars[0], scalars[4...])
        let known = try numbers.reduce(base) { sum, entry in
            sum + (try Self.scalar("VALUE", [entry.value.encoded()])) * generators[entry.key]
        }
        let hidden = generators.indices.filter { numbers[$0] == nil }
        let masked = zip(hidden, responses).reduce(challenge * known + scalars[3] * points[2]) {
            $0 + $1.1 * generators[$1.0]
        }
        let signature = challenge * points[1] + scalars[1] * points[0] + scalars[2] * points[2]
        let pseudonym = scalars[5] * (try Self.point(of: input)) - challenge * points[3]
        return [
            "hiddenSignature": .hex(points[0].array), "product": .hex(points[1].array),
            "randomised": .hex(points[2].array), "pseudonym": .hex(points[3].array),
            "signatureCommitment": .hex(signature.array), "messageCommitment": .hex(masked.array),
            "pseudonymCommitment": .hex(pseudonym.array),
        ]
    }
}

extension VectorFields {
    func scalar(_ name: String) throws -> RistrettoScalar {
        try RistrettoScalar(bytes(name))
    }

    /// Entropy that gives these scalars, and then those of a list.
    func scalars(_ names: String..., list: String? = nil) throws -> VectorEntropy {
        let all = try names.map { try bytes($0) } + (list.map { try byteList($0) } ?? [])
        return VectorEntropy(all.flatMap { $0 + [UInt8](repeating: 0, count: 32) })
    }

    func anonymousParameters() throws -> AnonymousParameters {
        let bytes = try bytes("parameters")
        return try AnonymousParameters(decoding: bytes.bytes)
    }

    func anonymousHolder() throws -> AnonymousHolderSecret {
        try AnonymousHolderSecret(master: secret("master"))
    }

    func anonymousKey() throws -> AnonymousIssuerKey {
        let bytes = try bytes("key")
        return try AnonymousIssuerKey(copying: bytes.bytes)
    }

    func anonymousValue(_ name: String) throws -> AnonymousValue {
        try Self.anonymousValue(bytes(name))
    }

    private static func anonymousValue(_ item: [UInt8]) throws -> AnonymousValue {
        try AnonymousValue(decoding: item.bytes)
    }

    func anonymousValues() throws -> [AnonymousValue] {
        try byteList("values").map { try Self.anonymousValue($0) }
    }

    func pseudonymScope() throws -> PseudonymScope {
        let identity = Digest(try bytes("identity"))
        return switch try text("scope") {
        case "relationship": .relationship(identity)
        case "vendor": .vendor(identity)
        default: throw VectorFault.kind("relationship or vendor").at(path + "scope")
        }
    }

    func presentationBinding() throws -> PresentationBinding {
        PresentationBinding(
            nonce: try bytes("nonce"), verifier: try digest("verifier"), relationship: try digest("relationship"))
    }

    func anonymousExpectation() throws -> AnonymousExpectation {
        let blocklist = self["blocklist"] == nil ? [] : try byteList("blocklist")
        return AnonymousExpectation(
            scope: try pseudonymScope(), binding: try presentationBinding(), now: try number("now"),
            blocklist: Set(try blocklist.map { try Pseudonym(FixedBytes(copying: $0)) }))
    }
}
