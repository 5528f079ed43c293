internal import HandfastCrypto

/// Offsets and sizes of a hello, in bytes: `version ‖ bundle hash ‖ encapsulation ‖ sealed`.
///
/// - Source: Spec/03 §3.3
enum HelloLayout {
    static let version: UInt8 = 1
    static let bundleHashRange = 1..<33
    static let encapsulationRange = 33..<1_153
    static let maximumByteCount = 32_768
    static let minimumByteCount = 1_153 + Padding.minimumByteCount + 16
    static let maximumEntryCount = 16
    static let type = "handfast-hello+cose"
    static let lengthByteCount = 2
    /// The largest COSE message that still fits when padded.
    static let maximumContentByteCount = 30_000

    /// Checks size and version, in this order.
    static func check(_ hello: RawSpan) throws(ChannelError) {
        guard hello.byteCount <= maximumByteCount else { throw .tooLarge(of: "hello", maximum: maximumByteCount) }
        guard hello.byteCount >= minimumByteCount else {
            throw .malformed("hello: \(hello.byteCount) bytes are too few")
        }
        let version = unsafe hello.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        guard version == Self.version else { throw .unsupportedVersion(UInt64(version), of: "hello") }
    }

    /// Content behind its length, padded.
    static func padded(_ content: [UInt8]) -> [UInt8] {
        var plaintext = [UInt8](
            repeating: 0, count: Padding.paddedByteCount(of: lengthByteCount + content.count))
        plaintext[0] = UInt8(truncatingIfNeeded: content.count >> 8)
        plaintext[1] = UInt8(truncatingIfNeeded: content.count)
        plaintext.replaceSubrange(lengthByteCount..<lengthByteCount + content.count, with: content)
        return plaintext
    }

    /// The content of a padded plaintext.
    static func content(of plaintext: [UInt8]) throws(ChannelError) -> ArraySlice<UInt8> {
        guard plaintext.count >= lengthByteCount else { throw .malformed("hello: plaintext too short") }
        let end = lengthByteCount + (Int(plaintext[0]) << 8 | Int(plaintext[1]))
        guard end <= plaintext.count, plaintext[end...].allSatisfy({ $0 == 0 }) else {
            throw .malformed("hello: length or padding is wrong")
        }
        return plaintext[lengthByteCount..<end]
    }
}
