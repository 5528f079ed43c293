public import HandfastCrypto

/// One signature for many contents: it covers the root of a Merkle tree, and each content carries the way to it.
///
/// The tree has two leaves for each content: the digest that stands for it, and beside it a *salt*, a leaf of which
/// nobody knows more than its hash of 32 random bytes. So what a proof shows of its neighbours tells nothing of them.
///
/// - Source: RFC 9942 §5.2.1 (receipt of inclusion); Spec/01 §1.7.
public struct BatchSignature: Hashable, Sendable {
    /// The most contents under one signature.
    public static let maximumCount = MerkleTree.maximumLeafCount / 2

    /// What a batch is: the `typ` of its signature's protected header.
    static let type = "handfast-batch+cose"

    /// The root of the batch's tree.
    public let root: Digest
    /// The Ed25519 signature over the root.
    public let signature: FixedBytes<64>

    /// What the signature is over: the Sig_structure of the receipt whose detached payload is the root.
    public var toBeSigned: [UInt8] { Self.toBeSigned(root: root) }

    /// Checks that `key` signed the root.
    /// - Throws: ``COSEError/invalidSignature``.
    func verify(with key: VerificationKey) throws(COSEError) {
        do {
            try key.verify(signature.bytes, of: toBeSigned.bytes)
        } catch {
            throw .invalidSignature
        }
    }

    static func toBeSigned(root: Digest) -> [UInt8] {
        var protected = CBORWriter(reservingCapacity: 32)
        protected.writeMap { writer in
            writer.writeKey(1)
            writer.writeInteger(-8)
            writer.writeKey(16)
            writer.writeText(type)
            // The verifiable data structure: RFC9162_SHA256.
            writer.writeKey(395)
            writer.writeUnsigned(1)
        }
        return COSESign1.toBeSigned(protected: protected.bytes, externalData: [], payload: root.array)
    }
}

/// Checks contents that were signed in batches, and the signature of a batch once for many of them in a row.
///
/// - Source: Spec/01 §1.7.
public struct BatchVerifier: Sendable {
    private var latest: (batch: BatchSignature, key: VerificationKey, path: VerifiedPath)?

    /// A verifier that knows no batch yet.
    public init() {}

    /// Checks that one of two keys signed this content, alone or in a batch.
    ///
    /// - Parameters:
    ///   - signed: The content with its signature.
    ///   - type: What the content is to be.
    ///   - leaf: The digest that stands for the content in a batch.
    ///   - key: The key that may sign it, alone or in a batch.
    ///   - batchKey: Another key that may sign it, in a batch only.
    /// - Throws: ``COSEError/wrongType(expected:actual:)``, ``COSEError/invalidSignature``.
    public mutating func verify(
        _ signed: COSESign1, type: String, leaf: Digest, with key: VerificationKey,
        orInBatch batchKey: VerificationKey? = nil
    ) throws(COSEError) {
        guard let proof = signed.proof else { return try signed.verify(type: type, with: key) }
        try signed.require(type: type)
        let leafHash = TreeHash.leaf(leaf.bytes)
        if let latest, latest.batch.signature == signed.signature, latest.key == key || latest.key == batchKey,
            self.latest?.path.leads(proof, from: leafHash) == true
        {
            return
        }
        let batch = BatchSignature(root: proof.root(leafHash: leafHash), signature: signed.signature)
        let path = VerifiedPath(of: proof, from: leafHash)
        do {
            try batch.verify(with: key)
            latest = (batch, key, path)
        } catch {
            guard let batchKey else { throw error }
            try batch.verify(with: batchKey)
            latest = (batch, batchKey, path)
        }
    }
}
