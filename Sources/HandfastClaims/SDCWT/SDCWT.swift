internal import HandfastCrypto
internal import HandfastEncoding

/// A credential as its issuer gave it to its holder: claims in CBOR that the issuer signed, some of them as digests, and
/// the disclosures that belong to these.
///
/// Whether the issuer signed it, only ``hold(_:for:issuerKey:now:clockSkew:)`` and
/// ``verify(_:in:issuerKey:)`` tell.
/// - Source: draft-ietf-spice-sd-cwt-07; Spec/10 §10.3
public struct SDCWT: Hashable, Sendable {
    /// The largest credential with all its disclosures, in bytes.
    public static let maximumCount = 32_768
    /// The largest presentation, in bytes.
    public static let maximumPresentationCount = 49_152
    /// The most disclosures.
    public static let maximumDisclosures = 128

    static let type: UInt64 = 293
    static let typeName = "application/sd-cwt"
    /// SHA-256 in the COSE Algorithms registry, as the argument of a negative integer.
    static let sha256 = -16

    let token: COSEToken
    let disclosures: [SDCWTDisclosure]
    /// The claim of each disclosure; nil for a decoy.
    let paths: [ClaimPath?]
    let content: SDCWTClaims

    /// Reads a credential with all its disclosures; nothing is verified.
    /// - Throws: every case of ``CredentialError`` but those of keys of issuers, times now and key bindings
    public init(decoding bytes: [UInt8]) throws(CredentialError) {
        let token = try COSEToken(decoding: bytes, limit: Self.maximumCount, part: .credential)
        let disclosures = try Self.readDisclosures(of: token)
        var unblinding = try SDCWTUnblinding(disclosures)
        let claims = try unblinding.reveal(try token.payloadMap())
        guard unblinding.hiddenCount == 0 else { throw .undisclosedDigest }
        let content = try SDCWTClaims(claims, mayHideSubject: false)
        self.token = token
        self.disclosures = disclosures
        self.paths = try unblinding.finish()
        self.content = content
    }

    /// Checks the headers of a token and reads its disclosures.
    static func readDisclosures(of token: COSEToken) throws(CredentialError) -> [SDCWTDisclosure] {
        typealias Header = COSEToken.Header
        try token.require(
            protected: [Header.algorithm, Header.keyID, Header.type, Header.digestAlgorithm],
            unprotected: [Header.disclosures], type: type, typeName)
        if let algorithm = token.header[Header.digestAlgorithm], algorithm != .integer(Int64(sha256)) {
            throw .unsupportedHash
        }
        guard let value = token.unprotected[Header.disclosures] else { return [] }
        // RFC 9052 would let the list be empty; the draft has it left out then (§4, §9).
        guard case .array(let items) = value, !items.isEmpty else { throw .malformed(.credential) }
        guard items.count <= maximumDisclosures else { throw .tooManyDisclosures(limit: maximumDisclosures) }
        var disclosures: [SDCWTDisclosure] = []
        disclosures.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard case .bytes(let bytes) = item else { throw .malformed(.disclosure(index)) }
            disclosures.append(try SDCWTDisclosure(decoding: bytes, index: index))
        }
        return disclosures
    }
}

// MARK: - What it says

extension SDCWT {
    /// What the holder may tell: the credential with every disclosure in its place.
    public var full: VerifiedCredential { content.verified(disclosed: paths.compactMap { $0 }) }

    /// The claims that the holder discloses or keeps back, one by one.
    public var redacted: [ClaimPath] { paths.compactMap { $0 } }

    /// The key that the issuer says it signed with.
    public var keyID: [UInt8]? { token.keyID }

    /// The credential with all its disclosures, as it was read.
    public func encoded() -> [UInt8] {
        encoded(disclosing: Array(disclosures.indices))
    }

    /// The credential with some of its disclosures.
    func encoded(disclosing chosen: [Int]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chosen.reduce(0) { $0 + disclosures[$1].encoded.count })
        for index in chosen { bytes += disclosures[index].encoded }
        return Self.encode(
            protected: token.protected, payload: token.payload, signature: token.signature.bytes, disclosures: bytes,
            count: chosen.count)
    }

    /// The tagged structure.
    /// - Parameters:
    ///   - disclosures: The disclosures one after the other, each encoded as a byte string.
    ///   - count: How many they are.
    static func encode(
        protected: [UInt8], payload: [UInt8], signature: RawSpan, disclosures: [UInt8], count: Int
    ) -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: protected.count + payload.count + disclosures.count + 96)
        COSEToken.write(protected: protected, payload: payload, signature: signature, to: &writer) { writer in
            guard count > 0 else { return }
            writer.writeKey(COSEToken.Header.disclosures)
            writer.writeArrayHeader(count)
            writer.writeEncoded(disclosures)
        }
        return writer.bytes
    }
}
