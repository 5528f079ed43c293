/// A header key and eight blocks of its stream, made at once when the first of them is asked for: that takes hardly
/// longer than to make one.
///
/// The blocks are in memory only, beside the key that makes them, and are wiped with it. 544 bytes.
/// - Source: Spec/04 §4.2
public struct HeaderStream: ~Copyable, Sendable {
    /// How many blocks are made at once.
    public static let groupCount: UInt32 = 8

    /// The key of the stream.
    public let key: HeaderKey
    private var blocks = SecretBytes(count: Int(groupCount) * HeaderKey.blockCount)
    /// Index of the first block at hand; nil when there are none.
    private var first: UInt32?

    /// Takes over a key; nothing is made yet.
    public init(_ key: consuming HeaderKey) {
        self.key = key
    }

    /// XORs the block of an index over 64 bytes, as ``HeaderKey/mask(_:at:)`` does; allocates nothing.
    public mutating func mask(_ block: inout MutableRawSpan, at index: UInt32) {
        precondition(block.byteCount == HeaderKey.blockCount, "A header is masked in a block of 64 bytes")
        let offset = Int(offset(of: index)) * HeaderKey.blockCount
        unsafe block.withUnsafeMutableBytes { block in
            for place in stride(from: 0, to: HeaderKey.blockCount, by: 8) {
                let mask = unsafe blocks.pointer.loadUnaligned(fromByteOffset: offset + place, as: UInt64.self)
                let word = unsafe block.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                unsafe block.storeBytes(of: word ^ mask, toByteOffset: place, as: UInt64.self)
            }
        }
    }

    private mutating func offset(of index: UInt32) -> UInt32 {
        if let first, index >= first, index - first < Self.groupCount { return index - first }
        key.writeBlocks(from: index, into: &blocks)
        first = index
        return 0
    }
}
