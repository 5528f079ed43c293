import Crypto
import Foundation
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct HPKETests {
    struct XWingVector: Decodable {
        let seed, sk, pk, ct, ss: HexBytes
    }

    struct DraftVector: Decodable {
        struct Encryption: Decodable {
            let aad, ct, pt: HexBytes
        }
        struct Export: Decodable {
            let exporter_context: HexBytes
            let L: Int
            let exported_value: HexBytes
        }
        let mode, kem_id, kdf_id, aead_id: Int
        let info, skRm, pkRm, enc: HexBytes
        let encryptions: [Encryption]
        let exports: [Export]
    }

    struct RFC9180: Decodable {
        struct Base: Decodable {
            struct Encryption: Decodable {
                let sequence: Int
                let plaintext, aad, ciphertext: HexBytes
            }
            struct Export: Decodable {
                let context, value: HexBytes
                let count: Int
            }
            let info, privateKey, encapsulation: HexBytes
            let encryptions: [Encryption]
            let exports: [Export]
        }
        let base: Base
    }

    private func bytes(of secret: SymmetricKey) -> [UInt8] {
        unsafe secret.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    @Test func opensTheVectorsOfTheSuite() throws {
        let vectors = try RepositoryFile.decode(
            [DraftVector].self, from: "Interop/third-party/hpke-pq/test-vectors.json"
        )
        .filter { $0.mode == 0 && $0.kem_id == 0x647a && $0.kdf_id == 1 && $0.aead_id == 3 }
        #expect(vectors.count == 1)
        for vector in vectors {
            let key = try SealingPrivateKey(seed: SecretBytes(copying: vector.skRm.bytes.bytes))
            #expect(key.publicKey.array == vector.pkRm.bytes)
            var recipient = try key.recipient(
                encapsulation: vector.enc.bytes.bytes, info: vector.info.bytes.bytes)
            for encryption in vector.encryptions {
                #expect(
                    try recipient.open(encryption.ct.bytes.bytes, authenticating: encryption.aad.bytes.bytes)
                        == encryption.pt.bytes)
            }
            for export in vector.exports {
                #expect(
                    try recipient.export(context: export.exporter_context.bytes.bytes, count: export.L).array
                        == export.exported_value.bytes)
            }
        }
    }

    // X-Wing itself is not part of the module's face: its provider is held to the vectors.
    @Test func agreesWithXWing() throws {
        for vector in try RepositoryFile.decode(
            [XWingVector].self, from: "Interop/third-party/xwing/test-vectors.json")
        {
            let key = try SealingPrivateKey(seed: SecretBytes(copying: vector.sk.bytes.bytes))
            #expect(key.publicKey.array == vector.pk.bytes)
            let provider = try XWingMLKEM768X25519.PrivateKey(seedRepresentation: vector.seed.bytes, publicKey: nil)
            let secret = try provider.decapsulate(Data(vector.ct.bytes))
            #expect(bytes(of: secret) == vector.ss.bytes)
        }
    }

    // The RFC knows no X-Wing: the provider's key schedule, exporter and sequence are held to the nearest suite.
    @Test func providerAgreesWithRFC9180() throws {
        let vector = try RepositoryFile.decode(RFC9180.self, from: "Interop/third-party/rfc/rfc9180.json").base
        var recipient = try HPKE.Recipient(
            privateKey: Curve25519.KeyAgreement.PrivateKey(rawRepresentation: vector.privateKey.bytes),
            ciphersuite: .Curve25519_SHA256_ChachaPoly, info: Data(vector.info.bytes),
            encapsulatedKey: Data(vector.encapsulation.bytes))
        for encryption in vector.encryptions where encryption.sequence < 3 {
            #expect(
                try recipient.open(encryption.ciphertext.bytes, authenticating: encryption.aad.bytes)
                    == Data(encryption.plaintext.bytes))
        }
        for export in vector.exports {
            let secret = try recipient.exportSecret(context: export.context.bytes, outputByteCount: export.count)
            #expect(bytes(of: secret) == export.value.bytes)
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func opensWhatItSealed(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = SealingPrivateKey.generate(using: &random)
        let info = random.bytes(Int.random(in: 0...100, using: &random))
        var sender = try random.sender(to: SealingPublicKey(key.publicKey.bytes), info: info.bytes)
        #expect(sender.encapsulation.count == HPKESender.encapsulationCount)
        let restored = try SealingPrivateKey(seed: SecretBytes(copying: key.seed))
        var recipient = try restored.recipient(encapsulation: sender.encapsulation.bytes, info: info.bytes)
        for _ in 0..<4 {
            let plaintext = random.bytes(Int.random(in: 0...300, using: &random))
            let aad = random.bytes(Int.random(in: 0...30, using: &random))
            let sealed = try sender.seal(plaintext.bytes, authenticating: aad.bytes)
            #expect(sealed.count == plaintext.count + 16)
            #expect(try recipient.open(sealed.bytes, authenticating: aad.bytes) == plaintext)
        }
        let context = random.bytes(10)
        #expect(
            try sender.export(context: context.bytes, count: 48).array
                == recipient.export(context: context.bytes, count: 48).array)
    }

    @Test func staysInPlaceWhenAMessageIsForged() throws {
        var random = SeededEntropy(seed: 3)
        let key = SealingPrivateKey.generate(using: &random)
        var sender = try random.sender(to: key.publicKey, info: RawSpan())
        let first = try sender.seal([1].bytes, authenticating: RawSpan())
        let second = try sender.seal([2].bytes, authenticating: RawSpan())
        var recipient = try key.recipient(encapsulation: sender.encapsulation.bytes, info: RawSpan())
        for forged in first.singleBitFlips + [second, [], [0]] {
            do {
                _ = try recipient.open(forged.bytes, authenticating: RawSpan())
                Issue.record("A forged message was opened")
            } catch {
                #expect(error == .authenticationFailed)
            }
        }
        #expect(try recipient.open(first.bytes, authenticating: RawSpan()) == [1])
        #expect(try recipient.open(second.bytes, authenticating: RawSpan()) == [2])
    }

    @Test func refusesAnotherEncapsulationKeyOrInfo() throws {
        var random = SeededEntropy(seed: 4)
        let key = SealingPrivateKey.generate(using: &random)
        let other = SealingPrivateKey.generate(using: &random)
        var sender = try random.sender(to: key.publicKey, info: [7].bytes)
        let sealed = try sender.seal([1, 2, 3].bytes, authenticating: RawSpan())

        func opens(_ encapsulation: [UInt8], _ key: borrowing SealingPrivateKey, _ info: [UInt8]) -> Bool {
            do {
                var recipient = try key.recipient(encapsulation: encapsulation.bytes, info: info.bytes)
                _ = try recipient.open(sealed.bytes, authenticating: RawSpan())
                return true
            } catch {
                return false
            }
        }
        #expect(opens(sender.encapsulation, key, [7]) == true)
        #expect(opens(sender.encapsulation, other, [7]) == false)
        #expect(opens(sender.encapsulation, key, [8]) == false)
        // One bit in each stretch of the ML-KEM ciphertext, all of the X25519 key but its unused top bit.
        let count = sender.encapsulation.count
        for index in Array(stride(from: 0, to: count - 32, by: 16)) + Array(count - 32..<count) {
            var flipped = sender.encapsulation
            flipped[index] ^= 1 << UInt8.random(in: 0..<7, using: &random)
            #expect(opens(flipped, key, [7]) == false, "\(index)")
        }
    }

    @Test func refusesOtherSizesAndKeysThatAreNotReduced() throws {
        var random = SeededEntropy(seed: 5)
        let key = SealingPrivateKey.generate(using: &random)
        #expect(throws: CryptoError.wrongLength(of: "X-Wing seed", expected: 32, actual: 64)) {
            _ = try SealingPrivateKey(seed: SecretBytes(count: 64))
        }
        #expect(throws: CryptoError.wrongLength(of: "X-Wing encapsulation", expected: 1_120, actual: 1_119)) {
            _ = try key.recipient(encapsulation: [UInt8](repeating: 0, count: 1_119).bytes, info: RawSpan())
        }
        #expect(throws: CryptoError.wrongLength(of: "X-Wing public key", expected: 1_216, actual: 1_184)) {
            try SealingPublicKey([UInt8](repeating: 0, count: 1_184).bytes)
        }
        var unreduced = key.publicKey.array
        unreduced[0] = 0xff
        unreduced[1] |= 0x0f
        #expect(throws: CryptoError.invalidKey("X-Wing public key")) { try SealingPublicKey(unreduced.bytes) }
        let sender = try random.sender(to: key.publicKey, info: RawSpan())
        for count in [0, 8_161] {
            #expect(
                throws: CryptoError.outOfRange(of: "HPKE export in bytes", permitted: 1...8_160, actual: count)
            ) {
                _ = try sender.export(context: RawSpan(), count: count)
            }
        }
    }
}
