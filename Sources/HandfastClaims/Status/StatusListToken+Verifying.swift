internal import HandfastCrypto
internal import HandfastEncoding

extension StatusListToken {
    /// The token of a list, in whichever format it was written, once its issuer's signature is found right.
    ///
    /// Whether its times let it be used now, ``StatusPolicy`` tells.
    ///
    /// - Parameters:
    ///   - bytes: The token, at most ``maximumEncodedCount`` bytes.
    ///   - uri: The list that a credential names.
    ///   - keys: The keys of who may sign the list, whatever they are called; one of them must have.
    /// - Throws: as ``init(verifying:uri:issuerKeys:)``
    public init(
        verifying bytes: [UInt8], uri: String, keys: [CredentialVerificationKey]
    ) throws(StatusListError) {
        try self.init(verifying: bytes, uri: uri, issuerKeys: keys.map { IssuerKey($0) })
    }

    /// The token of a list, in whichever format it was written, once its issuer's signature is found right.
    ///
    /// Whether its times let it be used now, ``StatusPolicy`` tells.
    ///
    /// - Parameters:
    ///   - bytes: The token, at most ``maximumEncodedCount`` bytes.
    ///   - uri: The list that a credential names.
    ///   - issuerKeys: The keys of who may sign the list; one of those that the token may mean must have.
    /// - Throws: ``StatusListError/token(_:)`` with what is wrong in the token's form, signature or claims;
    ///   ``StatusListError/wrongSubject(expected:actual:)``; every case of ``StatusList/init(compressed:bits:)``
    /// - Source: draft-ietf-oauth-status-list-20 §8.3
    public init(verifying bytes: [UInt8], uri: String, issuerKeys: [IssuerKey]) throws(StatusListError) {
        let claims: Claims
        do {
            // A CWT begins with the tag of COSE_Sign1, a JWT with a letter.
            claims = bytes.first == 0xD2 ? try Self.cwtClaims(bytes, issuerKeys) : try Self.jwtClaims(bytes, issuerKeys)
        } catch {
            throw .token(error)
        }
        guard claims.subject.utf8.elementsEqual(uri.utf8) else {
            throw .wrongSubject(expected: uri, actual: claims.subject)
        }
        guard let bits = Int(exactly: claims.bits) else { throw .wrongBits(.max) }
        try self.init(
            uri: uri, issuedAt: claims.issuedAt, expires: claims.expires, timeToLive: claims.timeToLive,
            list: StatusList(compressed: claims.compressed, bits: bits))
    }

    /// The claims of a token whose signature is right, and its list still compressed.
    private struct Claims {
        var subject: String
        var issuedAt: UInt64
        var expires: UInt64?
        var timeToLive: UInt64?
        var bits: UInt64
        var compressed: [UInt8]

        /// Takes the claims for what they must be; others are ignored.
        init(
            subject: CBORValue?, issuedAt: CBORValue?, expires: CBORValue?, timeToLive: CBORValue?, bits: UInt64,
            compressed: [UInt8]
        ) throws(CredentialError) {
            guard case .text(let uri) = try require(subject, Name.subject) else { throw invalid(Name.subject) }
            self.subject = uri
            self.issuedAt = try Self.seconds(try require(issuedAt, Name.issuedAt), Name.issuedAt)
            if let expires { self.expires = try Self.seconds(expires, Name.expires) }
            if let timeToLive { self.timeToLive = try Self.seconds(timeToLive, Name.timeToLive) }
            guard self.timeToLive != 0 else { throw invalid(Name.timeToLive) }
            self.bits = bits
            self.compressed = compressed
        }

        private static func seconds(_ value: CBORValue, _ name: String) throws(CredentialError) -> UInt64 {
            guard let seconds = CredentialTimes.seconds(value) else { throw invalid(name) }
            return UInt64(seconds)
        }
    }

    private static func cwtClaims(
        _ bytes: [UInt8], _ keys: [IssuerKey]
    ) throws(CredentialError) -> Claims {
        let token = try COSEToken(
            decoding: bytes, limit: maximumEncodedCount, part: .statusListToken, allowsUnsortedKeys: true)
        try requireHeader(of: token)
        try verify(token.algorithm, by: keys.named(token.keyID)) { key throws(CredentialError) in
            try token.verify(with: key)
        }
        let value = try CBORValue.claims(decoding: token.payload, in: .statusListToken, allowsUnsortedKeys: true)
        guard case .map(let map) = value else { throw .malformed(.statusListToken) }
        let list = try statusList(map[Claim.list])
        guard case .bytes(let compressed) = list.compressed else { throw invalid(Name.compressed) }
        return try Claims(
            subject: map[CWTClaim.subject], issuedAt: map[CWTClaim.issuedAt], expires: map[CWTClaim.expires],
            timeToLive: map[Claim.timeToLive], bits: list.bits, compressed: compressed)
    }

    /// Refuses another type, and headers that would have to be understood; others are ignored.
    private static func requireHeader(of token: COSEToken) throws(CredentialError) {
        guard token.header[COSEToken.Header.critical] == nil else {
            throw .unsupportedHeader("crit", in: .statusListToken)
        }
        guard let type = token.header[COSEToken.Header.type] else { throw .missingHeader("typ", in: .statusListToken) }
        guard type == .text(Format.cwt.type) else {
            throw .wrongType(expected: Format.cwt.type, in: .statusListToken)
        }
    }

    private static func jwtClaims(
        _ bytes: [UInt8], _ keys: [IssuerKey]
    ) throws(CredentialError) -> Claims {
        let token = try JWS(
            String(decoding: bytes, as: UTF8.self), type: Format.jwt.type, maximumSize: maximumEncodedCount,
            part: .statusListToken)
        try verify(token.algorithm, by: keys.named(token.keyID.map { Array($0.utf8) })) { key throws(CredentialError) in
            try token.verify(with: key)
        }
        let map = token.claims
        let list = try statusList(map[Name.list])
        guard case .text(let text) = list.compressed else { throw invalid(Name.compressed) }
        let compressed: [UInt8]
        do { compressed = try Base64URL.decode(text) } catch { throw .text(error, in: .statusListToken) }
        return try Claims(
            subject: map[Name.subject], issuedAt: map[Name.issuedAt], expires: map[Name.expires],
            timeToLive: map[Name.timeToLive], bits: list.bits, compressed: compressed)
    }

    private static func statusList(
        _ value: CBORValue?
    ) throws(CredentialError) -> (bits: UInt64, compressed: CBORValue) {
        guard case .map(let list) = try require(value, Name.list) else { throw invalid(Name.list) }
        guard case .unsigned(let bits) = try require(list[Name.bits], Name.bits) else { throw invalid(Name.bits) }
        return (bits, try require(list[Name.compressed], Name.compressed))
    }

    private static func require(_ value: CBORValue?, _ name: String) throws(CredentialError) -> CBORValue {
        guard let value else { throw .missingClaim(name, in: .statusListToken) }
        return value
    }

    private static func invalid(_ name: String) -> CredentialError { .invalidClaim(name, in: .statusListToken) }

    /// Refuses a token that none of the keys of its algorithm has signed.
    private static func verify(
        _ algorithm: CredentialAlgorithm, by keys: [CredentialVerificationKey],
        check: (CredentialVerificationKey) throws(CredentialError) -> Void
    ) throws(CredentialError) {
        var fault = CredentialError.unknownIssuerKey
        for key in keys where key.algorithm == algorithm {
            do { return try check(key) } catch { fault = error }
        }
        throw fault
    }
}
