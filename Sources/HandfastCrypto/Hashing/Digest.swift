/// A hash of 32 bytes: BLAKE2b-256 under a ``Label``, or SHA-256 where a standard fixes it.
public struct Digest: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The digest as plain bytes.
    public let value: FixedBytes<32>

    /// Takes 32 bytes for a digest.
    public init(_ value: FixedBytes<32>) {
        self.value = value
    }

    /// Copies 32 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == 32 else {
            throw .wrongLength(of: "digest", expected: 32, actual: bytes.byteCount)
        }
        try value = FixedBytes(bytes)
    }

    /// The labelled hash of length-prefixed parts: a ``LabelledHash`` in one call.
    public static func of(_ label: Label, _ parts: [UInt8]...) -> Digest {
        BLAKE2b.digest(label, parts)
    }

    /// The 32 bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { value.bytes }
    }

    /// The 32 bytes, copied.
    public var array: [UInt8] { value.array }

    /// The digest in lowercase hexadecimal.
    public var description: String { value.description }

    /// The order of the bytes read as one big-endian number.
    public static func < (left: Digest, right: Digest) -> Bool {
        left.value < right.value
    }
}
