import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct TextTests {
    /// RFC 4648 §10, in lower case and without padding.
    @Test(arguments: [
        ("", "", "", ""), ("f", "my", "Zg", "66"), ("fo", "mzxq", "Zm8", "666f"), ("foo", "mzxw6", "Zm9v", "666f6f"),
        ("foob", "mzxw6yq", "Zm9vYg", "666f6f62"), ("fooba", "mzxw6ytb", "Zm9vYmE", "666f6f6261"),
        ("foobar", "mzxw6ytboi", "Zm9vYmFy", "666f6f626172"),
    ])
    func writesTheVectorsOfRFC4648(text: String, base32: String, base64: String, hex: String) throws {
        let bytes = Array(text.utf8)
        #expect(Base32.encode(bytes) == base32)
        #expect(try Base32.decode(base32) == bytes)
        #expect(Base64URL.encode(bytes) == base64)
        #expect(try Base64URL.decode(base64) == bytes)
        #expect(Hex.encode(bytes) == hex)
        #expect(try Hex.decode(hex) == bytes)
    }

    /// The examples of arXiv 0901.4016.
    @Test(arguments: [
        ("7f000001", "lusab-babad"), ("3f54dcc1", "gutih-tugad"), ("3f760723", "gutuk-bisog"),
        ("8c62c18d", "mudof-sakat"), ("40ff06c8", "haguz-biram"), ("801e342d", "mabiv-gibot"),
        ("93437702", "natag-lisaf"), ("d43afd44", "tibup-zujah"), ("d82344d7", "tobog-higil"),
        ("d844e815", "todah-vobij"), ("c6518188", "sinid-makam"), ("0c6e6ecc", "budov-kuras"), ("", ""),
    ])
    func writesThePublishedProquints(hex: String, words: String) throws {
        #expect(try Proquint.encode(Hex.decode(hex)) == words)
        #expect(try Hex.encode(Proquint.decode(words)) == hex)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func bytesComeBackAsTheyWere(seed: UInt64) throws {
        var generator = SeededEntropy(seed: seed)
        let bytes = generator.bytes(Int.random(in: 0...70, using: &generator))
        #expect(try Base32.decode(Base32.encode(bytes)) == bytes)
        #expect(try Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        #expect(try Hex.decode(Hex.encode(bytes)) == bytes)
        #expect(try Proquint.decode(Proquint.encode(bytes + bytes)) == bytes + bytes)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func acceptedTextIsTheOneThatIsWritten(seed: UInt64) throws {
        var generator = SeededEntropy(seed: seed)
        let alphabet = Array("abz27AZ_-09/+= 8fé")
        for _ in 0..<100 {
            let count = Int.random(in: 0...9, using: &generator)
            let text = String((0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
            if let bytes = try? Base32.decode(text) { #expect(Base32.encode(bytes) == text) }
            if let bytes = try? Base64URL.decode(text) { #expect(Base64URL.encode(bytes) == text) }
            if let bytes = try? Hex.decode(text) { #expect(Hex.encode(bytes) == text) }
        }
    }

    @Test(arguments: ["m", "mzx", "mzxw6y"])
    func refusesBase32OfNoWholeBytes(text: String) {
        #expect(throws: TextError.invalidLength(text.utf8.count)) { try Base32.decode(text) }
    }

    @Test func refusesEverySecondSpelling() {
        #expect(throws: TextError.invalidCharacter(at: 0)) { try Base32.decode("MY") }
        #expect(throws: TextError.invalidCharacter(at: 2)) { try Base32.decode("my======") }
        #expect(throws: TextError.invalidCharacter(at: 1)) { try Base32.decode("m1") }
        #expect(throws: TextError.nonZeroTrailingBits) { try Base32.decode("mz") }
        #expect(throws: TextError.nonZeroTrailingBits) { try Base64URL.decode("Zh") }
        #expect(throws: TextError.invalidCharacter(at: 2)) { try Base64URL.decode("Zg==") }
        #expect(throws: TextError.invalidCharacter(at: 0)) { try Base64URL.decode("+_8") }
        #expect(throws: TextError.invalidLength(5)) { try Base64URL.decode("Zm9vY") }
        #expect(throws: TextError.invalidCharacter(at: 0)) { try Hex.decode("FF") }
        #expect(throws: TextError.invalidLength(3)) { try Hex.decode("fff") }
    }

    @Test func refusesWhatIsNoProquint() {
        #expect(throws: TextError.invalidLength(4)) { try Proquint.decode("lusa") }
        #expect(throws: TextError.invalidLength(6)) { try Proquint.decode("lusab-") }
        #expect(throws: TextError.invalidCharacter(at: 5)) { try Proquint.decode("lusab babad") }
        #expect(throws: TextError.invalidCharacter(at: 1)) { try Proquint.decode("lesab") }
        #expect(throws: TextError.invalidCharacter(at: 0)) { try Proquint.decode("Lusab") }
        #expect(throws: TextError.invalidLength(1)) { try Proquint.encode([1]) }
    }
}
