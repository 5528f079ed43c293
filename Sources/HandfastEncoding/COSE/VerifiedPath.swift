internal import HandfastCrypto

/// The way from a leaf to the root of a tree whose root is known to be right.
///
/// Neighbours share most of their ways. The next leaf's need be hashed only up to the first pair that is on this one
/// too: a pair that is known stands for everything above it.
struct VerifiedPath: Sendable {
    /// Two nodes beside each other, and their place among the pairs of their level.
    private struct Pair: Hashable, Sendable {
        let index: Int
        let left: Digest
        let right: Digest

        /// - Parameter index: the place of `node` among the nodes of its level.
        init(of node: Digest, at index: Int, beside sibling: Digest) {
            self.index = index >> 1
            (left, right) = index.isMultiple(of: 2) ? (node, sibling) : (sibling, node)
        }

        var parent: Digest { TreeHash.node(left, right) }
    }

    private let treeSize: Int
    /// From the leaf up; nil where the way has a node without a neighbour.
    private var pairs: [Pair?] = []

    /// The way of a proof, of which a signature has told that it leads to the root.
    init(of proof: InclusionProof, from leafHash: Digest) {
        treeSize = proof.treeSize
        pairs = Self.pairs(of: proof, from: leafHash, meeting: []).pairs
    }

    /// Whether a proof leads from its leaf to the same root, hash by hash; its way is then the one that is known.
    mutating func leads(_ proof: InclusionProof, from leafHash: Digest) -> Bool {
        guard proof.treeSize == treeSize else { return false }
        let way = Self.pairs(of: proof, from: leafHash, meeting: pairs)
        guard way.isKnown else { return false }
        pairs = way.pairs
        return true
    }

    /// The pairs on the way of a proof.
    ///
    /// - Returns: and whether the way meets the known one, and is the same from there on.
    private static func pairs(
        of proof: InclusionProof, from leafHash: Digest, meeting known: [Pair?]
    ) -> (pairs: [Pair?], isKnown: Bool) {
        var pairs: [Pair?] = []
        pairs.reserveCapacity(InclusionProof.maximumPathCount)
        var siblings = proof.path[...]
        var (node, index, last, hasMet) = (leafHash, proof.leafIndex, proof.treeSize - 1, false)
        while last > 0 {
            if !index.isMultiple(of: 2) || index < last {
                guard let sibling = siblings.popFirst() else { return (pairs, false) }
                let other = pairs.count < known.count ? known[pairs.count] : nil
                if hasMet, let other { node = index.isMultiple(of: 2) ? other.left : other.right }
                let pair = Pair(of: node, at: index, beside: sibling)
                if pair.index == other?.index {
                    guard pair == other else { return (pairs, false) }
                    hasMet = true
                } else {
                    node = pair.parent
                }
                pairs.append(pair)
            } else {
                pairs.append(nil)
            }
            (index, last) = (index >> 1, last >> 1)
        }
        return (pairs, hasMet && siblings.isEmpty)
    }
}
