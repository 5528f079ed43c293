internal import Crypto
internal import FoundationEssentials

/// A public key for ECDSA over P-384 with SHA-384: a point of the curve.
/// - Source: FIPS 186-5 §6.4; SP 800-186 §3.2.1
public struct P384VerificationKey: Hashable, Sendable {
    /// Size of the point in bytes: x ‖ y, 48 bytes each, big-endian.
    public static let count = 96

    /// The point's coordinates, x ‖ y.
    public let coordinates: [UInt8]

    /// Copies and checks x ‖ y.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/invalidKey(_:)`` if it is no point of
    ///   the curve
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "P-384 public key", expected: Self.count, actual: bytes.byteCount)
        }
        coordinates = [UInt8](bytes)
        _ = try provided()
    }

    init(_ key: P384.Signing.PublicKey) {
        coordinates = [UInt8](key.rawRepresentation)
    }

    /// The coordinate x, 48 bytes.
    public var x: [UInt8] { [UInt8](coordinates.prefix(Self.count / 2)) }

    /// The coordinate y, 48 bytes.
    public var y: [UInt8] { [UInt8](coordinates.suffix(Self.count / 2)) }

    /// Checks a signature of 96 bytes, r ‖ s, over a message.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``, ``CryptoError/invalidSignature``
    public func verify(_ signature: RawSpan, of message: RawSpan) throws(CryptoError) {
        guard signature.byteCount == Self.count else {
            throw .wrongLength(of: "P-384 signature", expected: Self.count, actual: signature.byteCount)
        }
        let key = try provided()
        guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: Data(signature)),
            key.isValidSignature(signature, for: Data(message))
        else { throw .invalidSignature }
    }

    private func provided() throws(CryptoError) -> P384.Signing.PublicKey {
        do {
            return try P384.Signing.PublicKey(rawRepresentation: coordinates)
        } catch {
            throw .invalidKey("P-384 public key")
        }
    }
}
