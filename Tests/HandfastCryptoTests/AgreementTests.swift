import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct AgreementTests {
    struct RFC7748: Decodable {
        struct Multiplication: Decodable {
            let section: String
            let scalar, coordinate, output: HexBytes
        }
        struct Iteration: Decodable {
            let start: HexBytes
            let after: [String: HexBytes]
        }
        struct Agreement: Decodable {
            let alicePrivate, alicePublic, bobPrivate, bobPublic, shared: HexBytes
        }
        let multiplications: [Multiplication]
        let iteration: Iteration
        let agreement: Agreement

        static func load() throws -> RFC7748 {
            try RepositoryFile.decode(from: "Interop/third-party/rfc/rfc7748.json")
        }
    }

    struct WycheproofTest: Decodable {
        let tcId: Int
        let `public`, `private`, shared: HexBytes
        let flags: [String]
    }

    private func multiply(_ scalar: [UInt8], _ coordinate: [UInt8]) throws(CryptoError) -> [UInt8] {
        try AgreementPrivateKey(copying: scalar.bytes).sharedSecret(with: AgreementPublicKey(coordinate.bytes)).array
    }

    @Test func agreesWithRFC7748() throws {
        let vectors = try RFC7748.load()
        for vector in vectors.multiplications {
            #expect(
                try multiply(vector.scalar.bytes, vector.coordinate.bytes) == vector.output.bytes, "\(vector.section)")
        }
        let agreement = vectors.agreement
        let alice = try AgreementPrivateKey(copying: agreement.alicePrivate.bytes.bytes)
        let bob = try AgreementPrivateKey(copying: agreement.bobPrivate.bytes.bytes)
        #expect(alice.publicKey.array == agreement.alicePublic.bytes)
        #expect(bob.publicKey.array == agreement.bobPublic.bytes)
        #expect(try alice.sharedSecret(with: bob.publicKey).array == agreement.shared.bytes)
        #expect(try bob.sharedSecret(with: alice.publicKey).array == agreement.shared.bytes)
    }

    @Test func agreesWithTheIterationOfRFC7748() throws {
        let iteration = try RFC7748.load().iteration
        var scalar = iteration.start.bytes
        var coordinate = iteration.start.bytes
        for round in 1...1_000 {
            (scalar, coordinate) = (try multiply(scalar, coordinate), scalar)
            if let expected = iteration.after["\(round)"] { #expect(scalar == expected.bytes, "\(round)") }
        }
    }

    @Test func agreesWithWycheproof() throws {
        for test in try Wycheproof<WycheproofGroup<WycheproofTest>>.load("x25519").flatMap(\.tests) {
            if test.flags.contains("ZeroSharedSecret") {
                #expect(throws: CryptoError.smallOrderResult, "\(test.tcId)") {
                    try multiply(test.private.bytes, test.public.bytes)
                }
            } else {
                #expect(try multiply(test.private.bytes, test.public.bytes) == test.shared.bytes, "\(test.tcId)")
            }
        }
    }

    @Test(arguments: UInt64(0)..<32)
    func bothSidesComeToTheSameSecret(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let one = AgreementPrivateKey.generate(using: &random)
        let other = AgreementPrivateKey.generate(using: &random)
        let secret = try one.sharedSecret(with: other.publicKey).array
        #expect(try other.sharedSecret(with: one.publicKey).array == secret)
        let restored = try AgreementPrivateKey(copying: one.bytes)
        #expect(restored.publicKey == one.publicKey)
        #expect(try restored.sharedSecret(with: other.publicKey).array == secret)
    }

    @Test func refusesOtherSizes() {
        for count in [0, 31, 33] {
            let bytes = [UInt8](repeating: 1, count: count)
            #expect(throws: CryptoError.wrongLength(of: "X25519 private key", expected: 32, actual: count)) {
                _ = try AgreementPrivateKey(copying: bytes.bytes)
            }
            #expect(throws: CryptoError.wrongLength(of: "X25519 public key", expected: 32, actual: count)) {
                _ = try AgreementPublicKey(bytes.bytes)
            }
        }
    }
}
