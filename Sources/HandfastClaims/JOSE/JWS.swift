internal import HandfastCrypto
public import HandfastEncoding

/// A JSON Web Signature in compact form whose payload is an object of claims.
///
/// Reading one checks its form alone: nothing that it says is to be believed before ``verify(with:)``.
/// - Source: RFC 7515 §7.1; RFC 7519 §7.2
public struct JWS: Hashable, Sendable {
    /// Which part of a presentation it is, for errors.
    public let part: CredentialError.Part
    /// The algorithm that the header names.
    public let algorithm: CredentialAlgorithm
    /// The name of the key (`kid`), if the header has one.
    public let keyID: String?
    /// The claims of the payload.
    public let claims: CBORMap
    /// The compact form.
    public let text: String

    private let signature: [UInt8]
    /// How much of the text is signed, in bytes.
    private let signedCount: Int

    /// Reads the compact form.
    /// - Parameters:
    ///   - text: Three parts of base64url with points between them.
    ///   - type: What the header's `typ` must be.
    ///   - maximumSize: The largest text, in bytes.
    ///   - part: Which part of a presentation it is, for errors.
    /// - Throws: ``CredentialError/sizeExceeded(limit:in:)``, ``CredentialError/malformed(_:)``,
    ///   ``CredentialError/text(_:in:)``, ``CredentialError/json(_:in:)``,
    ///   ``CredentialError/missingHeader(_:in:)``, ``CredentialError/unsupportedHeader(_:in:)``,
    ///   ``CredentialError/unsupportedAlgorithm(in:)``, ``CredentialError/wrongType(expected:in:)``
    public init(
        _ text: String, type: String, maximumSize: Int, part: CredentialError.Part = .credential
    ) throws(CredentialError) {
        guard text.utf8.count <= maximumSize else { throw .sizeExceeded(limit: maximumSize, in: part) }
        let pieces = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard pieces.count == 3 else { throw .malformed(part) }

        let header = try Self.object(pieces[0], in: part)
        guard header["crit"] == nil else { throw .unsupportedHeader("crit", in: part) }
        guard case .text(let name)? = header["alg"] else { throw .missingHeader("alg", in: part) }
        guard let algorithm = CredentialAlgorithm(rawValue: name) else { throw .unsupportedAlgorithm(in: part) }
        guard case .text(let actualType)? = header["typ"] else { throw .missingHeader("typ", in: part) }
        guard actualType == type else { throw .wrongType(expected: type, in: part) }
        switch header["kid"] {
        case nil: keyID = nil
        case .text(let value)?: keyID = value
        default: throw .malformed(part)
        }

        do { signature = try Base64URL.decode(pieces[2]) } catch { throw .text(error, in: part) }
        claims = try Self.object(pieces[1], in: part)
        signedCount = pieces[0].utf8.count + 1 + pieces[1].utf8.count
        self.algorithm = algorithm
        self.text = text
        self.part = part
    }

    /// Checks the signature.
    /// - Throws: ``CredentialError/wrongAlgorithm(expected:in:)`` if the header names another algorithm than the key's
    ///   one, ``CredentialError/invalidSignature(in:)``
    public func verify(with key: CredentialVerificationKey) throws(CredentialError) {
        guard key.algorithm == algorithm else { throw .wrongAlgorithm(expected: key.algorithm, in: part) }
        let signed = Array(text.utf8.prefix(signedCount))
        do {
            try key.verify(signature.bytes, of: signed.bytes)
        } catch {
            throw .invalidSignature(in: part)
        }
    }

    /// Signs claims: the compact form.
    /// - Throws: ``CredentialError/json(_:in:)`` if a claim has no form in JSON;
    ///   ``CredentialError/invalidKey(_:)`` as ``CredentialSigningKey/signature(for:)``
    public static func sign(
        _ claims: CBORMap, type: String, keyID: String?, with key: borrowing CredentialSigningKey,
        part: CredentialError.Part = .credential
    ) throws(CredentialError) -> String {
        var fields: [(String, CBORValue)] = [("alg", .text(key.publicKey.algorithm.rawValue)), ("typ", .text(type))]
        if let keyID { fields.append(("kid", .text(keyID))) }
        let header: [UInt8]
        let payload: [UInt8]
        do {
            header = try JSON.encode(.map(CBORMap(names: fields)))
            payload = try JSON.encode(.map(claims))
        } catch {
            throw .json(error, in: part)
        }
        let signed = Base64URL.encode(header) + "." + Base64URL.encode(payload)
        let message = Array(signed.utf8)
        let signature: FixedBytes<64>
        do { signature = try key.signature(for: message.bytes) } catch { throw .invalidKey(error) }
        return signed + "." + Base64URL.encode(signature.bytes)
    }

    private static func object(
        _ piece: Substring, in part: CredentialError.Part
    ) throws(CredentialError) -> CBORMap {
        let bytes: [UInt8]
        do { bytes = try Base64URL.decode(piece) } catch { throw .text(error, in: part) }
        let value: CBORValue
        do { value = try JSON.decode(bytes, maximumSize: bytes.count) } catch { throw .json(error, in: part) }
        guard case .map(let map) = value else { throw .malformed(part) }
        return map
    }
}
