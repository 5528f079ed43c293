import Crypto
import Foundation
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct AEADTests {
    struct RFC8439: Decodable {
        struct AEAD: Decodable {
            let section: String
            let key, nonce, aad, plaintext, ciphertext, tag: HexBytes
        }
        let aead: [AEAD]
    }

    struct WycheproofTest: Decodable {
        let tcId: Int
        let key, iv, aad, msg, ct, tag: HexBytes
        let result: WycheproofResult
    }

    @Test func agreesWithRFC8439() throws {
        for vector in try RepositoryFile.decode(RFC8439.self, from: "Interop/third-party/rfc/rfc8439.json").aead {
            let sealed = vector.ciphertext.bytes + vector.tag.bytes
            let key = vector.key.bytes
            let nonce = vector.nonce.bytes
            let aad = vector.aad.bytes
            #expect(
                try ChaCha20Poly1305.seal(vector.plaintext.bytes, key: key, nonce: nonce, authenticating: aad)
                    == sealed, "\(vector.section)")
            #expect(
                try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, authenticating: aad)
                    == vector.plaintext.bytes, "\(vector.section)")
        }
    }

    @Test func agreesWithWycheproof() throws {
        for test in try Wycheproof<WycheproofGroup<WycheproofTest>>.load("chacha20_poly1305").flatMap(\.tests) {
            let opened = try? ChaCha20Poly1305.open(
                test.ct.bytes + test.tag.bytes, key: test.key.bytes, nonce: test.iv.bytes,
                authenticating: test.aad.bytes)
            let sealed = try? ChaCha20Poly1305.seal(
                test.msg.bytes, key: test.key.bytes, nonce: test.iv.bytes, authenticating: test.aad.bytes)
            if test.result == .valid {
                #expect(opened == test.msg.bytes, "\(test.tcId)")
                #expect(sealed == test.ct.bytes + test.tag.bytes, "\(test.tcId)")
            } else {
                #expect(opened == nil, "\(test.tcId)")
                #expect(sealed != test.ct.bytes + test.tag.bytes, "\(test.tcId)")
            }
        }
    }

    /// Sizes around those at which blocks are made in other groups, or the whole in another way.
    @Test(arguments: [0...130, 190...260, 440...450, 700...705, 955...965, 1_020...1_060, 2_235...2_245])
    func agreesWithASecondImplementationAtEverySize(_ sizes: ClosedRange<Int>) throws {
        var random = SeededEntropy(seed: UInt64(sizes.lowerBound))
        for size in sizes {
            let (key, nonce, plaintext) = (random.bytes(32), random.bytes(12), random.bytes(size))
            let aad = random.bytes([0, 1, 15, 16, 17, 62][size % 6])
            var sealed = try ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce, authenticating: aad)
            let other = try ChaChaPoly.seal(
                plaintext, using: SymmetricKey(data: key), nonce: ChaChaPoly.Nonce(data: nonce), authenticating: aad)
            #expect(sealed == [UInt8](other.ciphertext + other.tag), "\(size) bytes")
            #expect(
                try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, authenticating: aad) == plaintext,
                "\(size) bytes")
            sealed[Int.random(in: sealed.indices, using: &random)] ^= 1
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, authenticating: aad)
            }
        }
    }

    @Test(arguments: UInt64(0)..<32)
    func opensWhatItSealedInEveryVariant(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = random.bytes(32)
        let nonce = random.bytes(12)
        let plaintext = random.bytes(Int.random(in: 0...2_000, using: &random))
        let aad = random.bytes(Int.random(in: 0...200, using: &random))

        let sealed = try ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce, authenticating: aad)
        #expect(try ChaCha20Poly1305.sealInPlace(plaintext, key: key, nonce: nonce, authenticating: aad) == sealed)
        #expect(try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, authenticating: aad) == plaintext)
        #expect(try ChaCha20Poly1305.openInPlace(sealed, key: key, nonce: nonce, authenticating: aad) == plaintext)
    }

    @Test(arguments: UInt64(0)..<4)
    func refusesEverySingleBitFlip(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = random.bytes(32)
        let nonce = random.bytes(12)
        let plaintext = random.bytes(Int.random(in: 0...40, using: &random))
        let aad = random.bytes(Int.random(in: 1...20, using: &random))
        let sealed = try ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce, authenticating: aad)

        for flipped in sealed.singleBitFlips {
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.open(flipped, key: key, nonce: nonce, authenticating: aad)
            }
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.openInPlace(flipped, key: key, nonce: nonce, authenticating: aad)
            }
        }
        for flipped in nonce.singleBitFlips {
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.open(sealed, key: key, nonce: flipped, authenticating: aad)
            }
        }
        for flipped in aad.singleBitFlips {
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, authenticating: flipped)
            }
        }
        for flipped in key.singleBitFlips {
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.open(sealed, key: flipped, nonce: nonce, authenticating: aad)
            }
        }
    }

    @Test func refusesCiphertextsShorterThanATag() {
        for count in 0..<16 {
            let ciphertext = [UInt8](repeating: 0, count: count)
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.open(
                    ciphertext, key: [UInt8](repeating: 1, count: 32), nonce: [UInt8](repeating: 2, count: 12),
                    authenticating: [])
            }
            #expect(throws: CryptoError.authenticationFailed) {
                try ChaCha20Poly1305.openInPlace(
                    ciphertext, key: [UInt8](repeating: 1, count: 32), nonce: [UInt8](repeating: 2, count: 12),
                    authenticating: [])
            }
        }
    }

    @Test func leavesNoPlaintextBehindAFailure() throws {
        let key = try AEADKey(copying: [UInt8](repeating: 7, count: 32).bytes)
        let plaintext = [UInt8](repeating: 0x55, count: 100)
        var sealed = [UInt8](repeating: 0, count: 116)
        var sealedSpan = sealed.mutableBytes
        try ChaCha20Poly1305.seal(
            plaintext.bytes, key: key, nonce: .zero, authenticating: RawSpan(), into: &sealedSpan)
        sealed[115] ^= 1

        var output = [UInt8](repeating: 0xee, count: 100)
        var outputSpan = output.mutableBytes
        do {
            try ChaCha20Poly1305.open(
                sealed.bytes, key: key, nonce: .zero, authenticating: RawSpan(), into: &outputSpan)
            Issue.record("A changed tag was accepted")
        } catch {
            #expect(error == .authenticationFailed)
        }
        #expect(output == [UInt8](repeating: 0, count: 100))

        var buffer = sealed
        var bufferSpan = buffer.mutableBytes
        do {
            try ChaCha20Poly1305.openInPlace(&bufferSpan, key: key, nonce: .zero, authenticating: RawSpan())
            Issue.record("A changed tag was accepted")
        } catch {
            #expect(error == .authenticationFailed)
        }
        #expect(Array(buffer.prefix(100)) == [UInt8](repeating: 0, count: 100))
    }

    @Test func namesTheSizeThatIsWrong() throws {
        #expect(throws: CryptoError.wrongLength(of: "AEAD key", expected: 32, actual: 31)) {
            _ = try AEADKey(copying: [UInt8](repeating: 0, count: 31).bytes)
        }
        let key = AEADKey()
        var output = [UInt8](repeating: 0, count: 20)
        var span = output.mutableBytes
        do {
            try ChaCha20Poly1305.seal(
                [1, 2, 3].bytes, key: key, nonce: .zero, authenticating: RawSpan(), into: &span)
            Issue.record("An output of another size was accepted")
        } catch {
            #expect(error == .wrongLength(of: "output of sealing", expected: 19, actual: 20))
        }
        do {
            try ChaCha20Poly1305.open(
                [UInt8](repeating: 0, count: 30).bytes, key: key, nonce: .zero, authenticating: RawSpan(), into: &span)
            Issue.record("An output of another size was accepted")
        } catch {
            #expect(error == .wrongLength(of: "output of opening", expected: 14, actual: 20))
        }
    }
}
