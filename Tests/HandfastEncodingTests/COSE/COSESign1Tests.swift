import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct COSESign1Tests {
    private static let type = "handfast-test+cose"
    private static let payload = Array("hello".utf8)
    private static let externalData: [UInt8] = [1, 2, 3]

    /// Made with Python's `cryptography` from RFC 9052 §4.4 by hand: seed 00 01 … 1f, external data 010203.
    private static let independent =
        "d284" + "57a201271072" + Hex.encode(Array(type.utf8)) + "a0" + "4568656c6c6f" + "5840"
        + "d42b9f5cdf13d63109e04abdd0b5031311bac94ad191e3ca7a3738900cf2f819"
        + "201ff7ca5dad684229a0de40fa41bebd4fe8cdfc33deda4a75d5686bb4437b02"

    private static func key(_ first: UInt8 = 0) throws -> SigningKey {
        let seed = (0..<32).map { first + UInt8($0) }
        return try SigningKey(seed: SecretBytes(copying: seed.bytes))
    }

    private static func decoded(_ bytes: [UInt8], maximumPayload: Int = 100) throws -> COSESign1 {
        try COSESign1(decoding: bytes.bytes, maximumPayload: maximumPayload)
    }

    private static func joined(_ bytes: [UInt8], payload: [UInt8]) throws -> COSESign1 {
        try COSESign1(decodingDetached: bytes.bytes, payload: payload)
    }

    private static func signed() throws -> COSESign1 {
        .sign(payload, type: type, externalData: externalData, with: try key())
    }

    @Test func makesTheSameBytesAsAnIndependentSigner() throws {
        let signed = try Self.signed()
        #expect(Hex.encode(signed.encoded()) == Self.independent)
        #expect(signed.type == Self.type)
        #expect(Hex.encode(signed.protected) == "a201271072" + Hex.encode(Array(Self.type.utf8)))
    }

    @Test(arguments: [0, 5, 23, 24, 255, 256, 65_536])
    func comesBackAsItWasAndVerifies(count: Int) throws {
        let key = try Self.key()
        let payload = [UInt8](repeating: 7, count: count)
        let signed = COSESign1.sign(payload, type: Self.type, with: key)
        let decoded = try Self.decoded(signed.encoded(), maximumPayload: count)
        #expect(decoded == signed)
        #expect(decoded.payload == payload)
        try decoded.verify(type: Self.type, with: key.publicKey)
    }

    @Test func refusesAnotherType() throws {
        let (signed, key) = (try Self.signed(), try Self.key().publicKey)
        #expect(throws: COSEError.wrongType(expected: "handfast-record+cose", actual: Self.type)) {
            try signed.verify(type: "handfast-record+cose", externalData: Self.externalData, with: key)
        }
    }

    @Test func refusesAnotherKeyOrOtherExternalData() throws {
        let signed = try Self.signed()
        let (key, other) = (try Self.key().publicKey, try Self.key(1).publicKey)
        try signed.verify(type: Self.type, externalData: Self.externalData, with: key)
        #expect(throws: COSEError.invalidSignature) {
            try signed.verify(type: Self.type, externalData: Self.externalData, with: other)
        }
        #expect(throws: COSEError.invalidSignature) { try signed.verify(type: Self.type, with: key) }
        #expect(throws: COSEError.invalidSignature) {
            try signed.verify(type: Self.type, externalData: Self.externalData + [0], with: key)
        }
    }

    @Test func refusesEveryFlippedBit() throws {
        let key = try Self.key().publicKey
        let encoded = try Self.signed().encoded()
        for bit in 0..<encoded.count * 8 {
            var flipped = encoded
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: COSEError.self, "bit \(bit)") {
                try Self.decoded(flipped)
                    .verify(type: Self.type, externalData: Self.externalData, with: key)
            }
        }
    }

    @Test func refusesEveryTruncation() throws {
        let encoded = try Self.signed().encoded()
        for count in encoded.indices {
            #expect(throws: COSEError.self, "\(count) bytes") {
                try Self.decoded(Array(encoded[..<count]))
            }
        }
        #expect(throws: COSEError.cbor(.trailingBytes(at: encoded.count))) {
            try Self.decoded((encoded + [0]))
        }
    }

    @Test func refusesPayloadsBeyondTheirBound() throws {
        let encoded = try Self.signed().encoded()
        #expect(throws: COSEError.cbor(.sizeExceeded(limit: 4, at: 27))) {
            try Self.decoded(encoded, maximumPayload: 4)
        }
    }

    @Test func travelsWithoutItsPayload() throws {
        let (signed, key) = (try Self.signed(), try Self.key().publicKey)
        let detached = signed.encodedDetached()
        #expect(Hex.encode(detached) == Self.independent.replacing("4568656c6c6f", with: "f6"))
        let joined = try Self.joined(detached, payload: Self.payload)
        #expect(joined == signed)
        let wrong = try Self.joined(detached, payload: Self.payload + [0])
        #expect(throws: COSEError.invalidSignature) {
            try wrong.verify(type: Self.type, externalData: Self.externalData, with: key)
        }
        #expect(throws: COSEError.payloadMissing) { try Self.decoded(detached) }
        #expect(throws: COSEError.payloadPresent) {
            try Self.joined(signed.encoded(), payload: Self.payload)
        }
    }

    /// Structures that differ from a valid one in one place; the signature is never reached.
    @Test(arguments: [
        // Unprotected header with a key identifier; not a map.
        ("d2 84 45a201271060 a1044131 40 5840", COSEError.unprotectedHeader),
        ("d2 84 45a201271060 80 40 5840", .cbor(.wrongType(expected: .map, actual: .array, at: 8))),
        // Protected header: none, empty map, no alg, no typ, other alg, more labels, disorder, trailing byte.
        ("d2 84 40 a0 40 5840", .missingHeader(1)),
        ("d2 84 41a0 a0 40 5840", .missingHeader(1)),
        ("d2 84 43a11060 a0 40 5840", .missingHeader(1)),
        ("d2 84 43a10127 a0 40 5840", .missingHeader(16)),
        ("d2 84 45a201321060 a0 40 5840", .wrongAlgorithm(expected: -8, actual: -19)),
        ("d2 84 48a3012702811010 60 a0 40 5840", .unsupportedHeader(2)),
        ("d2 84 48a30127106018 20f6 a0 40 5840", .unsupportedHeader(32)),
        ("d2 84 45a210600127 a0 40 5840", .cbor(.unsortedKeys(at: 3))),
        ("d2 84 46a20127106000 a0 40 5840", .cbor(.trailingBytes(at: 5))),
        ("d2 84 45a201271000 a0 40 5840", .cbor(.wrongType(expected: .text, actual: .integer, at: 4))),
        // Protected header as a map instead of its encoding.
        ("d2 84 a201271060 a0 40 5840", .cbor(.wrongType(expected: .bytes, actual: .map, at: 2))),
        // Three and five parts; payload and signature of other types and sizes.
        ("d2 83 45a201271060 a0 40", .cbor(.wrongLength(expected: 4, actual: 3, at: 1))),
        ("d2 85 45a201271060 a0 40 5840", .cbor(.wrongLength(expected: 4, actual: 5, at: 1))),
        ("d2 84 45a201271060 a0 60 5840", .cbor(.wrongType(expected: .bytes, actual: .text, at: 9))),
        ("d2 84 45a201271060 a0 40 583f", .cbor(.wrongLength(expected: 64, actual: 63, at: 10))),
        ("d2 84 45a201271060 a0 40 5841", .cbor(.wrongLength(expected: 64, actual: 65, at: 10))),
        // No tag, another tag, indefinite length, a longer head than needed.
        ("84 45a201271060 a0 40 5840", .cbor(.wrongType(expected: .tag, actual: .array, at: 0))),
        ("d1 84 45a201271060 a0 40 5840", .cbor(.wrongTag(expected: 18, actual: 17, at: 0))),
        ("d2 9f 45a201271060 a0 40 5840", .cbor(.indefiniteLength(at: 1))),
        ("d812 84 45a201271060 a0 40 5840", .cbor(.nonMinimal(at: 0))),
        ("d2 84 5805a201271060 a0 40 5840", .cbor(.nonMinimal(at: 2))),
    ])
    func refusesOtherStructures(hex: String, error: COSEError) throws {
        let structure = try bytes(hex) + [UInt8](repeating: 0, count: 65)
        #expect(throws: error) { try Self.decoded(structure) }
    }

    @Test func refusesATypeBeyondItsBound() throws {
        let long = String(repeating: "61", count: 65)
        #expect(throws: COSEError.cbor(.sizeExceeded(limit: 64, at: 4))) {
            try Self.decoded(bytes("d28458 47 a20127107841" + long + "a0405840"))
        }
    }
}
