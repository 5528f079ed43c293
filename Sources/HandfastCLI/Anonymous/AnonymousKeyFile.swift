internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

/// The file with an issuer's secret key for anonymous claims and the parameters that belong to it, for its owner alone.
///
/// `{"parameters": base64url, "secretKey": base64url}`
struct AnonymousKeyFile: ~Copyable {
    private static let maximumSize = 1 << 14

    let key: AnonymousIssuerKey
    let parameters: AnonymousParameters

    /// Makes a key and the file; a file that is there is left as it is.
    static func make(at path: String, schema: AnonymousSchema) throws -> AnonymousParameters {
        var random = SystemEntropy()
        let key = AnonymousIssuerKey.generate(using: &random)
        let parameters = try AnonymousParameters(issuer: key.publicKey, schema: schema)
        let document: Document = [
            "parameters": .text(Base64URL.encode(parameters.encoded())),
            "secretKey": .text(Base64URL.encode(key.bytes)),
        ]
        try PrivateFile.make(at: path, Array((document.jsonText + "\n").utf8))
        return parameters
    }

    /// Reads a file that only its owner may read.
    static func read(_ path: String) throws -> AnonymousKeyFile {
        let bytes = try InputFile.read(path, maximum: Self.maximumSize)
        try PrivateFile.requireMode(of: path)
        guard case .map(let map)? = try? JSON.decode(bytes, maximumSize: Self.maximumSize),
            case .text(let encoded)? = map["parameters"], case .text(let text)? = map["secretKey"],
            let published = try? Base64URL.decode(encoded), let secret = try? Base64URL.decode(text)
        else {
            throw Failure(
                .badData, "the file \(path) holds no key of an issuer of anonymous claims",
                hint: "`handfast anonymous key` makes one")
        }
        let parameters = try AnonymousParameters(decoding: published.bytes)
        let key = try AnonymousIssuerKey(copying: secret.bytes)
        guard parameters.issuer == key.publicKey else { throw AnonymousClaimError.wrongIssuer }
        return AnonymousKeyFile(key: key, parameters: parameters)
    }
}
