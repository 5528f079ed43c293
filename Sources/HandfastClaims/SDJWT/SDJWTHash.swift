internal import HandfastCrypto
internal import HandfastEncoding

/// The hash of an SD-JWT's digests (`_sd_alg`).
/// - Source: RFC 9901 §4.1.1
enum SDJWTHash: String {
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"

    /// The hash that the claims name; SHA-256 if they name none.
    init(of claims: CBORMap) throws(CredentialError) {
        switch claims[SDJWTName.hash] {
        case nil: self = .sha256
        case .text(let name)?:
            guard let hash = SDJWTHash(rawValue: name) else { throw .unsupportedHash }
            self = hash
        default: throw .unsupportedHash
        }
    }

    /// The base64url digest of text.
    func digest(of text: some StringProtocol) -> String {
        let message = Array(text.utf8)
        switch self {
        case .sha256:
            let digest = SHA2.sha256(message.bytes)
            return Base64URL.encode(digest.bytes)
        case .sha384:
            let digest = SHA2.sha384(message.bytes)
            return Base64URL.encode(digest.bytes)
        case .sha512:
            let digest = SHA2.sha512(message.bytes)
            return Base64URL.encode(digest.bytes)
        }
    }
}
