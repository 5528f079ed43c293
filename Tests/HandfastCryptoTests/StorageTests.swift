import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct StorageTests {
    struct WycheproofTest: Decodable {
        let tcId: Int
        let key, iv, aad, msg, ct, tag: HexBytes
        let result: WycheproofResult
    }

    struct Argon2Vectors: Decodable {
        struct Vector: Decodable {
            let memory, passes: Int
            let passphrase, salt, key: HexBytes
        }
        let vectors: [Vector]
    }

    @Test func opensAsWycheproof() throws {
        for test in try Wycheproof<WycheproofGroup<WycheproofTest>>.load("xchacha20_poly1305").flatMap(\.tests) {
            // The nonce's size is not a parameter here: a longer or shorter one moves the border to the ciphertext.
            guard test.iv.bytes.count == 24 else { continue }
            let key = try StorageKey(copying: test.key.bytes.bytes)
            let sealed = test.iv.bytes + test.ct.bytes + test.tag.bytes
            let opened = try? key.open(sealed.bytes, authenticating: test.aad.bytes.bytes)
            #expect(opened == (test.result == .valid ? test.msg.bytes : nil), "\(test.tcId)")
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func opensWhatItSealedAndNothingElse(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = try StorageKey.generate(using: &random)
        let plaintext = random.bytes(Int.random(in: 0...20, using: &random))
        let aad = random.bytes(Int.random(in: 1...10, using: &random))
        let sealed = key.seal(plaintext.bytes, authenticating: aad.bytes, using: &random)
        #expect(sealed.count == plaintext.count + StorageKey.overhead)
        #expect(try key.open(sealed.bytes, authenticating: aad.bytes) == plaintext)
        #expect(try StorageKey(copying: key.bytes).open(sealed.bytes, authenticating: aad.bytes) == plaintext)
        #expect(key.seal(plaintext.bytes, authenticating: aad.bytes, using: &random) != sealed)

        for flipped in sealed.singleBitFlips {
            #expect(throws: CryptoError.authenticationFailed) { try key.open(flipped.bytes, authenticating: aad.bytes) }
        }
        for flipped in aad.singleBitFlips {
            #expect(throws: CryptoError.authenticationFailed) {
                try key.open(sealed.bytes, authenticating: flipped.bytes)
            }
        }
        for count in 0..<StorageKey.overhead {
            let cut = Array(sealed.prefix(count))
            #expect(throws: CryptoError.authenticationFailed) { try key.open(cut.bytes, authenticating: aad.bytes) }
        }
    }

    @Test(arguments: [0, 1, 64, 1_050, 2_240, 2_241, 70_000])
    func sealerOfManyMakesWhatTheKeyOpens(count: Int) throws {
        var random = SeededEntropy(seed: 3)
        let key = try StorageKey.generate(using: &random)
        let plaintext = random.bytes(count)
        let aad = [UInt8]("table, row".utf8)
        var sealer = key.sealer(using: &random)
        var nonces: Set<[UInt8]> = []
        for _ in 0..<3 {
            var value =
                [UInt8](repeating: 1, count: StorageSealer.prefixCount) + plaintext
                + [UInt8](repeating: 1, count: StorageSealer.tagCount)
            try Self.seal(&value, by: &sealer, authenticating: aad)
            #expect(value.count == count + StorageKey.overhead)
            let opened = try key.open(value.bytes, authenticating: aad.bytes)
            #expect(opened == plaintext)
            nonces.insert(Array(value.prefix(StorageSealer.prefixCount)))
        }
        #expect(nonces.count == 3)
        #expect(Set(nonces.map { Array($0[..<16]) }).count == 1)
        let counts = (0..<3).map { (count: UInt8) in [count] + [UInt8](repeating: 0, count: 7) }
        #expect(Set(nonces.map { Array($0[16...]) }) == Set(counts))
    }

    @Test func sealerRefusesABufferWithoutRoom() throws {
        var random = SeededEntropy(seed: 4)
        let key = try StorageKey.generate(using: &random)
        var sealer = key.sealer(using: &random)
        var short = [UInt8](repeating: 0, count: StorageKey.overhead - 1)
        do {
            try Self.seal(&short, by: &sealer, authenticating: [])
            Issue.record("it was sealed")
        } catch {
            #expect(error == .wrongLength(of: "buffer of sealing", expected: 40, actual: 39))
        }
    }

    private static func seal(
        _ value: inout [UInt8], by sealer: inout StorageSealer, authenticating associatedData: [UInt8]
    ) throws(CryptoError) {
        var buffer = value.mutableBytes
        try sealer.sealInPlace(&buffer, authenticating: associatedData.bytes)
    }

    @Test func derivesTheKeysOfTheReferenceArgon2id() throws {
        for vector in try RepositoryFile.decode(
            Argon2Vectors.self, from: "Interop/third-party/argon2/argon2id.json"
        ).vectors {
            let parameters = try PassphraseParameters(
                memory: vector.memory, passes: vector.passes, salt: FixedBytes(copying: vector.salt.bytes))
            let key = try parameters.deriveKey(from: vector.passphrase.bytes.bytes)
            #expect([UInt8](key.bytes) == vector.key.bytes, "\(vector.memory) \(vector.passes)")
        }
    }

    @Test func refusesParametersThatAreTooWeakOrTooDear() {
        for memory in [0, 8 << 20, (64 << 20) - 1, (1 << 30) + 1, Int.max] {
            #expect(throws: CryptoError.self, "\(memory)") {
                try PassphraseParameters(memory: memory, passes: 3, salt: .zero)
            }
        }
        for passes in [-1, 0, 17, Int.max] {
            #expect(throws: CryptoError.self, "\(passes)") {
                try PassphraseParameters(memory: 64 << 20, passes: passes, salt: .zero)
            }
        }
    }

    @Test func presetsKeepTheirBoundsAndDrawTheirSalts() throws {
        var random = SeededEntropy(seed: 9)
        let presets = [
            PassphraseParameters.vault(using: &random), .vault(using: &random), .interactive(using: &random),
        ]
        #expect(Set(presets.map(\.salt)).count == 3)
        for preset in presets {
            #expect(
                try PassphraseParameters(memory: preset.memory, passes: preset.passes, salt: preset.salt) == preset)
        }
        #expect(presets[0].memory == 256 << 20)
        #expect(presets[0].passes == 3)
    }

    @Test func refusesOtherSizes() {
        #expect(throws: CryptoError.wrongLength(of: "storage key", expected: 32, actual: 16)) {
            _ = try StorageKey(copying: [UInt8](repeating: 0, count: 16).bytes)
        }
    }
}
