import HandfastCrypto
import HandfastEncoding
import Testing

/// The COSE working group's examples: the strict profile refuses each for a named reason, and our reading of the
/// standard agrees with every Ed25519 signature among them.
@Suite struct COSEExamplesTests {
    struct Example: Decodable {
        struct Input: Decodable {
            var sign0: Signer?
            var sign: Multiple?
        }
        struct Multiple: Decodable {
            var signers: [Signer]
        }
        struct Signer: Decodable {
            var key: Key
            var external: String?
        }
        struct Key: Decodable {
            var crv: String
            var x_hex: String?
        }
        struct Output: Decodable {
            var cbor: String
        }

        var input: Input
        var output: Output
    }

    /// None has a `typ`, most name their key in the unprotected header, and nearly all are of another algorithm; the
    /// reason is the first that the decoder meets.
    static let refused: [(path: String, reason: COSEError)] = [
        ("eddsa-examples/eddsa-01", .cbor(.wrongTag(expected: 18, actual: 98, at: 0))),
        ("eddsa-examples/eddsa-02", .cbor(.wrongTag(expected: 18, actual: 98, at: 0))),
        ("eddsa-examples/eddsa-sig-01", .unsupportedHeader(3)),
        ("eddsa-examples/eddsa-sig-02", .missingHeader(16)),
        ("sign1-tests/sign-fail-01", .cbor(.wrongTag(expected: 18, actual: 998, at: 0))),
        ("sign1-tests/sign-fail-02", .wrongAlgorithm(expected: -8, actual: -7)),
        ("sign1-tests/sign-fail-03", .wrongAlgorithm(expected: -8, actual: -999)),
        ("sign1-tests/sign-fail-04", .cbor(.wrongType(expected: .integer, actual: .text, at: 2))),
        ("sign1-tests/sign-fail-06", .unsupportedHeader(3)),
        ("sign1-tests/sign-fail-07", .wrongAlgorithm(expected: -8, actual: -7)),
        ("sign1-tests/sign-pass-01", .missingHeader(1)),
        ("sign1-tests/sign-pass-02", .wrongAlgorithm(expected: -8, actual: -7)),
        ("sign1-tests/sign-pass-03", .cbor(.wrongType(expected: .tag, actual: .array, at: 0))),
    ]

    private func example(_ path: String) throws -> (Example, encoded: [UInt8]) {
        let example = try Vectors.decode(Example.self, from: "cose-examples/\(path).json")
        return (example, try bytes(example.output.cbor))
    }

    private func verificationKey(_ signer: Example.Signer?) throws -> VerificationKey {
        let x = try bytes(#require(signer?.key.x_hex))
        return try VerificationKey(x.bytes)
    }

    @Test func refusesEveryExampleAsNamed() throws {
        for (path, reason) in Self.refused {
            let (_, encoded) = try example(path)
            // Each is deterministic CBOR all the same.
            #expect(try CBORValue(decoding: encoded).encoded() == encoded, "\(path)")
            #expect(throws: reason, "\(path)") { try COSESign1(decoding: encoded.bytes, maximumPayload: 100) }
        }
    }

    @Test func verifiesTheSignatureOfTheSingleSigner() throws {
        let (example, encoded) = try example("eddsa-examples/eddsa-sig-01")
        let key = try verificationKey(example.input.sign0)
        guard case .tag(18, .array(let parts)) = try CBORValue(decoding: encoded), case .bytes(let signature) = parts[3]
        else { return #expect(Bool(false), "not a COSE_Sign1") }
        let message = CBORValue.array([.text("Signature1"), parts[0], .bytes([]), parts[2]])
        let encodedMessage = try message.encoded()
        try key.verify(signature.bytes, of: encodedMessage.bytes)
    }

    @Test func verifiesTheSignatureOfTheFirstOfManySigners() throws {
        let (example, encoded) = try example("eddsa-examples/eddsa-01")
        let key = try verificationKey(example.input.sign?.signers.first)
        guard case .tag(98, .array(let parts)) = try CBORValue(decoding: encoded), case .array(let signers) = parts[3],
            case .array(let signer) = signers[0], case .bytes(let signature) = signer[2]
        else { return #expect(Bool(false), "not a COSE_Sign") }
        let message = CBORValue.array([.text("Signature"), parts[0], signer[0], .bytes([]), parts[2]])
        let encodedMessage = try message.encoded()
        try key.verify(signature.bytes, of: encodedMessage.bytes)
    }
}
