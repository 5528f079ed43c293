internal import HandfastCrypto
internal import HandfastEncoding

extension StatusListToken {
    /// How a token is written.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// A CBOR Web Token.
        case cwt
        /// A JSON Web Token.
        case jwt

        /// The token's type (`typ`).
        /// - Source: draft-ietf-oauth-status-list-20 §5.1, §5.2
        public var type: String {
            switch self {
            case .cwt: "application/statuslist+cwt"
            case .jwt: "statuslist+jwt"
            }
        }

        /// The media type of the token, for who serves it.
        public var mediaType: String { "application/statuslist+\(rawValue)" }
    }

    /// The longest token, in bytes: room for the longest list, twice in base64url.
    public static let maximumEncodedCount = 8 << 20

    enum Claim {
        static let list = 65_533
        static let timeToLive = 65_534
    }

    enum Name {
        static let subject = "sub"
        static let issuedAt = "iat"
        static let expires = "exp"
        static let timeToLive = "ttl"
        static let list = "status_list"
        static let bits = "bits"
        static let compressed = "lst"
    }

    /// The signed token.
    /// - Parameters:
    ///   - format: How to write it.
    ///   - keyID: The name of the key (`kid`); nil for none.
    ///   - key: The issuer's key.
    /// - Throws: ``StatusListError/compressedTooLarge(maximum:)`` if the list does not shrink to 4 MiB;
    ///   ``StatusListError/token(_:)`` if the key cannot sign
    public func signed(
        as format: Format, keyID: String? = nil, with key: borrowing CredentialSigningKey
    ) throws(StatusListError) -> [UInt8] {
        let compressed = list.compressed
        guard compressed.count <= StatusList.maximumCompressedCount else {
            throw .compressedTooLarge(maximum: StatusList.maximumCompressedCount)
        }
        do {
            switch format {
            case .cwt: return try signedCWT(compressed, keyID: keyID, with: key)
            case .jwt: return try signedJWT(compressed, keyID: keyID, with: key)
            }
        } catch {
            throw .token(error)
        }
    }

    private func signedCWT(
        _ compressed: [UInt8], keyID: String?, with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> [UInt8] {
        let algorithm = key.publicKey.algorithm.coseNumber
        var protected = CBORWriter()
        protected.writeMap { writer in
            writer.writeKey(COSEToken.Header.algorithm)
            writer.writeInteger(Int64(algorithm))
            if let keyID {
                writer.writeKey(COSEToken.Header.keyID)
                writer.writeBytes(Array(keyID.utf8))
            }
            writer.writeKey(COSEToken.Header.type)
            writer.writeText(Format.cwt.type)
        }
        var payload = CBORWriter(reservingCapacity: compressed.count + uri.utf8.count + 64)
        payload.writeMap { writer in
            writer.writeKey(CWTClaim.subject)
            writer.writeText(uri)
            if let expires {
                writer.writeKey(CWTClaim.expires)
                writer.writeUnsigned(expires)
            }
            writer.writeKey(CWTClaim.issuedAt)
            writer.writeUnsigned(issuedAt)
            writer.writeKey(Claim.list)
            writer.writeMap { writer in
                writer.writeKey(Name.compressed)
                writer.writeBytes(compressed)
                writer.writeKey(Name.bits)
                writer.writeUnsigned(UInt64(list.bits))
            }
            if let timeToLive {
                writer.writeKey(Claim.timeToLive)
                writer.writeUnsigned(timeToLive)
            }
        }
        let signature = try COSEToken.sign(protected: protected.bytes, payload: payload.bytes, with: key)
        var token = CBORWriter(reservingCapacity: payload.bytes.count + protected.bytes.count + 80)
        COSEToken.write(
            protected: protected.bytes, payload: payload.bytes, signature: signature.bytes, to: &token)
        return token.bytes
    }

    private func signedJWT(
        _ compressed: [UInt8], keyID: String?, with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> [UInt8] {
        let statuses: [(String, CBORValue)] = [
            (Name.bits, .unsigned(UInt64(list.bits))), (Name.compressed, .text(Base64URL.encode(compressed))),
        ]
        var claims: [(String, CBORValue)] = [
            (Name.subject, .text(uri)), (Name.issuedAt, .unsigned(issuedAt)),
            (Name.list, .map(CBORMap(names: statuses))),
        ]
        if let expires { claims.append((Name.expires, .unsigned(expires))) }
        if let timeToLive { claims.append((Name.timeToLive, .unsigned(timeToLive))) }
        let text = try JWS.sign(
            CBORMap(names: claims), type: Format.jwt.type, keyID: keyID, with: key, part: .statusListToken)
        return Array(text.utf8)
    }
}
