internal import Crypto

/// HKDF with SHA-256, for what a standard derives with it.
/// - Source: RFC 5869
public enum HKDFSHA256 {
    /// Extracts and expands to `count` bytes, 1...8,160.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public static func derive(
        inputKeyMaterial: RawSpan, salt: RawSpan, info: RawSpan, count: Int
    ) throws(CryptoError) -> SecretBytes {
        guard (1...8_160).contains(count) else {
            throw .outOfRange(of: "HKDF output in bytes", permitted: 1...8_160, actual: count)
        }
        let key = unsafe inputKeyMaterial.withUnsafeBytes { unsafe SymmetricKey(data: $0) }
        let derived = unsafe salt.withUnsafeBytes { salt in
            unsafe info.withUnsafeBytes { info in
                unsafe HKDF<SHA256>.deriveKey(inputKeyMaterial: key, salt: salt, info: info, outputByteCount: count)
            }
        }
        return SecretBytes(copying: derived)
    }
}
