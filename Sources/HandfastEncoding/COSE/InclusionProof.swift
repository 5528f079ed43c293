public import HandfastCrypto

/// The way from a leaf of a Merkle tree to its root.
///
/// - Source: RFC 9162 §2.1.3; RFC 9942 §5.2; Spec/01 §1.7.
public struct InclusionProof: Hashable, Sendable {
    /// The longest path, in hashes.
    public static let maximumPathCount = 16

    /// How many leaves the tree has, 1 to 65,536.
    public let treeSize: Int
    /// The leaf's number, from 0.
    public let leafIndex: Int
    /// The hashes beside the way, from the leaf up; at most 16.
    public let path: [Digest]

    init(treeSize: Int, leafIndex: Int, path: [Digest]) {
        self.treeSize = treeSize
        self.leafIndex = leafIndex
        self.path = path
    }

    /// A proof whose path is as long as its place in the tree asks for; whether it leads to the root, a signature tells.
    /// - Throws: ``COSEError/invalidProof``
    public init(checking treeSize: UInt64, leafIndex: UInt64, path: [Digest]) throws(COSEError) {
        guard treeSize <= UInt64(MerkleTree.maximumLeafCount), leafIndex < treeSize,
            path.count == Self.pathCount(of: Int(leafIndex), in: Int(treeSize))
        else { throw .invalidProof }
        self.init(treeSize: Int(treeSize), leafIndex: Int(leafIndex), path: path)
    }

    /// The root to which the path leads from the leaf with this hash.
    public func root(leafHash: Digest) -> Digest {
        var hash = leafHash
        var (index, last) = (leafIndex, treeSize - 1)
        for sibling in path {
            if !index.isMultiple(of: 2) || index == last {
                hash = TreeHash.node(sibling, hash)
                // A node without a neighbour stands for itself one level up.
                while index.isMultiple(of: 2), index != 0 { (index, last) = (index >> 1, last >> 1) }
            } else {
                hash = TreeHash.node(hash, sibling)
            }
            (index, last) = (index >> 1, last >> 1)
        }
        return hash
    }

    /// How many hashes the path from a leaf has.
    private static func pathCount(of index: Int, in size: Int) -> Int {
        var (index, last, count) = (index, size - 1, 0)
        while last > 0 {
            if !index.isMultiple(of: 2) || index < last { count += 1 }
            (index, last) = (index >> 1, last >> 1)
        }
        return count
    }
}

// MARK: - Header parameter

extension InclusionProof {
    /// The label of the verifiable data proofs.
    static let headerLabel = 396
    /// The proof type "inclusion".
    private static let inclusionLabel = -1
    /// The encoded proof has at most so many bytes.
    private static let maximumByteCount = 560

    /// Writes the value of header 396: `{-1: [<<[tree size, leaf index, path]>>]}`.
    func writeProofs(to writer: inout CBORWriter) {
        var proof = CBORWriter(reservingCapacity: Self.maximumByteCount)
        proof.writeArrayHeader(3)
        proof.writeUnsigned(UInt64(treeSize))
        proof.writeUnsigned(UInt64(leafIndex))
        proof.writeArrayHeader(path.count)
        for hash in path { proof.writeBytes(hash.bytes) }
        writer.writeMap { writer in
            writer.writeKey(Self.inclusionLabel)
            writer.writeArrayHeader(1)
            writer.writeBytes(proof.bytes)
        }
    }

    /// Reads the value of header 396, which is one inclusion proof.
    init(readingProofs reader: inout CBORReader) throws(COSEError) {
        let (treeSize, leafIndex): (UInt64, UInt64)
        var path: [Digest] = []
        do {
            var proofs = try reader.readIntegerMap()
            try proofs.requireKey(Self.inclusionLabel, &reader)
            try reader.readArrayHeader(count: 1)
            let bytes = try reader.readBytes(maximum: Self.maximumByteCount)
            try proofs.finish(&reader)
            var proof = CBORReader(bytes)
            try proof.readArrayHeader(count: 3)
            treeSize = try proof.readUnsigned()
            leafIndex = try proof.readUnsigned()
            let count = try proof.readArrayHeader(maximum: Self.maximumPathCount)
            path.reserveCapacity(count)
            for _ in 0..<count { path.append(Digest(try proof.readFixedBytes())) }
            try proof.finish()
        } catch {
            throw .cbor(error)
        }
        try self.init(checking: treeSize, leafIndex: leafIndex, path: path)
    }
}
