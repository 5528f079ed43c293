internal import HandfastEncoding

/// What an issuer of SD-JWT VC publishes about itself: its name, and its keys or where they are.
///
/// - Source: draft-ietf-oauth-sd-jwt-vc-19 §5
public struct IssuerMetadata: Hashable, Sendable {
    /// Where the keys of an issuer are.
    public enum Keys: Hashable, Sendable {
        /// In the document itself.
        case here([IssuerKey])
        /// In a JWK Set at this URL.
        case at(String)
    }

    /// The largest document, in bytes.
    public static let maximumSize = 1 << 16
    /// The most keys of an issuer.
    public static let maximumKeyCount = 32
    /// What stands between host and path of the issuer's name.
    public static let wellKnown = "/.well-known/jwt-vc-issuer"

    /// Why metadata was refused.
    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        /// The document is not JSON.
        case json(JSONError)
        /// The document does not have the shape of metadata, or of a JWK Set.
        case malformed
        /// It is the metadata of another issuer.
        case anotherIssuer
        /// It holds both keys and the place of keys, or neither.
        case ambiguousKeys
        /// There are more keys than ``IssuerMetadata/maximumKeyCount``.
        case tooManyKeys
        /// None of the keys can be used here: Ed25519, P-256 or P-384, for signatures.
        case noUsableKey

        /// What was wrong.
        public var description: String {
            switch self {
            case .json(let error): "what it publishes about itself is not JSON: \(error)"
            case .malformed: "what it publishes about itself is not an issuer's metadata"
            case .anotherIssuer: "what it publishes is about another issuer"
            case .ambiguousKeys: "it must publish its keys, or where they are, and not both"
            case .tooManyKeys: "it publishes more than \(IssuerMetadata.maximumKeyCount) keys"
            case .noUsableKey: "none of its keys is Ed25519, P-256 or P-384"
            }
        }
    }

    /// Where the keys are.
    public let keys: Keys

    /// Reads the document of an issuer.
    ///
    /// - Parameter issuer: The name that was asked for; the document must say the same.
    public init(decoding document: [UInt8], of issuer: String) throws(Fault) {
        let map = try Self.map(document)
        guard case .text(let name)? = map["issuer"], name.utf8.elementsEqual(issuer.utf8) else { throw .anotherIssuer }
        switch (map["jwks"], map["jwks_uri"]) {
        case (.map(let set)?, nil): keys = .here(try Self.keys(set))
        case (nil, .text(let place)?): keys = .at(place)
        case (nil, nil), (_?, _?): throw .ambiguousKeys
        default: throw .malformed
        }
    }

    /// Reads a JWK Set: its keys that can be used here, each with its `kid`.
    /// - Source: RFC 7517 §5
    public static func keys(decoding document: [UInt8]) throws(Fault) -> [IssuerKey] {
        try keys(try map(document))
    }

    private static func map(_ document: [UInt8]) throws(Fault) -> CBORMap {
        let value: CBORValue
        do {
            value = try JSON.decode(document, maximumSize: maximumSize)
        } catch {
            throw .json(error)
        }
        guard case .map(let map) = value else { throw .malformed }
        return map
    }

    /// Keys of kinds that are not used here are left out; RFC 7517 §5 asks for it.
    private static func keys(_ set: CBORMap) throws(Fault) -> [IssuerKey] {
        guard case .array(let items)? = set["keys"] else { throw .malformed }
        guard items.count <= maximumKeyCount else { throw .tooManyKeys }
        var keys: [IssuerKey] = []
        for item in items {
            guard case .map(let jwk) = item else { throw .malformed }
            if let key = try? IssuerKey(jwk: jwk) { keys.append(key) }
        }
        guard !keys.isEmpty else { throw .noUsableKey }
        return keys
    }
}
