internal import HandfastCrypto
public import HandfastEncoding

extension CredentialVerificationKey {
    /// Reads a JSON Web Key; members that are not named here are ignored.
    /// - Throws: ``CredentialError/privateKey`` if it holds a private or symmetric parameter;
    ///   ``CredentialError/unsupportedKey`` for another `kty`, `crv`, `alg` or `use`;
    ///   ``CredentialError/malformed(_:)``, ``CredentialError/text(_:in:)``, ``CredentialError/invalidKey(_:)``
    /// - Source: RFC 7517 §4; RFC 7518 §6.2.1; RFC 8037 §2
    public init(jwk: CBORMap) throws(CredentialError) {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] where jwk[name] != nil { throw .privateKey }
        switch (jwk["kty"], jwk["crv"]) {
        case (.text("OKP"), .text("Ed25519")):
            let x = try Self.coordinate("x", of: jwk, count: 32)
            do { self = .ed25519(try VerificationKey(x.bytes)) } catch { throw .invalidKey(error) }
        case (.text("EC"), .text("P-256")):
            let point = try Self.point(of: jwk, count: P256VerificationKey.count)
            do { self = .p256(try P256VerificationKey(point.bytes)) } catch { throw .invalidKey(error) }
        case (.text("EC"), .text("P-384")):
            let point = try Self.point(of: jwk, count: P384VerificationKey.count)
            do { self = .p384(try P384VerificationKey(point.bytes)) } catch { throw .invalidKey(error) }
        case (.text, .text), (.text, nil): throw .unsupportedKey
        default: throw .malformed(.key)
        }
        for (name, expected) in [("alg", algorithm.rawValue), ("use", "sig")] {
            guard jwk[name] == nil || jwk[name] == .text(expected) else { throw .unsupportedKey }
        }
    }

    /// The JSON Web Key.
    /// - Parameter keyID: What its `kid` is; nil for none.
    public func jwk(keyID: String? = nil) -> CBORMap {
        var members: [(String, CBORValue)]
        switch self {
        case .ed25519(let key):
            members = [("kty", .text("OKP")), ("crv", .text("Ed25519")), ("x", .text(Base64URL.encode(key.bytes)))]
        case .p256(let key):
            members = Self.members(curve: "P-256", x: key.x, y: key.y)
        case .p384(let key):
            members = Self.members(curve: "P-384", x: key.x, y: key.y)
        }
        if let keyID { members.append(("kid", .text(keyID))) }
        return CBORMap(names: members)
    }

    private static func members(curve: String, x: [UInt8], y: [UInt8]) -> [(String, CBORValue)] {
        [
            ("kty", .text("EC")), ("crv", .text(curve)), ("x", .text(Base64URL.encode(x))),
            ("y", .text(Base64URL.encode(y))),
        ]
    }

    /// x ‖ y, `count` bytes together.
    private static func point(of jwk: CBORMap, count: Int) throws(CredentialError) -> [UInt8] {
        try coordinate("x", of: jwk, count: count / 2) + coordinate("y", of: jwk, count: count / 2)
    }

    private static func coordinate(
        _ name: String, of jwk: CBORMap, count: Int
    ) throws(CredentialError) -> [UInt8] {
        guard case .text(let text)? = jwk[name] else { throw .malformed(.key) }
        let bytes: [UInt8]
        do { bytes = try Base64URL.decode(text) } catch { throw .text(error, in: .key) }
        guard bytes.count == count else { throw .malformed(.key) }
        return bytes
    }
}
