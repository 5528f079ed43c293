internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

/// Files with the keys of who issues credentials: JSON Web Keys, as other tools write and read them.
///
/// - Source: RFC 7517; RFC 8037 §2
enum IssuerKeyFile {
    private static let maximumSize = 1 << 16

    // MARK: Private keys

    /// Makes a key and the file, for its owner alone; a file that is there is left as it is.
    static func make(at path: String, algorithm: CredentialAlgorithm) throws -> CredentialVerificationKey {
        var random = SecureRandom()
        let publicKey: CredentialVerificationKey
        let secret: [UInt8]
        if algorithm == .edDSA {
            let key = SigningKey.generate(using: &random)
            (publicKey, secret) = (.ed25519(key.publicKey), [UInt8](key.seed))
        } else {
            let key = P256SigningKey.generate(using: &random)
            (publicKey, secret) = (.p256(key.publicKey), [UInt8](key.scalar))
        }
        var members = publicKey.jwk().entries
        members.append(CBORMap.Entry(.text("d"), .text(Base64URL.encode(secret))))
        let text = try JSON.encode(.map(CBORMap(members)))
        try PrivateFile.make(at: path, text + [0x0A])
        return publicKey
    }

    /// Reads a private key that only its owner may read.
    static func read(_ path: String) throws -> CredentialSigningKey {
        let key = try object(path)
        try PrivateFile.requireMode(of: path)
        guard case .text(let text)? = key["d"], let bytes = try? Base64URL.decode(text) else {
            throw Failure(
                .badData, "the file \(path) holds no private key", hint: "handfast status key FILE makes one")
        }
        let publicKey = try Self.publicKey(key, path)
        let secret = SecretBytes(copying: bytes.bytes)
        let signing: CredentialSigningKey
        do {
            switch publicKey {
            case .ed25519: signing = .ed25519(try SigningKey(seed: secret))
            case .p256: signing = .p256(try P256SigningKey(scalar: secret))
            case .p384:
                throw Failure(.badData, "the key in \(path) is on P-384, which Handfast verifies and never signs with")
            }
        } catch let error as CryptoError {
            throw Failure(.badData, "the key in \(path) is not valid: \(error)")
        }
        guard signing.publicKey == publicKey else {
            throw Failure(.badData, "the private key in \(path) does not belong to its public one")
        }
        return signing
    }

    // MARK: Public keys

    /// Reads the public keys of a JSON Web Key, or of a set of them. A private key's public half counts as well.
    static func readPublic(_ path: String) throws -> [CredentialVerificationKey] {
        let object = try object(path)
        guard let keys = object["keys"] else { return [try publicKey(object, path)] }
        guard case .array(let items) = keys else { throw Failure(.badData, "the file \(path) holds no set of keys") }
        return try items.map { item in
            guard case .map(let key) = item else { throw Failure(.badData, "the file \(path) holds no set of keys") }
            return try publicKey(key, path)
        }
    }

    private static func publicKey(_ key: CBORMap, _ path: String) throws -> CredentialVerificationKey {
        do {
            let members = key.entries.filter { $0.key != .text("d") }
            return try CredentialVerificationKey(jwk: CBORMap(members))
        } catch {
            throw Failure(.badData, "the key in \(path) cannot be used: \(error)")
        }
    }

    private static func object(_ path: String) throws -> CBORMap {
        let bytes = try InputFile.read(path, maximum: maximumSize)
        guard case .map(let object)? = try? JSON.decode(bytes, maximumSize: maximumSize) else {
            throw Failure(.badData, "the file \(path) is no JSON Web Key", hint: "handfast status key FILE makes one")
        }
        return object
    }
}
