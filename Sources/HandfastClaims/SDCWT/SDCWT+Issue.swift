internal import HandfastCrypto
internal import HandfastEncoding

extension SDCWT {
    /// Issues a credential to a holder.
    /// - Parameters:
    ///   - content: What it says and what of it the holder may keep back; it names a subject.
    ///   - holder: The holder's key.
    ///   - keyID: The id of the issuer's key; nil to leave it out.
    ///   - key: The issuer's key.
    ///   - random: Draws a salt of 16 bytes for each disclosure.
    /// - Returns: The credential with all its disclosures, at most 32 KiB.
    /// - Throws: ``CredentialError/missingClaim(_:in:)``, ``CredentialError/forbiddenClaim(_:in:)``,
    ///   ``CredentialError/invalidClaim(_:in:)``, ``CredentialError/contradictoryTimes(rule:)``,
    ///   ``CredentialError/notRedactable(_:)``, ``CredentialError/unknownClaim(_:)``,
    ///   ``CredentialError/reservedName(in:)``, ``CredentialError/depthExceeded``,
    ///   ``CredentialError/tooManyDisclosures(limit:)``, ``CredentialError/sizeExceeded(limit:in:)``,
    ///   ``CredentialError/invalidKey(_:)``
    public static func issue(
        _ content: CredentialContent, holder: CredentialVerificationKey, keyID: [UInt8]? = nil,
        with key: borrowing CredentialSigningKey, using random: inout some RandomNumberGenerator
    ) throws(CredentialError) -> [UInt8] {
        var issuance = try SDCWTIssuance(content, copies: 1, using: &random)
        let protected = protectedHeader(algorithm: key.publicKey.algorithm, keyID: keyID)
        return try issue(content, holder: holder, by: &issuance, protected: protected, with: key)
    }

    private static func issue(
        _ content: CredentialContent, holder: CredentialVerificationKey, by issuance: inout SDCWTIssuance,
        protected: [UInt8], with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> [UInt8] {
        let payload = try issuance.payload(of: content, holder: holder)
        let signature = try COSEToken.sign(protected: protected, payload: payload, with: key)
        let credential = encode(
            protected: protected, payload: payload, signature: signature.bytes,
            disclosures: issuance.disclosures, count: issuance.disclosureCount)
        guard credential.count <= maximumCount else { throw .sizeExceeded(limit: maximumCount, in: .credential) }
        return credential
    }

    /// Issues copies of one credential, each with its own key, salts and status; times are rounded down to days.
    /// - Returns: The credentials in the order of the copies.
    /// - Throws: as ``issue(_:holder:keyID:with:using:)``
    public static func issue(
        batch copies: [CredentialCopy], of content: CredentialContent, keyID: [UInt8]? = nil,
        with key: borrowing CredentialSigningKey, using random: inout some RandomNumberGenerator
    ) throws(CredentialError) -> [[UInt8]] {
        var credentials: [[UInt8]] = []
        credentials.reserveCapacity(copies.count)
        var issuance = try SDCWTIssuance(content, copies: copies.count, using: &random)
        let protected = protectedHeader(algorithm: key.publicKey.algorithm, keyID: keyID)
        var own = content.roundedToDays()
        for copy in copies {
            own.status = copy.status
            credentials.append(
                try issue(own, holder: copy.holder, by: &issuance, protected: protected, with: key))
        }
        return credentials
    }

    private static func protectedHeader(algorithm: CredentialAlgorithm, keyID: [UInt8]?) -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 16 + (keyID?.count ?? 0))
        writer.writeMap { writer in
            writer.writeKey(COSEToken.Header.algorithm)
            writer.writeInteger(Int64(algorithm.coseNumber))
            if let keyID {
                writer.writeKey(COSEToken.Header.keyID)
                writer.writeBytes(keyID)
            }
            writer.writeKey(COSEToken.Header.type)
            writer.writeUnsigned(type)
            writer.writeKey(COSEToken.Header.digestAlgorithm)
            writer.writeInteger(Int64(sha256))
        }
        return writer.bytes
    }
}
