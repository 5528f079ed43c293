internal import CSodium

/// A public element of the group ristretto255, of prime order, 32 bytes; the neutral element is one of them.
///
/// Only canonical encodings exist, so that two points are equal just when their bytes are.
/// - Source: RFC 9496 §4.3
public struct RistrettoPoint: Hashable, Sendable, BitwiseCopyable {
    /// Size of the encoding in bytes.
    public static let count = 32

    /// The encoding.
    public let value: FixedBytes<32>

    /// Takes the canonical encoding of a point, the neutral element's as well.
    /// - Throws: ``CryptoError/notCanonical(_:)``
    public init(_ value: FixedBytes<32>) throws(CryptoError) {
        Sodium.start()
        let isValid = unsafe value.bytes.withUnsafeBytes { bytes in
            guard let bytes = bytes.baseAddress else { return false }
            return unsafe crypto_core_ristretto255_is_valid_point(bytes) == 1
        }
        guard isValid else { throw .notCanonical("ristretto255 point") }
        self.value = value
    }

    /// Takes the canonical encoding of a point, the neutral element's as well.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/notCanonical(_:)``
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "ristretto255 point", expected: Self.count, actual: bytes.byteCount)
        }
        try self.init(FixedBytes(bytes))
    }

    init(trusted value: FixedBytes<32>) {
        self.value = value
    }

    /// The neutral element, whose encoding is 32 zero bytes.
    public static let identity = RistrettoPoint(trusted: .zero)

    /// The point of a message, whose discrete logarithm to any other nobody knows.
    /// - Source: RFC 9380 §5.3.1, appendix B (hash_to_ristretto255 with expand_message_xmd and SHA-512)
    public static func hash(_ message: [UInt8], tag: RistrettoTag) -> RistrettoPoint {
        Sodium.start()
        let uniform = MessageExpansion.expandUnchecked(message, tag: tag.bytes, count: 64)
        return mapping(uniform)
    }

    /// The point that 64 uniform bytes stand for.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``
    /// - Source: RFC 9496 §4.3.4
    public static func mapping(uniform bytes: [UInt8]) throws(CryptoError) -> RistrettoPoint {
        guard bytes.count == 64 else {
            throw .wrongLength(of: "uniform bytes", expected: 64, actual: bytes.count)
        }
        Sodium.start()
        return mapping(bytes)
    }

    private static func mapping(_ uniform: [UInt8]) -> RistrettoPoint {
        unsafe made { output in
            unsafe uniform.withUnsafeBufferPointer { uniform in
                guard let uniform = uniform.baseAddress else { return }
                _ = unsafe crypto_core_ristretto255_from_hash(output, uniform)
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

    /// Whether this is the neutral element.
    public var isIdentity: Bool { value == .zero }

    /// The sum of two points.
    public static func + (left: RistrettoPoint, right: RistrettoPoint) -> RistrettoPoint {
        unsafe combined(left, right) { unsafe crypto_core_ristretto255_add($0, $1, $2) }
    }

    /// The difference of two points.
    public static func - (left: RistrettoPoint, right: RistrettoPoint) -> RistrettoPoint {
        unsafe combined(left, right) { unsafe crypto_core_ristretto255_sub($0, $1, $2) }
    }

    /// Adds a point.
    public static func += (left: inout RistrettoPoint, right: RistrettoPoint) {
        left = left + right
    }

    /// The multiple of a point.
    public static func * (scalar: RistrettoScalar, point: RistrettoPoint) -> RistrettoPoint {
        multiple(of: point, by: scalar.bytes)
    }

    /// The multiple of a point by a secret, in a time that does not depend on either.
    public static func * (scalar: borrowing SecretScalar, point: RistrettoPoint) -> RistrettoPoint {
        multiple(of: point, by: scalar.bytes)
    }

    private static func combined(
        _ left: RistrettoPoint, _ right: RistrettoPoint,
        _ operation: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Int32
    ) -> RistrettoPoint {
        unsafe made { output in
            unsafe left.value.bytes.withUnsafeBytes { left in
                unsafe right.value.bytes.withUnsafeBytes { right in
                    guard let left = unsafe left.assumingMemoryBound(to: UInt8.self).baseAddress,
                        let right = unsafe right.assumingMemoryBound(to: UInt8.self).baseAddress
                    else { return }
                    // It refuses nothing but encodings that no RistrettoPoint has.
                    _ = unsafe operation(output, left, right)
                }
            }
        }
    }

    private static func multiple(of point: RistrettoPoint, by scalar: RawSpan) -> RistrettoPoint {
        unsafe made { output in
            unsafe point.value.bytes.withUnsafeBytes { point in
                unsafe scalar.withUnsafeBytes { scalar in
                    guard let point = unsafe point.assumingMemoryBound(to: UInt8.self).baseAddress,
                        let scalar = unsafe scalar.assumingMemoryBound(to: UInt8.self).baseAddress
                    else { return }
                    // It fails for the neutral element alone, as argument or result, and has then written zeros.
                    _ = unsafe crypto_scalarmult_ristretto255(output, scalar, point)
                }
            }
        }
    }

    static func made(_ write: (UnsafeMutablePointer<UInt8>) -> Void) -> RistrettoPoint {
        var value = FixedBytes<32>.zero
        var bytes = value.mutableBytes
        unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let bytes = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
            unsafe write(bytes)
        }
        return RistrettoPoint(trusted: value)
    }
}

// MARK: - Multiples of the generator

extension RistrettoPoint {
    /// The generator of the group.
    public static let generator = multiple(ofGeneratorBy: RistrettoScalar.one.bytes)

    /// The multiple of the generator, faster than by `*`.
    public static func generatorMultiple(_ scalar: RistrettoScalar) -> RistrettoPoint {
        multiple(ofGeneratorBy: scalar.bytes)
    }

    /// The multiple of the generator by a secret, faster than by `*`.
    public static func generatorMultiple(_ scalar: borrowing SecretScalar) -> RistrettoPoint {
        multiple(ofGeneratorBy: scalar.bytes)
    }

    private static func multiple(ofGeneratorBy scalar: RawSpan) -> RistrettoPoint {
        Sodium.start()
        return unsafe made { output in
            unsafe scalar.withUnsafeBytes { scalar in
                guard let scalar = unsafe scalar.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
                // It fails for zero alone and has then written zeros.
                _ = unsafe crypto_scalarmult_ristretto255_base(output, scalar)
            }
        }
    }
}

extension RistrettoPoint: CustomStringConvertible {
    /// The encoding in lowercase hexadecimal.
    public var description: String { value.description }
}
