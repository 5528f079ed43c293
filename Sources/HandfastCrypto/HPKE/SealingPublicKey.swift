internal import Crypto
internal import FoundationEssentials

/// An X-Wing public key, 1,216 bytes: an ML-KEM-768 key and an X25519 key.
/// - Source: draft-connolly-cfrg-xwing-kem
public struct SealingPublicKey: Hashable, Sendable {
    /// Size in bytes.
    public static let count = 1_216

    /// The encoded key.
    public let array: [UInt8]

    /// Copies and checks 1,216 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/invalidKey(_:)`` if a coefficient of
    ///   the ML-KEM key is not reduced
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "X-Wing public key", expected: Self.count, actual: bytes.byteCount)
        }
        guard (try? KEMPublicKey(bytes.extracting(first: KEMPublicKey.count))) != nil else {
            throw .invalidKey("X-Wing public key")
        }
        array = [UInt8](bytes)
    }

    init(_ key: XWingMLKEM768X25519.PublicKey) {
        array = [UInt8](key.rawRepresentation)
    }

    /// The 1,216 bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { array.bytes }
    }
}
