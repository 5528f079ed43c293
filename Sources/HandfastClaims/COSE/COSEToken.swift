internal import HandfastCrypto
internal import HandfastEncoding

/// A COSE_Sign1 as credentials and status lists use it: any algorithm of ``CredentialAlgorithm``, and headers that the
/// caller names.
///
/// - Source: RFC 9052 §4.2, §4.4; RFC 9596 (typ)
struct COSEToken: Hashable, Sendable {
    /// Labels of the COSE Header Parameters registry.
    enum Header {
        static let algorithm = 1
        static let critical = 2
        static let keyID = 4
        static let keyBindingCredential = 13
        static let type = 16
        static let disclosures = 17
        static let digestAlgorithm = 170

        private static let names: [UInt64: String] = [
            1: "alg", 2: "crit", 4: "kid", 13: "kcwt", 15: "CWT Claims", 16: "typ", 17: "sd_claims", 170: "sd_alg",
            171: "sd_aead_encrypted_claims", 172: "sd_aead",
        ]

        /// The registered name of a label, for errors.
        static func name(of label: CBORValue) -> String {
            switch label {
            case .unsigned(let label): names[label] ?? "label \(label)"
            case .negative(let argument): "label -1 - \(argument)"
            default: "a label"
            }
        }
    }

    private static let tag: UInt64 = 18

    /// The protected header's encoded map.
    let protected: [UInt8]
    /// The protected header.
    let header: CBORMap
    /// The unprotected header.
    let unprotected: CBORMap
    /// The content.
    let payload: [UInt8]
    /// The signature.
    let signature: [UInt8]
    /// The algorithm that the protected header names.
    let algorithm: CredentialAlgorithm
    /// The key that the issuer says it signed with (`kid` of the protected header).
    let keyID: [UInt8]?
    /// What it is, for errors.
    let part: CredentialError.Part
}

// MARK: - Decoding

extension COSEToken {
    /// Decodes the tagged structure that is all of `bytes`.
    /// - Parameters:
    ///   - limit: The largest input, in bytes.
    ///   - allowsUnsortedKeys: Whether maps may stand in any order.
    init(
        decoding bytes: [UInt8], limit: Int, part: CredentialError.Part, allowsUnsortedKeys: Bool = false
    ) throws(CredentialError) {
        guard bytes.count <= limit else { throw .sizeExceeded(limit: limit, in: part) }
        let value = try CBORValue.claims(decoding: bytes, in: part, allowsUnsortedKeys: allowsUnsortedKeys)
        try self.init(value, part: part, allowsUnsortedKeys: allowsUnsortedKeys)
    }

    /// Takes the tagged structure apart.
    /// - Parameter allowsUnsortedKeys: Whether the protected header may stand in any order.
    init(
        _ value: CBORValue, part: CredentialError.Part, allowsUnsortedKeys: Bool = false
    ) throws(CredentialError) {
        guard case .tag(Self.tag, .array(let items)) = value, items.count == 4,
            case .bytes(let protected) = items[0], case .map(let unprotected) = items[1],
            case .bytes(let payload) = items[2], case .bytes(let signature) = items[3]
        else { throw .malformed(part) }
        // RFC 9052 §3 writes the empty header as no bytes at all.
        guard !protected.isEmpty else { throw .missingHeader("alg", in: part) }
        guard
            case .map(let header) = try CBORValue.claims(
                decoding: protected, in: part, allowsUnsortedKeys: allowsUnsortedKeys)
        else {
            throw .malformed(part)
        }
        self.protected = protected
        self.header = header
        self.unprotected = unprotected
        self.payload = payload
        self.signature = signature
        self.part = part
        algorithm = try Self.algorithm(of: header, in: part)
        keyID = try Self.keyID(of: header, in: part)
    }

    private static func algorithm(
        of header: CBORMap, in part: CredentialError.Part
    ) throws(CredentialError) -> CredentialAlgorithm {
        guard let value = header[Header.algorithm] else { throw .missingHeader("alg", in: part) }
        guard case .negative(let argument) = value, argument < 1 << 32,
            let algorithm = CredentialAlgorithm(coseNumber: ~Int(argument))
        else { throw .unsupportedAlgorithm(in: part) }
        return algorithm
    }

    private static func keyID(
        of header: CBORMap, in part: CredentialError.Part
    ) throws(CredentialError) -> [UInt8]? {
        switch header[Header.keyID] {
        case nil: return nil
        case .bytes(let keyID)?: return keyID
        case _?: throw .unsupportedHeader("kid", in: part)
        }
    }

    /// Refuses every label but these, and a type that is neither of the two forms.
    func require(
        protected labels: [Int], unprotected unprotectedLabels: [Int], type number: UInt64, _ name: String
    ) throws(CredentialError) {
        try Self.require(labels, of: header, in: part)
        try Self.require(unprotectedLabels, of: unprotected, in: part)
        guard let type = header[Header.type] else { throw .missingHeader("typ", in: part) }
        guard type == .unsigned(number) || type == .text(name) else { throw .wrongType(expected: name, in: part) }
    }

    private static func require(
        _ labels: [Int], of header: CBORMap, in part: CredentialError.Part
    ) throws(CredentialError) {
        for entry in header.entries where !labels.contains(where: { .integer(Int64($0)) == entry.key }) {
            throw .unsupportedHeader(Header.name(of: entry.key), in: part)
        }
    }

    /// The map that the payload is.
    func payloadMap() throws(CredentialError) -> CBORMap {
        guard case .map(let map) = try CBORValue.claims(decoding: payload, in: part) else {
            throw .malformed(part)
        }
        return map
    }
}

extension CBORValue {
    /// Decodes the item that is all of `bytes`, simple values allowed.
    /// - Parameter allowsUnsortedKeys: Whether maps may stand in any order.
    static func claims(
        decoding bytes: [UInt8], in part: CredentialError.Part, allowsUnsortedKeys: Bool = false
    ) throws(CredentialError) -> CBORValue {
        do {
            return try CBORValue(
                decoding: bytes,
                limits: CBORLimits(
                    size: bytes.count, allowsSimpleValues: true, allowsUnsortedKeys: allowsUnsortedKeys))
        } catch {
            throw .cbor(error, in: part)
        }
    }
}

// MARK: - Signing and verifying

extension COSEToken {
    /// Checks that `key` signed this content by the algorithm that the header names.
    func verify(with key: CredentialVerificationKey) throws(CredentialError) {
        guard algorithm == key.algorithm else {
            throw .wrongAlgorithm(expected: key.algorithm, in: part)
        }
        let message = Self.toBeSigned(protected: protected, payload: payload)
        do {
            try key.verify(signature.bytes, of: message.bytes)
        } catch {
            throw .invalidSignature(in: part)
        }
    }

    /// Signs content under a protected header, which must name the key's algorithm.
    static func sign(
        protected: [UInt8], payload: [UInt8], with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> FixedBytes<64> {
        let message = toBeSigned(protected: protected, payload: payload)
        do {
            return try key.signature(for: message.bytes)
        } catch {
            throw .invalidKey(error)
        }
    }

    /// Writes the tagged structure.
    static func write(
        protected: [UInt8], payload: [UInt8], signature: RawSpan, to writer: inout CBORWriter,
        unprotected: (inout CBORWriter) -> Void = { _ in }
    ) {
        writer.writeTag(tag)
        writer.writeArrayHeader(4)
        writer.writeBytes(protected)
        writer.writeMap { writer in unprotected(&writer) }
        writer.writeBytes(payload)
        writer.writeBytes(signature)
    }

    /// The Sig_structure.
    private static func toBeSigned(protected: [UInt8], payload: [UInt8]) -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: protected.count + payload.count + 24)
        writer.writeArrayHeader(4)
        writer.writeText("Signature1")
        writer.writeBytes(protected)
        writer.writeBytes([])
        writer.writeBytes(payload)
        return writer.bytes
    }
}
