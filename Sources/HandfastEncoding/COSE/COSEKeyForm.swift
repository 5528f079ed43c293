/// How one type of public key is written as a COSE_Key map: its `kty`, the parameter that tells it from others of that
/// `kty`, and the label of the key's bytes.
///
/// - Source: RFC 9052 §7.1; RFC 9053 §7.2 (OKP); RFC 9964 (AKP); Spec/01 §1.3.
struct COSEKeyForm {
    static let ed25519 = octetKeyPair(curve: 6)
    static let x25519 = octetKeyPair(curve: 4)
    static let mlKEM768 = algorithmKeyPair(algorithm: -70_001)
    static let xWing = algorithmKeyPair(algorithm: -70_002)

    private enum Label {
        static let keyType = 1
        static let algorithm = 3
        static let curve = -1
    }

    private let keyType: Int
    private let parameterLabel: Int
    private let parameter: Int
    private let keyLabel: Int

    private static func octetKeyPair(curve: Int) -> COSEKeyForm {
        COSEKeyForm(keyType: 1, parameterLabel: Label.curve, parameter: curve, keyLabel: -2)
    }

    private static func algorithmKeyPair(algorithm: Int) -> COSEKeyForm {
        COSEKeyForm(keyType: 7, parameterLabel: Label.algorithm, parameter: algorithm, keyLabel: -1)
    }

    func write(_ key: RawSpan, to writer: inout CBORWriter) {
        writer.writeMap { writer in
            writer.writeKey(Label.keyType)
            writer.writeInteger(Int64(keyType))
            writer.writeKey(parameterLabel)
            writer.writeInteger(Int64(parameter))
            writer.writeKey(keyLabel)
            writer.writeBytes(key)
        }
    }

    /// The key's bytes, of any length, as a part of the input.
    @_lifetime(copy reader)
    func read(_ reader: inout CBORReader) throws(COSEError) -> RawSpan {
        var map: CBORIntegerMap
        let actualType: Int
        do {
            map = try reader.readIntegerMap()
            try map.requireKey(Label.keyType, &reader)
            actualType = Int(try reader.readInteger())
        } catch {
            throw .cbor(error)
        }
        guard actualType == keyType else { throw .wrongKeyType(expected: keyType, actual: actualType) }

        let actual: Int
        do {
            try map.requireKey(parameterLabel, &reader)
            actual = Int(try reader.readInteger())
        } catch {
            throw .cbor(error)
        }
        guard actual == parameter else {
            throw parameterLabel == Label.curve
                ? .wrongCurve(expected: parameter, actual: actual)
                : .wrongAlgorithm(expected: parameter, actual: actual)
        }

        do {
            try map.requireKey(keyLabel, &reader)
            let key = try reader.readBytes()
            try map.finish(&reader)
            return key
        } catch {
            throw .cbor(error)
        }
    }
}
