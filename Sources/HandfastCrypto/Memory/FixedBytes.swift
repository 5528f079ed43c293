/// A public value of a size known when compiling, held in place.
///
/// For keys, digests, nonces and signatures that everybody may see: ordering takes a time that depends on the
/// contents. Secrets live in ``SecretBytes``.
@frozen
public struct FixedBytes<let count: Int>: Sendable, BitwiseCopyable {
    @usableFromInline
    var storage: InlineArray<count, UInt8>

    @inlinable
    init(storage: InlineArray<count, UInt8>) {
        self.storage = storage
    }

    /// Copies `count` bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    @inlinable
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == count else {
            throw .wrongLength(of: "value", expected: count, actual: bytes.byteCount)
        }
        self.storage = unsafe bytes.unsafeLoadUnaligned(as: InlineArray<count, UInt8>.self)
    }

    /// Copies `count` bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    @inlinable
    public init(copying bytes: [UInt8]) throws(CryptoError) {
        try self.init(bytes.bytes)
    }

    /// Copies `count` bytes from an offset on, which the span must have.
    @inlinable
    public init(_ bytes: RawSpan, at offset: Int) {
        self.storage = unsafe bytes.unsafeLoadUnaligned(
            fromByteOffset: offset, as: InlineArray<count, UInt8>.self)
    }

    /// `count` zero bytes.
    @inlinable
    public static var zero: Self {
        Self(storage: InlineArray(repeating: 0))
    }

    /// Draws `count` random bytes.
    @inlinable
    public init(random generator: inout some RandomNumberGenerator) {
        self = .zero
        var bytes = mutableBytes
        generator.fill(&bytes)
    }

    // Swift 6.3.1 specialises this getter to take the value in registers and then lends the bytes of a copy that is
    // gone. Generic and opaque, it gets the address of the caller's value.
    /// The bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        @inline(never)
        @_semantics("optimize.sil.specialize.generic.never")
        get { unsafe storage.span.bytes }
    }

    /// The bytes, to be overwritten in place.
    @inlinable
    public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            var elements = storage.mutableSpan
            let buffer = unsafe elements.withUnsafeMutableBytes { unsafe $0 }
            return unsafe _overrideLifetime(MutableRawSpan(_unsafeBytes: buffer), mutating: &self)
        }
    }

    /// The bytes, copied.
    @inlinable
    public var array: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            for index in 0..<count {
                unsafe buffer.initializeElement(at: index, to: storage[index])
            }
            initializedCount = count
        }
    }
}

extension FixedBytes: Hashable {
    /// Whether all bytes are equal.
    @inlinable
    public static func == (left: Self, right: Self) -> Bool {
        // No way out of the loop: it becomes a few wide instructions.
        var difference: UInt8 = 0
        for index in 0..<count {
            difference |= unsafe left.storage[unchecked: index] ^ right.storage[unchecked: index]
        }
        return difference == 0
    }

    /// Feeds the bytes, without a length, into the hasher.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe hasher.combine(bytes: buffer)
        }
    }
}

extension FixedBytes: Comparable {
    /// The order of the bytes read as one big-endian number.
    @inlinable
    public static func < (left: Self, right: Self) -> Bool {
        for index in 0..<count where left.storage[index] != right.storage[index] {
            return left.storage[index] < right.storage[index]
        }
        return false
    }
}

extension FixedBytes: CustomStringConvertible {
    /// The bytes in lowercase hexadecimal.
    public var description: String {
        let digits: StaticString = "0123456789abcdef"
        return unsafe String(unsafeUninitializedCapacity: 2 * count) { buffer in
            for index in 0..<count {
                let byte = Int(storage[index])
                unsafe buffer[2 * index] = digits.utf8Start[byte >> 4]
                unsafe buffer[2 * index + 1] = digits.utf8Start[byte & 15]
            }
            return 2 * count
        }
    }
}
