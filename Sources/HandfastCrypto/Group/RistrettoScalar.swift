internal import CSodium

/// A public scalar of ristretto255: a number below the group's order ℓ, 32 bytes, little endian.
/// - Source: RFC 9496 §4.4
public struct RistrettoScalar: Hashable, Sendable, BitwiseCopyable {
    /// Size of the encoding in bytes.
    public static let count = 32

    /// The number, little endian.
    public let value: FixedBytes<32>

    /// Takes a number below the group's order.
    /// - Throws: ``CryptoError/notCanonical(_:)``
    public init(_ value: FixedBytes<32>) throws(CryptoError) {
        guard Self.reduced(value.array).value == value else { throw .notCanonical("ristretto255 scalar") }
        self.value = value
    }

    /// Takes a number below the group's order.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/notCanonical(_:)``
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "ristretto255 scalar", expected: Self.count, actual: bytes.byteCount)
        }
        try self.init(FixedBytes(bytes))
    }

    init(trusted value: FixedBytes<32>) {
        self.value = value
    }

    /// A small number.
    public init(_ number: UInt64) {
        var value = FixedBytes<32>.zero
        var bytes = value.mutableBytes
        bytes.storeBytes(of: number.littleEndian, as: UInt64.self)
        self.value = value
    }

    /// 0.
    public static let zero = RistrettoScalar(trusted: .zero)

    /// 1.
    public static let one = RistrettoScalar(1)

    /// The scalar of a message.
    /// - Source: RFC 9380 §5.3.1, 64 bytes of expand_message_xmd with SHA-512, little endian, reduced
    public static func hash(_ message: [UInt8], tag: RistrettoTag) -> RistrettoScalar {
        reduced(MessageExpansion.expandUnchecked(message, tag: tag.bytes, count: 64))
    }

    /// The remainder of a number of at most 64 bytes.
    private static func reduced(_ number: [UInt8]) -> RistrettoScalar {
        let wide = number + [UInt8](repeating: 0, count: 64 - number.count)
        return unsafe made { output in
            unsafe wide.withUnsafeBufferPointer { wide in
                guard let wide = wide.baseAddress else { return }
                unsafe crypto_core_ristretto255_scalar_reduce(output, wide)
            }
        }
    }

    /// The 32 bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { value.bytes }
    }

    /// The 32 bytes, copied.
    public var array: [UInt8] { value.array }

    /// Whether this is 0.
    public var isZero: Bool { value == .zero }

    /// The sum.
    public static func + (left: RistrettoScalar, right: RistrettoScalar) -> RistrettoScalar {
        unsafe combined(left, right) { unsafe crypto_core_ristretto255_scalar_add($0, $1, $2) }
    }

    /// The difference.
    public static func - (left: RistrettoScalar, right: RistrettoScalar) -> RistrettoScalar {
        unsafe combined(left, right) { unsafe crypto_core_ristretto255_scalar_sub($0, $1, $2) }
    }

    /// The product.
    public static func * (left: RistrettoScalar, right: RistrettoScalar) -> RistrettoScalar {
        unsafe combined(left, right) { unsafe crypto_core_ristretto255_scalar_mul($0, $1, $2) }
    }

    /// The number whose product with this one is 1; 0 for 0.
    public func inverse() -> RistrettoScalar {
        unsafe Self.made { output in
            unsafe value.bytes.withUnsafeBytes { bytes in
                guard let bytes = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
                _ = unsafe crypto_core_ristretto255_scalar_invert(output, bytes)
            }
        }
    }

    private static func combined(
        _ left: RistrettoScalar, _ right: RistrettoScalar,
        _ operation: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> RistrettoScalar {
        unsafe made { output in
            unsafe left.value.bytes.withUnsafeBytes { left in
                unsafe right.value.bytes.withUnsafeBytes { right in
                    guard let left = unsafe left.assumingMemoryBound(to: UInt8.self).baseAddress,
                        let right = unsafe right.assumingMemoryBound(to: UInt8.self).baseAddress
                    else { return }
                    unsafe operation(output, left, right)
                }
            }
        }
    }

    private static func made(_ write: (UnsafeMutablePointer<UInt8>) -> Void) -> RistrettoScalar {
        Sodium.start()
        var value = FixedBytes<32>.zero
        var bytes = value.mutableBytes
        unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let bytes = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
            unsafe write(bytes)
        }
        return RistrettoScalar(trusted: value)
    }
}

extension RistrettoScalar: CustomStringConvertible {
    /// The encoding in lowercase hexadecimal.
    public var description: String { value.description }
}
