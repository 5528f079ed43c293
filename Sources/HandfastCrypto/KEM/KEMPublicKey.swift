internal import Crypto
internal import FoundationEssentials

/// An ML-KEM-768 encapsulation key, 1,184 bytes, all of whose coefficients are below the modulus.
/// - Source: FIPS 203 §7.2
public struct KEMPublicKey: Hashable, Sendable {
    /// Size in bytes.
    public static let count = 1_184

    /// The encoded key.
    public let array: [UInt8]

    /// Copies and checks 1,184 bytes.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/invalidKey(_:)`` if a coefficient is
    ///   not reduced
    public init(_ bytes: RawSpan) throws(CryptoError) {
        guard bytes.byteCount == Self.count else {
            throw .wrongLength(of: "ML-KEM-768 public key", expected: Self.count, actual: bytes.byteCount)
        }
        array = [UInt8](bytes)
        _ = try provided()
    }

    init(_ key: MLKEM768.PublicKey) {
        array = [UInt8](key.rawRepresentation)
    }

    /// The 1,184 bytes, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { array.bytes }
    }

    func encapsulate() throws(CryptoError) -> KEMEncapsulation {
        let key = try provided()
        do {
            let result = try key.encapsulate()
            return KEMEncapsulation(
                ciphertext: [UInt8](result.encapsulated), sharedSecret: SecretBytes(copying: result.sharedSecret))
        } catch {
            throw .invalidKey("ML-KEM-768 public key")
        }
    }

    // The parsed form takes several KiB: it is made anew for the one encapsulation rather than kept.
    private func provided() throws(CryptoError) -> MLKEM768.PublicKey {
        do {
            return try MLKEM768.PublicKey(rawRepresentation: array)
        } catch {
            throw .invalidKey("ML-KEM-768 public key")
        }
    }
}
