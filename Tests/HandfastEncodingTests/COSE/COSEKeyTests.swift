import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct COSEKeyTests {
    private let verification: VerificationKey
    private let agreement: AgreementPublicKey
    private let kem: KEMPublicKey
    private let sealing: SealingPublicKey

    init() throws {
        var generator = SeededEntropy(seed: 1)
        verification = SigningKey.generate(using: &generator).publicKey
        agreement = AgreementPrivateKey.generate(using: &generator).publicKey
        kem = KEMPrivateKey.generate(using: &generator).publicKey
        sealing = SealingPrivateKey.generate(using: &generator).publicKey
    }

    private static func decoded<Key: COSEKey>(_ type: Key.Type, _ hex: String) throws -> Key {
        let coseKey = try bytes(hex)
        return try Key(coseKey: coseKey.bytes)
    }

    @Test func writesTheRegisteredForms() {
        #expect(Hex.encode(verification.coseKey) == "a3" + "0101" + "2006" + "215820" + Hex.encode(verification.array))
        #expect(Hex.encode(agreement.coseKey) == "a3" + "0101" + "2004" + "215820" + Hex.encode(agreement.array))
        #expect(Hex.encode(kem.coseKey) == "a3" + "0107" + "033a00011170" + "205904a0" + Hex.encode(kem.array))
        #expect(Hex.encode(sealing.coseKey) == "a3" + "0107" + "033a00011171" + "205904c0" + Hex.encode(sealing.array))
        #expect(
            [verification.coseKey, agreement.coseKey, kem.coseKey, sealing.coseKey].map(\.count) == [
                40, 40, 1197, 1229,
            ])
    }

    @Test func keysComeBackAsTheyWere() throws {
        #expect(try VerificationKey(coseKey: verification.coseKey.bytes) == verification)
        #expect(try AgreementPublicKey(coseKey: agreement.coseKey.bytes) == agreement)
        #expect(try KEMPublicKey(coseKey: kem.coseKey.bytes) == kem)
        #expect(try SealingPublicKey(coseKey: sealing.coseKey.bytes) == sealing)
    }

    @Test func refusesAKeyOfAnotherType() {
        #expect(throws: COSEError.wrongCurve(expected: 6, actual: 4)) {
            try VerificationKey(coseKey: agreement.coseKey.bytes)
        }
        #expect(throws: COSEError.wrongCurve(expected: 4, actual: 6)) {
            try AgreementPublicKey(coseKey: verification.coseKey.bytes)
        }
        #expect(throws: COSEError.wrongKeyType(expected: 1, actual: 7)) {
            try VerificationKey(coseKey: kem.coseKey.bytes)
        }
        #expect(throws: COSEError.wrongKeyType(expected: 7, actual: 1)) {
            try SealingPublicKey(coseKey: agreement.coseKey.bytes)
        }
        #expect(throws: COSEError.wrongAlgorithm(expected: -70_001, actual: -70_002)) {
            try KEMPublicKey(coseKey: sealing.coseKey.bytes)
        }
        #expect(throws: COSEError.wrongAlgorithm(expected: -70_002, actual: -70_001)) {
            try SealingPublicKey(coseKey: kem.coseKey.bytes)
        }
    }

    @Test func refusesBytesThatAreNoKey() throws {
        let zeros = String(repeating: "00", count: 32)
        #expect(throws: COSEError.invalidKey(.invalidKey("Ed25519 public key"))) {
            try Self.decoded(VerificationKey.self, "a301012006215820" + zeros)
        }
        #expect(throws: COSEError.invalidKey(.wrongLength(of: "X25519 public key", expected: 32, actual: 1))) {
            try Self.decoded(AgreementPublicKey.self, "a3010120042141 00")
        }
        #expect(throws: COSEError.self) { try Self.decoded(KEMPublicKey.self, "a3 0107 033a00011170 2040") }
    }

    @Test(arguments: [
        ("a0", CBORError.missingKey(1, at: 1)), ("a1 0101", .missingKey(-1, at: 3)),
        ("a2 0101 2006", .missingKey(-2, at: 5)), ("a3 0101 0327 2006", .unknownKey(3, at: 3)),
        ("a4 0101 2006 2140 2340", .unknownKey(-4, at: 7)),
        ("a1 01634f4b50", .wrongType(expected: .integer, actual: .text, at: 2)),
        ("a3 0101 2006 21f6", .wrongType(expected: .bytes, actual: .null, at: 6)),
    ])
    func refusesOtherMaps(hex: String, error: CBORError) {
        #expect(throws: COSEError.cbor(error)) { try Self.decoded(VerificationKey.self, hex) }
    }

    @Test func refusesBytesAfterTheKey() {
        #expect(throws: COSEError.cbor(.trailingBytes(at: 40))) {
            try VerificationKey(coseKey: (verification.coseKey + [0]).bytes)
        }
    }

    @Test func readsKeysWithinOtherStructures() throws {
        var writer = CBORWriter()
        writer.writeArrayHeader(2)
        verification.write(to: &writer)
        sealing.write(to: &writer)
        var reader = CBORReader(writer.bytes.bytes)
        try reader.readArrayHeader(count: 2)
        #expect(try VerificationKey(reading: &reader) == verification)
        #expect(try SealingPublicKey(reading: &reader) == sealing)
        try reader.finish()
    }
}
