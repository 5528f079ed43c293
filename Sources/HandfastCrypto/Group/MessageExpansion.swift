/// Stretches a message to uniform bytes: expand_message_xmd with SHA-512.
/// - Source: RFC 9380 §5.3.1
public enum MessageExpansion {
    /// The longest output in bytes: 255 blocks of SHA-512.
    public static let maximumCount = 255 * blockCount

    private static let blockCount = 64
    private static let inputBlockCount = 128

    /// `count` uniform bytes from a message, for one use that the tag names.
    /// - Parameters:
    ///   - message: What is stretched; it is no secret.
    ///   - tag: The domain separation tag, 1...255 bytes.
    ///   - count: Bytes of output, 1...16,320.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public static func expand(_ message: [UInt8], tag: [UInt8], count: Int) throws(CryptoError) -> [UInt8] {
        guard (1...255).contains(tag.count) else {
            throw .outOfRange(of: "domain separation tag in bytes", permitted: 1...255, actual: tag.count)
        }
        guard (1...maximumCount).contains(count) else {
            throw .outOfRange(of: "expanded message in bytes", permitted: 1...maximumCount, actual: count)
        }
        return expandUnchecked(message, tag: tag, count: count)
    }

    /// The same for a tag and a count that the caller has fixed within the bounds.
    static func expandUnchecked(_ message: [UInt8], tag: [UInt8], count: Int) -> [UInt8] {
        let suffix = tag + [UInt8(truncatingIfNeeded: tag.count)]
        let length = [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        let first = hash([UInt8](repeating: 0, count: inputBlockCount) + message + length + [0] + suffix)
        var block = hash(first + [1] + suffix)
        var output = block
        var index: UInt8 = 1
        while output.count < count {
            index += 1
            block = hash(zip(first, block).map { $0 ^ $1 } + [index] + suffix)
            output += block
        }
        return [UInt8](output.prefix(count))
    }

    private static func hash(_ message: [UInt8]) -> [UInt8] {
        SHA2.sha512(message.bytes).array
    }
}
