internal import CSodium

/// The hashes of a Merkle tree over SHA-256. A prefix byte keeps leaves and inner nodes apart.
/// - Source: RFC 9162 §2.1.1
public enum TreeHash {
    /// The hash of a leaf: SHA-256(0x00 ‖ content).
    public static func leaf(_ content: RawSpan) -> Digest {
        hash(prefix: 0, content)
    }

    /// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
    public static func node(_ left: Digest, _ right: Digest) -> Digest {
        var children = InlineArray<2, Digest>(repeating: left)
        children[1] = right
        return unsafe hash(prefix: 1, children.span.bytes)
    }

    /// Writes the level above `level`: the hash of each pair of neighbours, and a last one without a neighbour as it is.
    public static func parents(of level: Range<Int>, in nodes: inout [Digest]) {
        for left in stride(from: level.lowerBound, to: level.upperBound - 1, by: 2) {
            nodes.append(node(of: nodes.span, at: left))
        }
        guard !level.count.isMultiple(of: 2), let last = level.last else { return }
        let lone = nodes[last]
        nodes.append(lone)
    }

    private static func node(of nodes: Span<Digest>, at left: Int) -> Digest {
        unsafe hash(prefix: 1, nodes.extracting(left..<left + 2).bytes)
    }

    // swift-crypto's SHA-256 is faster a byte, and allocates an object for each hash: over 33 and 65 bytes it comes out
    // behind.
    private static func hash(prefix: UInt8, _ content: RawSpan) -> Digest {
        var value = FixedBytes<32>.zero
        var output = value.mutableBytes
        unsafe withUnsafeTemporaryAllocation(of: crypto_hash_sha256_state.self, capacity: 1) { state in
            guard let state = state.baseAddress else { return }
            _ = unsafe crypto_hash_sha256_init(state)
            unsafe withUnsafePointer(to: prefix) { _ = unsafe crypto_hash_sha256_update(state, $0, 1) }
            unsafe content.withUnsafeBytes {
                _ = unsafe crypto_hash_sha256_update(state, $0.baseAddress, UInt64($0.count))
            }
            unsafe output.withUnsafeMutableBytes { output in
                guard let output = output.baseAddress else { return }
                _ = unsafe crypto_hash_sha256_final(state, output)
            }
        }
        return Digest(value)
    }
}
