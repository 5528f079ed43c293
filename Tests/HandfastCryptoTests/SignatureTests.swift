import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct SignatureTests {
    struct RFC8032: Decodable {
        struct Vector: Decodable {
            let section: String
            let seed, publicKey, message, signature: HexBytes
        }
        let signatures: [Vector]
    }

    struct WycheproofEdDSA: Decodable {
        struct PublicKey: Decodable {
            let pk: HexBytes
        }
        struct Test: Decodable {
            let tcId: Int
            let msg, sig: HexBytes
            let result: WycheproofResult
        }
        let publicKey: PublicKey
        let tests: [Test]
    }

    struct EdgeCase: Decodable {
        let number: Int
        let key, sig: HexBytes
        let msg: String
        let flags: [String]?
    }

    private func accepts(_ signature: [UInt8], of message: [UInt8], by key: [UInt8]) -> Bool {
        do {
            try VerificationKey(key.bytes).verify(signature.bytes, of: message.bytes)
            return true
        } catch {
            return false
        }
    }

    @Test func agreesWithRFC8032() throws {
        for vector in try RepositoryFile.decode(RFC8032.self, from: "Interop/third-party/rfc/rfc8032.json").signatures {
            let key = try SigningKey(seed: SecretBytes(copying: vector.seed.bytes.bytes))
            #expect(key.publicKey.array == vector.publicKey.bytes, "\(vector.section)")
            #expect([UInt8](key.seed) == vector.seed.bytes, "\(vector.section)")
            #expect(
                key.signature(for: vector.message.bytes.bytes).array == vector.signature.bytes, "\(vector.section)")
            #expect(
                accepts(vector.signature.bytes, of: vector.message.bytes, by: vector.publicKey.bytes),
                "\(vector.section)")
        }
    }

    @Test func agreesWithWycheproof() throws {
        for group in try Wycheproof<WycheproofEdDSA>.load("ed25519") {
            for test in group.tests {
                #expect(
                    accepts(test.sig.bytes, of: test.msg.bytes, by: group.publicKey.pk.bytes)
                        == (test.result == .valid), "\(test.tcId)")
            }
        }
    }

    // Accepted is what a strict verifier without the cofactor accepts: points of large order in canonical form, whose
    // small-order parts, if any, cancel out.
    @Test func decidesTheEdgeCasesAsAStrictVerifier() throws {
        let refused: Set = [
            "low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue", "reencoded_k",
        ]
        for test in try RepositoryFile.decode(
            [EdgeCase].self, from: "Interop/third-party/cctv/ed25519vectors.json")
        {
            let isExpected = refused.isDisjoint(with: test.flags ?? [])
            #expect(
                accepts(test.sig.bytes, of: [UInt8](test.msg.utf8), by: test.key.bytes) == isExpected,
                "\(test.number) \(test.flags ?? [])")
        }
    }

    // All encodings of the points of order 1, 2, 4 and 8, canonical or not.
    @Test(
        arguments: [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ] as [HexBytes])
    func refusesKeysOfSmallOrder(_ key: HexBytes) {
        #expect(throws: CryptoError.invalidKey("Ed25519 public key")) { try VerificationKey(key.bytes.bytes) }
    }

    @Test(arguments: UInt8(0xed)...0xff)
    func refusesKeysThatAreNotReduced(lowest: UInt8) {
        for highest: UInt8 in [0x7f, 0xff] {
            let key = [lowest] + [UInt8](repeating: 0xff, count: 30) + [highest]
            #expect(throws: CryptoError.invalidKey("Ed25519 public key")) { try VerificationKey(key.bytes) }
        }
    }

    @Test func refusesOtherSizes() throws {
        #expect(throws: CryptoError.wrongLength(of: "Ed25519 seed", expected: 32, actual: 33)) {
            _ = try SigningKey(seed: SecretBytes(count: 33))
        }
        #expect(throws: CryptoError.wrongLength(of: "Ed25519 public key", expected: 32, actual: 0)) {
            try VerificationKey(RawSpan())
        }
        var random = SeededEntropy(seed: 1)
        let key = SigningKey.generate(using: &random)
        for count in [0, 63, 65] {
            #expect(throws: CryptoError.wrongLength(of: "Ed25519 signature", expected: 64, actual: count)) {
                try key.publicKey.verify([UInt8](repeating: 0, count: count).bytes, of: RawSpan())
            }
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func refusesEverySingleBitFlip(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = SigningKey.generate(using: &random)
        let message = random.bytes(Int.random(in: 1...40, using: &random))
        let signature = key.signature(for: message.bytes).array
        let publicKey = key.publicKey.array

        #expect(accepts(signature, of: message, by: publicKey))
        for flipped in signature.singleBitFlips { #expect(!accepts(flipped, of: message, by: publicKey)) }
        for flipped in message.singleBitFlips { #expect(!accepts(signature, of: flipped, by: publicKey)) }
        for flipped in publicKey.singleBitFlips { #expect(!accepts(signature, of: message, by: flipped)) }
    }
}
