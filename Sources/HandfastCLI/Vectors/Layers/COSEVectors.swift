internal import HandfastCrypto
internal import HandfastEncoding

/// Public keys, signed content and text forms.
///
/// - Source: Spec/01 §1.3 to §1.5
enum COSEVectors: VectorLayer {
    static let name = "cose"

    static let operations: [String: VectorOperation] = [
        "key": key, "sign": sign, "verify": verify, "verifyDetached": verifyDetached, "base32": base32,
        "base64url": base64url, "hex": hex, "proquint": proquint,
    ]

    private static func key(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("bytes")
        let (raw, again) =
            switch try input.text("kind") {
            case "ed25519":
                try read(bytes) {
                    try VerificationKey(reading: &$0)
                } raw: {
                    $0.array
                }
            case "x25519":
                try read(bytes) {
                    try AgreementPublicKey(reading: &$0)
                } raw: {
                    $0.array
                }
            case "ml-kem-768":
                try read(bytes) {
                    try KEMPublicKey(reading: &$0)
                } raw: {
                    $0.array
                }
            case "x-wing":
                try read(bytes) {
                    try SealingPublicKey(reading: &$0)
                } raw: {
                    $0.array
                }
            default: throw VectorFault.kind("ed25519, x25519, ml-kem-768 or x-wing").at("kind")
            }
        return ["raw": .hex(raw), "encoded": .hex(again)]
    }

    private static func read<Key: COSEKey>(
        _ bytes: [UInt8], _ read: (inout CBORReader) throws -> Key, raw: (Key) -> [UInt8]
    ) throws -> ([UInt8], [UInt8]) {
        var reader = CBORReader(bytes.bytes)
        let key = try read(&reader)
        try reader.finish()
        return (raw(key), key.coseKey)
    }

    private static func sign(_ input: VectorFields) throws -> VectorFields {
        let key = try input.signingKey("seed")
        let (payload, externalData) = (try input.bytes("payload"), try input.bytes("externalData"))
        let type = try input.text("type")
        guard type.utf8.count <= COSESign1.maximumTypeCount else {
            throw VectorFault.kind("a text of at most \(COSESign1.maximumTypeCount) bytes").at("type")
        }
        let signed = COSESign1.sign(payload, type: type, externalData: externalData, with: key)
        let message = CBORValue.array([
            .text("Signature1"), .bytes(signed.protected), .bytes(externalData), .bytes(payload),
        ])
        return [
            "publicKey": .hex(key.publicKey.array), "protected": .hex(signed.protected),
            "toBeSigned": .hex(try message.encoded()), "signature": .hex(signed.signature.array),
            "signed": .hex(signed.encoded()), "detached": .hex(signed.encodedDetached()),
        ]
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("signed")
        let signed = try COSESign1(decoding: bytes.bytes, maximumPayload: 1_024)
        try verify(signed, input)
        return ["payload": .hex(signed.payload)]
    }

    private static func verifyDetached(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("signed")
        try verify(try COSESign1(decodingDetached: bytes.bytes, payload: input.bytes("payload")), input)
        return [:]
    }

    private static func verify(_ signed: COSESign1, _ input: VectorFields) throws {
        let externalData = try input.bytes("externalData")
        let key = try input.verificationKey("publicKey")
        try signed.verify(type: input.text("type"), externalData: externalData, with: key)
    }

    private static func base32(_ input: VectorFields) throws -> VectorFields {
        ["bytes": .hex(try Base32.decode(input.text("text")))]
    }

    private static func base64url(_ input: VectorFields) throws -> VectorFields {
        ["bytes": .hex(try Base64URL.decode(input.text("text")))]
    }

    private static func hex(_ input: VectorFields) throws -> VectorFields {
        ["bytes": .hex(try Hex.decode(input.text("text")))]
    }

    private static func proquint(_ input: VectorFields) throws -> VectorFields {
        ["bytes": .hex(try Proquint.decode(input.text("text")))]
    }
}
