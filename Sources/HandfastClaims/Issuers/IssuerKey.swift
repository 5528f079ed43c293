public import HandfastEncoding

/// A key by which an issuer signs, with the name that the issuer gives it.
public struct IssuerKey: Hashable, Sendable {
    /// The key.
    public let key: CredentialVerificationKey
    /// Its name (`kid`) in UTF-8; nil if it has none.
    public let keyID: [UInt8]?

    /// A key of an issuer.
    public init(_ key: CredentialVerificationKey, keyID: [UInt8]? = nil) {
        self.key = key
        self.keyID = keyID
    }

    /// Reads a JSON Web Key with its `kid`.
    /// - Throws: as ``CredentialVerificationKey/init(jwk:)``; ``CredentialError/malformed(_:)`` for a `kid` that is no text
    public init(jwk: CBORMap) throws(CredentialError) {
        key = try CredentialVerificationKey(jwk: jwk)
        switch jwk["kid"] {
        case nil: keyID = nil
        case .text(let name)?: keyID = Array(name.utf8)
        case _?: throw .malformed(.key)
        }
    }

    /// The JSON Web Key.
    public var jwk: CBORMap { key.jwk(keyID: keyID.map { String(decoding: $0, as: UTF8.self) }) }
}

extension [IssuerKey] {
    /// The keys that may have signed what names its key so: those of that name, or else those that have none; all of them
    /// for what names none.
    ///
    /// - Source: Spec/10 §10.12
    public func named(_ keyID: [UInt8]?) -> [CredentialVerificationKey] {
        guard let keyID else { return map(\.key) }
        let named = filter { $0.keyID == keyID }
        return (named.isEmpty ? filter { $0.keyID == nil } : named).map(\.key)
    }
}
