import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct RistrettoTests {
    struct Expansion: Decodable {
        struct Vector: Decodable {
            let message: String
            let count: Int
            let output: HexBytes
        }
        let tag: String
        let vectors: [Vector]
    }

    struct RFC9496: Decodable {
        struct Multiples: Decodable {
            let encodings: [HexBytes]
        }
        struct Invalid: Decodable {
            struct Entry: Decodable {
                let reason: String
                let encoding: HexBytes
            }
            let encodings: [Entry]
        }
        struct Derivations: Decodable {
            struct Vector: Decodable {
                let uniform, encoding: HexBytes
            }
            let vectors: [Vector]
        }
        let multiples: Multiples
        let invalid: Invalid
        let derivations: Derivations

        static func load() throws -> RFC9496 {
            try RepositoryFile.decode(from: "Interop/third-party/rfc/rfc9496.json")
        }
    }

    struct RFC9497: Decodable {
        struct Vector: Decodable {
            let input, blind, blindedElement, evaluationElement: HexBytes
        }
        let tag, privateKey: HexBytes
        let vectors: [Vector]
    }

    /// ℓ, little endian.
    static let order: HexBytes = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
    static let tag = RistrettoTag("TEST")

    @Test func expandsAsRFC9380() throws {
        let file: Expansion = try RepositoryFile.decode(from: "Interop/third-party/rfc/rfc9380.json")
        #expect(file.vectors.count == 10)
        for vector in file.vectors {
            let output = try MessageExpansion.expand(
                [UInt8](vector.message.utf8), tag: [UInt8](file.tag.utf8), count: vector.count)
            #expect(output == vector.output.bytes, "\(vector.message), \(vector.count)")
        }
    }

    @Test func refusesExpansionsOutsideTheBounds() {
        let tag = [UInt8]("tag".utf8)
        for count in [0, 16_321] {
            #expect(throws: CryptoError.self) { _ = try MessageExpansion.expand([], tag: tag, count: count) }
        }
        for count in [0, 256] {
            let tag = [UInt8](repeating: 1, count: count)
            #expect(throws: CryptoError.self) { _ = try MessageExpansion.expand([], tag: tag, count: 1) }
        }
        #expect((try? MessageExpansion.expand([], tag: tag, count: 16_320).count) == 16_320)
    }

    @Test func multipliesTheGeneratorAsRFC9496() throws {
        let encodings = try RFC9496.load().multiples.encodings
        var sum = RistrettoPoint.identity
        for (factor, encoding) in encodings.enumerated() {
            let scalar = RistrettoScalar(UInt64(factor))
            let point = try RistrettoPoint(encoding.bytes.bytes)
            #expect(RistrettoPoint.generatorMultiple(scalar) == point)
            #expect(RistrettoPoint.generatorMultiple(SecretScalar(scalar)) == point)
            #expect(scalar * RistrettoPoint.generator == point)
            #expect(SecretScalar(scalar) * RistrettoPoint.generator == point)
            #expect(sum == point)
            #expect(point.isIdentity == (factor == 0))
            sum += RistrettoPoint.generator
        }
    }

    @Test func refusesTheInvalidEncodingsOfRFC9496() throws {
        for entry in try RFC9496.load().invalid.encodings {
            let bytes = entry.encoding.bytes
            #expect(throws: CryptoError.notCanonical("ristretto255 point"), "\(entry.reason)") {
                _ = try RistrettoPoint(bytes.bytes)
            }
        }
        for count in [0, 31, 33] {
            let bytes = [UInt8](repeating: 0, count: count)
            #expect(throws: CryptoError.wrongLength(of: "ristretto255 point", expected: 32, actual: count)) {
                _ = try RistrettoPoint(bytes.bytes)
            }
        }
    }

    @Test func derivesPointsAsRFC9496() throws {
        for vector in try RFC9496.load().derivations.vectors {
            #expect(try RistrettoPoint.mapping(uniform: vector.uniform.bytes).array == vector.encoding.bytes)
        }
        #expect(throws: CryptoError.wrongLength(of: "uniform bytes", expected: 64, actual: 63)) {
            _ = try RistrettoPoint.mapping(uniform: [UInt8](repeating: 0, count: 63))
        }
    }

    @Test func blindsAndEvaluatesAsRFC9497() throws {
        let file: RFC9497 = try RepositoryFile.decode(from: "Interop/third-party/rfc/rfc9497.json")
        let key = try SecretScalar(copying: file.privateKey.bytes.bytes)
        for vector in file.vectors {
            let uniform = try MessageExpansion.expand(vector.input.bytes, tag: file.tag.bytes, count: 64)
            let point = try RistrettoPoint.mapping(uniform: uniform)
            let blind = try SecretScalar(copying: vector.blind.bytes.bytes)
            let blinded = blind * point
            #expect(blinded.array == vector.blindedElement.bytes)
            let evaluated = key * blinded
            #expect(evaluated.array == vector.evaluationElement.bytes)
            #expect(blind.inverse() * evaluated == key * point)
        }
    }

    @Test func refusesScalarsThatAreNotBelowTheOrder() throws {
        let order = Self.order.bytes
        var one = order
        one[0] += 1
        let all = [UInt8](repeating: 0xFF, count: 32)
        for bytes in [order, one, all] {
            #expect(throws: CryptoError.notCanonical("ristretto255 scalar")) { _ = try RistrettoScalar(bytes.bytes) }
            #expect(throws: CryptoError.notCanonical("ristretto255 scalar")) {
                _ = try SecretScalar(copying: bytes.bytes)
            }
        }
        var greatest = order
        greatest[0] -= 1
        #expect(try RistrettoScalar(greatest.bytes) + .one == .zero)
        let secret = try SecretScalar(copying: greatest.bytes)
        let sum = secret + RistrettoScalar.one
        #expect(sum.published() == .zero)
        let short = [UInt8](repeating: 0, count: 31)
        #expect(throws: CryptoError.wrongLength(of: "ristretto255 scalar", expected: 32, actual: 31)) {
            _ = try RistrettoScalar(short.bytes)
        }
        #expect(throws: CryptoError.wrongLength(of: "ristretto255 scalar", expected: 32, actual: 31)) {
            _ = try SecretScalar(copying: short.bytes)
        }
    }

    @Test(arguments: UInt64(0)..<16)
    func keepsTheLawsOfTheGroup(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let a = SecretScalar(random: &random)
        let b = SecretScalar(random: &random)
        let (publicA, publicB) = (a.published(), b.published())
        let point = RistrettoPoint.hash(random.bytes(20), tag: Self.tag)
        #expect((a + b) * point == a * point + b * point)
        #expect((a - b) * point == a * point - b * point)
        #expect((a * b) * point == a * (b * point))
        #expect(a.inverse() * (a * point) == point)
        #expect((a + b).published() == publicA + publicB)
        #expect((a - b).published() == publicA - publicB)
        #expect((a * b).published() == publicA * publicB)
        #expect((publicA * b).published() == publicA * publicB)
        #expect(a.inverse().published() == publicA.inverse())
        #expect(publicA * publicA.inverse() == .one)
        #expect(publicA * point == a * point)
        #expect(point + .identity == point)
        #expect((point - point).isIdentity)
        #expect((RistrettoScalar.zero * point).isIdentity)
        #expect((publicA * RistrettoPoint.identity).isIdentity)
        #expect(try SecretScalar(copying: a.bytes).published() == publicA)
    }

    @Test func hashesApartWhatIsTaggedApart() {
        let message = [UInt8]("message".utf8)
        let other = RistrettoTag("OTHER")
        #expect(RistrettoPoint.hash(message, tag: Self.tag) != RistrettoPoint.hash(message, tag: other))
        #expect(RistrettoScalar.hash(message, tag: Self.tag) != RistrettoScalar.hash(message, tag: other))
        #expect(Self.tag.bytes == [UInt8]("HANDFAST-V1-TEST".utf8))
    }
}
