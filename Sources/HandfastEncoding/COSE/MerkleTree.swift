public import HandfastCrypto

/// A Merkle tree over SHA-256, as a COSE receipt proves inclusion in it (verifiable data structure 1).
///
/// - Source: RFC 9162 §2.1.1; RFC 9942 (RFC9162_SHA256); Spec/01 §1.7.
public struct MerkleTree: Sendable {
    /// The most leaves.
    public static let maximumLeafCount = 65_536

    /// All levels, the leaves first.
    private var nodes: [Digest]
    /// Where each level stands in `nodes`.
    private var levels: [Range<Int>]

    /// A tree over 1 to 65,536 leaf hashes, in this order.
    public init(leafHashes: [Digest]) {
        precondition((1...Self.maximumLeafCount).contains(leafHashes.count), "a tree has 1 to 65,536 leaves")
        nodes = leafHashes
        nodes.reserveCapacity(2 * leafHashes.count + InclusionProof.maximumPathCount)
        var level = 0..<leafHashes.count
        levels = [level]
        while level.count > 1 {
            TreeHash.parents(of: level, in: &nodes)
            level = level.upperBound..<nodes.count
            levels.append(level)
        }
    }

    /// The root.
    public var root: Digest { nodes[nodes.count - 1] }

    /// The proof that the leaf of this number, from 0, is in the tree.
    public func proof(of index: Int) -> InclusionProof {
        precondition(levels[0].contains(index), "the tree has no such leaf")
        var path: [Digest] = []
        path.reserveCapacity(levels.count - 1)
        for (height, level) in levels.dropLast().enumerated() {
            let sibling = level.lowerBound + (index >> height ^ 1)
            if sibling < level.upperBound { path.append(nodes[sibling]) }
        }
        return InclusionProof(treeSize: levels[0].count, leafIndex: index, path: path)
    }
}
