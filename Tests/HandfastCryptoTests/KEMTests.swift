import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct KEMTests {
    struct DecapsulationTest: Decodable {
        let tcId: Int
        let seed, c: HexBytes
        let ek, K: HexBytes?
        let result: WycheproofResult
    }

    struct EncapsulationTest: Decodable {
        let tcId: Int
        let ek: HexBytes
        let result: WycheproofResult
    }

    @Test func decapsulatesAsWycheproof() throws {
        for test in try Wycheproof<WycheproofGroup<DecapsulationTest>>.load("mlkem_768").flatMap(\.tests) {
            let secret: [UInt8]?
            do {
                let key = try KEMPrivateKey(seed: SecretBytes(copying: test.seed.bytes.bytes))
                #expect(test.result == .invalid || key.publicKey.array == test.ek?.bytes, "\(test.tcId)")
                secret = try key.decapsulate(test.c.bytes.bytes).array
            } catch {
                secret = nil
            }
            #expect(secret == (test.result == .valid ? test.K?.bytes : nil), "\(test.tcId)")
        }
    }

    @Test func takesThePublicKeysThatWycheproofTakes() throws {
        var system = SystemEntropy()
        for test in try Wycheproof<WycheproofGroup<EncapsulationTest>>.load("mlkem_768_encaps").flatMap(\.tests) {
            if test.result == .valid {
                let key = try KEMPublicKey(test.ek.bytes.bytes)
                #expect(key.array == test.ek.bytes, "\(test.tcId)")
                #expect(try system.encapsulate(to: key).ciphertext.count == KEMPrivateKey.ciphertextCount)
            } else {
                #expect(throws: CryptoError.self, "\(test.tcId)") { try KEMPublicKey(test.ek.bytes.bytes) }
            }
        }
    }

    @Test(arguments: UInt64(0)..<16)
    func bothSidesComeToTheSameSecret(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = KEMPrivateKey.generate(using: &random)
        let encapsulation = try random.encapsulate(to: key.publicKey)
        #expect(encapsulation.sharedSecret.count == 32)
        let secret = encapsulation.sharedSecret.array
        #expect(try key.decapsulate(encapsulation.ciphertext.bytes).array == secret)

        let restored = try KEMPrivateKey(seed: SecretBytes(copying: key.seed))
        #expect(restored.publicKey == key.publicKey)
        #expect(try restored.decapsulate(encapsulation.ciphertext.bytes).array == secret)

        var forged = encapsulation.ciphertext
        forged[Int.random(in: 0..<forged.count, using: &random)] ^= 1
        #expect(try key.decapsulate(forged.bytes).array != secret)
    }

    @Test func refusesOtherSizes() {
        #expect(throws: CryptoError.wrongLength(of: "ML-KEM-768 seed", expected: 64, actual: 32)) {
            _ = try KEMPrivateKey(seed: SecretBytes(count: 32))
        }
        #expect(throws: CryptoError.wrongLength(of: "ML-KEM-768 public key", expected: 1_184, actual: 1_183)) {
            try KEMPublicKey([UInt8](repeating: 0, count: 1_183).bytes)
        }
        var random = SeededEntropy(seed: 1)
        let key = KEMPrivateKey.generate(using: &random)
        #expect(throws: CryptoError.wrongLength(of: "ML-KEM-768 ciphertext", expected: 1_088, actual: 1_089)) {
            _ = try key.decapsulate([UInt8](repeating: 0, count: 1_089).bytes)
        }
    }
}
