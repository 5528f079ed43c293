internal import HandfastCrypto
internal import HandfastEncoding

/// Structures written by hand, so that vectors can hold what no honest side writes.
enum VectorCBOR {
    /// A map with integer keys; nil values are left out.
    static func map(_ fields: [Int: CBORValue?]) throws -> CBORValue {
        .map(
            try CBORMap(
                fields.compactMap { key, value in
                    value.map { CBORMap.Entry(.integer(Int64(key)), $0) }
                }))
    }

    /// A map with text keys.
    static func body(_ fields: [String: CBORValue]) throws -> [UInt8] {
        try CBORValue.map(CBORMap(fields.map { CBORMap.Entry(.text($0.key), $0.value) })).encoded()
    }

    /// An item that stands encoded already.
    static func item(_ bytes: [UInt8]) throws -> CBORValue {
        try CBORValue(decoding: bytes)
    }

    /// Signed content, encoded.
    static func signed(
        _ payload: CBORValue, type: String, externalData: [UInt8] = [], with key: borrowing SigningKey
    ) throws -> [UInt8] {
        COSESign1.sign(try payload.encoded(), type: type, externalData: externalData, with: key).encoded()
    }

    /// The same COSE_Sign1 with another signature.
    static func changingSignature(of signed: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        signed[..<(signed.count - 64)] + change(Array(signed[(signed.count - 64)...]))
    }
}
