public import HandfastCrypto

/// Content that one Ed25519 key signed, with its type: a COSE_Sign1 in the protocol's strict profile.
///
/// The protected header is exactly `{1: -8, 16: type}`, the tag is 18. The unprotected header is empty, unless the
/// content was signed in a batch: then it holds the content's place in it.
///
/// - Source: RFC 9052 §4.2, §4.4; RFC 9053 §2.2 (EdDSA); RFC 9596 (typ); Spec/01 §1.4, §1.7.
public struct COSESign1: Hashable, Sendable {
    /// The longest type, in bytes of UTF-8.
    public static let maximumTypeCount = 64

    /// What the content is: the `typ` of the protected header.
    public let type: String
    /// The protected header's encoded map.
    public let protected: [UInt8]
    /// The content.
    public let payload: [UInt8]
    /// The Ed25519 signature, over this content or over its batch.
    public let signature: FixedBytes<64>
    /// The place in the batch that the signature covers; nil when it covers this content alone.
    public let proof: InclusionProof?

    private init(
        type: String, protected: [UInt8], payload: [UInt8], signature: FixedBytes<64>, proof: InclusionProof? = nil
    ) {
        self.type = type
        self.protected = protected
        self.payload = payload
        self.signature = signature
        self.proof = proof
    }
}

extension COSESign1 {
    /// The protected header of content of one type, encoded once for all of it.
    public struct Header: Sendable {
        let type: String
        let protected: [UInt8]

        /// The header of content of `type`, a constant of at most 64 bytes of UTF-8.
        public init(type: String) {
            self.type = type
            protected = COSESign1.protectedHeader(type: type)
        }

        fileprivate func isEncoded(as bytes: RawSpan) -> Bool {
            guard bytes.byteCount == protected.count else { return false }
            return unsafe bytes.withUnsafeBytes { unsafe $0.elementsEqual(protected) }
        }
    }
}

// MARK: - Signing and verifying

extension COSESign1 {
    /// Signs `payload` as content of `type`, a constant of at most 64 bytes of UTF-8.
    ///
    /// `externalData` is covered by the signature and not carried.
    public static func sign(
        _ payload: [UInt8], type: String, externalData: [UInt8] = [], with key: borrowing SigningKey
    ) -> COSESign1 {
        precondition(type.utf8.count <= maximumTypeCount, "a type has at most 64 bytes")
        let protected = protectedHeader(type: type)
        let message = toBeSigned(protected: protected, externalData: externalData, payload: payload)
        return COSESign1(
            type: type, protected: protected, payload: payload, signature: key.signature(for: message.bytes))
    }

    /// Checks that `key` signed this payload, and not a batch, as content of `type` with `externalData`.
    /// - Throws: ``COSEError/wrongType(expected:actual:)``, ``COSEError/unprotectedHeader``,
    ///   ``COSEError/invalidSignature``.
    public func verify(
        type: String, externalData: [UInt8] = [], with key: VerificationKey
    ) throws(COSEError) {
        try require(type: type)
        guard proof == nil else { throw .unprotectedHeader }
        let message = Self.toBeSigned(protected: protected, externalData: externalData, payload: payload)
        do {
            try key.verify(signature.bytes, of: message.bytes)
        } catch {
            throw .invalidSignature
        }
    }

    /// Refuses content of another type.
    func require(type: String) throws(COSEError) {
        guard self.type.utf8.elementsEqual(type.utf8) else {
            throw .wrongType(expected: type, actual: self.type)
        }
    }

    /// The protected header of content of `type`, encoded.
    public static func protectedHeader(type: String) -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: type.utf8.count + 6)
        writer.writeMap { writer in
            writer.writeKey(Parameter.algorithm)
            writer.writeInteger(Int64(Parameter.edDSA))
            writer.writeKey(Parameter.type)
            writer.writeText(type)
        }
        return writer.bytes
    }

    /// The Sig_structure.
    static func toBeSigned(protected: [UInt8], externalData: [UInt8], payload: [UInt8]) -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: protected.count + externalData.count + payload.count + 32)
        writer.writeArrayHeader(4)
        writer.writeText("Signature1")
        writer.writeBytes(protected)
        writer.writeBytes(externalData)
        writer.writeBytes(payload)
        return writer.bytes
    }
}

// MARK: - Batches

extension COSESign1 {
    /// Signs many payloads of one type by one signature, each of which can be verified without the others.
    ///
    /// - Parameters:
    ///   - contents: 1 to 32,768 payloads, each with the digest that stands for it.
    ///   - type: A constant of at most 64 bytes of UTF-8.
    ///   - key: The signer's key.
    ///   - random: Draws a salt of 32 bytes for each.
    /// - Returns: The contents in the same order.
    /// - Source: Spec/01 §1.7.
    public static func sign(
        batch contents: [(payload: [UInt8], leaf: Digest)], type: String, with key: borrowing SigningKey,
        using random: inout some RandomNumberGenerator
    ) -> [COSESign1] {
        precondition((1...BatchSignature.maximumCount).contains(contents.count), "a batch has 1 to 32,768 contents")
        let protected = protectedHeader(type: type)
        let salts = random.bytes(contents.count * 32)
        var leaves: [Digest] = []
        leaves.reserveCapacity(2 * contents.count)
        for (index, content) in contents.enumerated() {
            leaves.append(TreeHash.leaf(content.leaf.bytes))
            leaves.append(Digest(FixedBytes(salts.bytes, at: index * 32)))
        }
        let tree = MerkleTree(leafHashes: leaves)
        let signature = key.signature(for: BatchSignature.toBeSigned(root: tree.root).bytes)
        return contents.indices.map { index in
            COSESign1(
                type: type, protected: protected, payload: contents[index].payload, signature: signature,
                proof: tree.proof(of: 2 * index))
        }
    }

    /// The batch that the signature covers, if `leaf` is what stands for this content in it; nil without a proof.
    public func batch(leaf: Digest) -> BatchSignature? {
        proof.map { proof in
            BatchSignature(root: proof.root(leafHash: TreeHash.leaf(leaf.bytes)), signature: signature)
        }
    }
}

// MARK: - Encoding and decoding

extension COSESign1 {
    private enum Parameter {
        static let algorithm = 1
        static let type = 16
        static let edDSA = -8
    }

    private static let tag: UInt64 = 18

    /// At most so many bytes besides protected header and payload.
    private static let framing = 80

    /// The tagged structure with its payload.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: payload.count + protected.count + Self.framing)
        write(to: &writer)
        return writer.bytes
    }

    /// Writes the tagged structure with its payload.
    public func write(to writer: inout CBORWriter) {
        write(to: &writer) { writer in writer.writeBytes(payload) }
    }

    /// The tagged structure with null for its payload, which travels otherwise.
    public func encodedDetached() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: protected.count + Self.framing)
        write(to: &writer) { writer in writer.writeNull() }
        return writer.bytes
    }

    private func write(to writer: inout CBORWriter, payload writePayload: (inout CBORWriter) -> Void) {
        writer.writeTag(Self.tag)
        writer.writeArrayHeader(4)
        writer.writeBytes(protected)
        writer.writeMap { writer in
            guard let proof else { return }
            writer.writeKey(InclusionProof.headerLabel)
            proof.writeProofs(to: &writer)
        }
        writePayload(&writer)
        writer.writeBytes(signature.bytes)
    }

    /// Decodes the structure that is all of `bytes`; whether its signature is right, ``verify(type:externalData:with:)``
    /// tells.
    /// - Parameters:
    ///   - maximumPayload: The longest payload, in bytes.
    ///   - allowsBatch: Whether content of this type may have been signed in a batch.
    ///   - header: The protected header that is expected. Another is read as well, and takes longer.
    /// - Throws: ``COSEError/payloadMissing`` if it is detached; every case but those of keys and verification.
    public init(
        decoding bytes: RawSpan, maximumPayload: Int, allowsBatch: Bool = false, expecting header: Header? = nil
    ) throws(COSEError) {
        var reader = CBORReader(bytes, limits: CBORLimits(size: .max))
        try self.init(reading: &reader, maximumPayload: maximumPayload, allowsBatch: allowsBatch, expecting: header)
        do { try reader.finish() } catch { throw .cbor(error) }
    }

    /// Decodes the reader's next item, as ``init(decoding:maximumPayload:)``.
    public init(
        reading reader: inout CBORReader, maximumPayload: Int, allowsBatch: Bool = false,
        expecting header: Header? = nil
    ) throws(COSEError) {
        let (type, protected) = try Self.readProtected(&reader, expecting: header)
        let proof = try Self.readUnprotected(&reader, allowsProof: allowsBatch)
        guard try !Self.readNullIfPresent(&reader) else { throw .payloadMissing }
        do {
            let payload = try reader.readByteArray(maximum: maximumPayload)
            self.init(
                type: type, protected: protected, payload: payload, signature: try reader.readFixedBytes(),
                proof: proof)
        } catch {
            throw .cbor(error)
        }
    }

    /// Decodes the detached structure that is all of `bytes` and joins it with its payload.
    /// - Throws: ``COSEError/payloadPresent`` if it is not detached; otherwise as ``init(decoding:maximumPayload:)``.
    public init(decodingDetached bytes: RawSpan, payload: [UInt8]) throws(COSEError) {
        var reader = CBORReader(bytes)
        let (type, protected) = try Self.readProtected(&reader)
        _ = try Self.readUnprotected(&reader, allowsProof: false)
        guard try Self.readNullIfPresent(&reader) else { throw .payloadPresent }
        do {
            self.init(type: type, protected: protected, payload: payload, signature: try reader.readFixedBytes())
            try reader.finish()
        } catch {
            throw .cbor(error)
        }
    }

    private static func readNullIfPresent(_ reader: inout CBORReader) throws(COSEError) -> Bool {
        do { return try reader.readNullIfPresent() } catch { throw .cbor(error) }
    }

    /// Reads tag, array head and the protected header.
    private static func readProtected(
        _ reader: inout CBORReader, expecting header: Header? = nil
    ) throws(COSEError) -> (type: String, protected: [UInt8]) {
        let protected: [UInt8]
        do {
            try reader.readTag(tag)
            try reader.readArrayHeader(count: 4)
            let bytes = try reader.readBytes(maximum: maximumTypeCount + 8)
            if let header, header.isEncoded(as: bytes) { return (header.type, header.protected) }
            protected = [UInt8](bytes)
        } catch {
            throw .cbor(error)
        }
        return (try readProtected(protected.bytes), protected)
    }

    /// Reads the unprotected header, which is empty or, where that may be, a proof of inclusion alone.
    private static func readUnprotected(
        _ reader: inout CBORReader, allowsProof: Bool
    ) throws(COSEError) -> InclusionProof? {
        let (count, label): (Int, Int64?)
        do {
            count = try reader.readMapHeader(maximum: .max)
            label = count == 1 && allowsProof ? try reader.readInteger() : nil
        } catch {
            throw .cbor(error)
        }
        guard count > 0 else { return nil }
        guard label == Int64(InclusionProof.headerLabel) else { throw .unprotectedHeader }
        let proof = try InclusionProof(readingProofs: &reader)
        // The leaves of odd number are salts.
        guard proof.leafIndex.isMultiple(of: 2), proof.treeSize.isMultiple(of: 2) else { throw .invalidProof }
        return proof
    }

    /// The type that a protected header of the profile holds.
    private static func readProtected(_ bytes: RawSpan) throws(COSEError) -> String {
        // RFC 9052 §3 writes the empty header as no bytes at all.
        guard !bytes.isEmpty else { throw .missingHeader(Parameter.algorithm) }
        var reader = CBORReader(bytes)
        var (algorithm, type): (Int64?, String?)
        do {
            var map = try reader.readIntegerMap()
            if try map.hasKey(Parameter.algorithm, &reader) { algorithm = try reader.readInteger() }
            if try map.hasKey(Parameter.type, &reader) { type = try reader.readText(maximum: maximumTypeCount) }
            try map.finish(&reader)
            try reader.finish()
        } catch {
            if case .unknownKey(let label, _) = error { throw .unsupportedHeader(label) }
            throw .cbor(error)
        }
        guard let algorithm else { throw .missingHeader(Parameter.algorithm) }
        guard algorithm == Parameter.edDSA else {
            throw .wrongAlgorithm(expected: Parameter.edDSA, actual: Int(algorithm))
        }
        guard let type else { throw .missingHeader(Parameter.type) }
        return type
    }
}
