public import HandfastCrypto

/// Why a COSE structure was refused.
///
/// - Source: RFC 9052; Spec/01 §1.6.
public enum COSEError: Error, Equatable, Sendable {
    /// The bytes are not the deterministic CBOR that the structure's CDDL describes.
    case cbor(CBORError)
    /// The key type (`kty`) is another one; both from the COSE Key Types registry.
    case wrongKeyType(expected: Int, actual: Int)
    /// The curve (`crv`) is another one; both from the COSE Elliptic Curves registry.
    case wrongCurve(expected: Int, actual: Int)
    /// The algorithm (`alg`) is another one; both from the COSE Algorithms registry.
    case wrongAlgorithm(expected: Int, actual: Int)
    /// The key's bytes are no public key of its type.
    case invalidKey(CryptoError)
    /// The protected header lacks this label.
    case missingHeader(Int)
    /// The protected header holds a label that the profile does not define.
    case unsupportedHeader(Int)
    /// The unprotected header is not the empty map, nor, where that may be, a proof of inclusion alone.
    case unprotectedHeader
    /// The proof of inclusion is none: its numbers or the length of its path fit no place in a tree.
    case invalidProof
    /// The structure is of another type (`typ`) than the one asked for.
    case wrongType(expected: String, actual: String)
    /// The payload is detached and the structure was to carry it.
    case payloadMissing
    /// The structure carries a payload and was to be detached from it.
    case payloadPresent
    /// The signature was not made by the key over this content.
    case invalidSignature
}

extension COSEError: CustomStringConvertible {
    /// One sentence without the structure's content.
    public var description: String {
        switch self {
        case .cbor(let error): error.description
        case .wrongKeyType(let expected, let actual): "COSE key type is \(actual), not \(expected)"
        case .wrongCurve(let expected, let actual): "COSE key is on curve \(actual), not \(expected)"
        case .wrongAlgorithm(let expected, let actual): "COSE algorithm is \(actual), not \(expected)"
        case .invalidKey(let error): "COSE key is not valid: \(error)"
        case .missingHeader(let label): "COSE protected header lacks label \(label)"
        case .unsupportedHeader(let label): "COSE protected header holds label \(label), which is not supported"
        case .unprotectedHeader: "COSE unprotected header holds something that it may not"
        case .invalidProof: "COSE proof of inclusion fits no place in a tree"
        case .wrongType(let expected, let actual): "signed content is of type \"\(actual)\", not \"\(expected)\""
        case .payloadMissing: "COSE_Sign1 carries no payload"
        case .payloadPresent: "COSE_Sign1 carries a payload that should be detached"
        case .invalidSignature: "the signature was not made by this key over this content"
        }
    }
}
