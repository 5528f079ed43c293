internal import CSodium

/// A secret scalar of ristretto255, wiped when it dies. Computing with it takes a time that does not depend on it.
/// - Source: RFC 9496 §4.4
public struct SecretScalar: ~Copyable, Sendable {
    /// Size of the encoding in bytes.
    public static let count = 32

    private let secret: SecretBytes

    /// Takes a number below the group's order, little endian.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/notCanonical(_:)``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "ristretto255 scalar", expected: Self.count, actual: bytes.byteCount)
        }
        var wide = SecretBytes(count: 64)
        var target = wide.mutableBytes
        for offset in 0..<Self.count {
            target.storeBytes(of: bytes.unsafeByte(at: offset), toByteOffset: offset, as: UInt8.self)
        }
        let reduced = SecretScalar(reducing: wide)
        guard reduced.secret.isEqual(to: bytes) else { throw .notCanonical("ristretto255 scalar") }
        self = reduced
    }

    /// The remainder of a secret of 64 uniform bytes; any other size is a mistake of the program and traps.
    public init(reducing wide: borrowing SecretBytes) {
        precondition(wide.count == 64, "A scalar is reduced from 64 bytes")
        secret = unsafe Self.made { output in
            unsafe wide.bytes.withUnsafeBytes { wide in
                guard let wide = unsafe wide.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
                unsafe crypto_core_ristretto255_scalar_reduce(output, wide)
            }
        }
    }

    /// The secret that a public number becomes.
    public init(_ scalar: RistrettoScalar) {
        secret = SecretBytes(copying: scalar.bytes)
    }

    /// A uniform scalar other than 0.
    public init(random generator: inout some RandomNumberGenerator) {
        var scalar = SecretScalar(reducing: SecretBytes(random: 64, using: &generator))
        while scalar.isZero {
            scalar = SecretScalar(reducing: SecretBytes(random: 64, using: &generator))
        }
        self = scalar
    }

    private init(taking secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// The number, little endian, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get { secret.bytes }
    }

    /// A second secret with the same number.
    public borrowing func copy() -> SecretScalar {
        SecretScalar(taking: secret.copy())
    }

    /// Whether this is 0, which is what a caller then learns.
    public var isZero: Bool {
        borrowing get { secret.isZero }
    }

    /// The number as a public one: for a response that its mask hides.
    public borrowing func published() -> RistrettoScalar {
        RistrettoScalar(trusted: FixedBytes(secret.bytes, at: 0))
    }

    /// The sum.
    public static func + (left: borrowing SecretScalar, right: borrowing SecretScalar) -> SecretScalar {
        unsafe combined(left.bytes, right.bytes) { unsafe crypto_core_ristretto255_scalar_add($0, $1, $2) }
    }

    /// The sum with a public number.
    public static func + (left: borrowing SecretScalar, right: RistrettoScalar) -> SecretScalar {
        unsafe combined(left.bytes, right.bytes) { unsafe crypto_core_ristretto255_scalar_add($0, $1, $2) }
    }

    /// The difference.
    public static func - (left: borrowing SecretScalar, right: borrowing SecretScalar) -> SecretScalar {
        unsafe combined(left.bytes, right.bytes) { unsafe crypto_core_ristretto255_scalar_sub($0, $1, $2) }
    }

    /// The product.
    public static func * (left: borrowing SecretScalar, right: borrowing SecretScalar) -> SecretScalar {
        unsafe combined(left.bytes, right.bytes) { unsafe crypto_core_ristretto255_scalar_mul($0, $1, $2) }
    }

    /// The product with a public number.
    public static func * (left: RistrettoScalar, right: borrowing SecretScalar) -> SecretScalar {
        unsafe combined(left.bytes, right.bytes) { unsafe crypto_core_ristretto255_scalar_mul($0, $1, $2) }
    }

    /// The number whose product with this one is 1; 0 for 0.
    public borrowing func inverse() -> SecretScalar {
        unsafe SecretScalar(
            taking: Self.made { output in
                unsafe secret.bytes.withUnsafeBytes { bytes in
                    guard let bytes = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
                    _ = unsafe crypto_core_ristretto255_scalar_invert(output, bytes)
                }
            })
    }

    private static func combined(
        _ left: RawSpan, _ right: RawSpan,
        _ operation: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> SecretScalar {
        unsafe SecretScalar(
            taking: made { output in
                unsafe left.withUnsafeBytes { left in
                    unsafe right.withUnsafeBytes { right in
                        guard let left = unsafe left.assumingMemoryBound(to: UInt8.self).baseAddress,
                            let right = unsafe right.assumingMemoryBound(to: UInt8.self).baseAddress
                        else { return }
                        unsafe operation(output, left, right)
                    }
                }
            })
    }

    private static func made(_ write: (UnsafeMutablePointer<UInt8>) -> Void) -> SecretBytes {
        var secret = SecretBytes(count: count)
        var bytes = secret.mutableBytes
        unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let bytes = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
            unsafe write(bytes)
        }
        return secret
    }
}
