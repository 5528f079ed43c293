internal import Crypto
internal import FoundationEssentials

/// The opening side of an HPKE context: base mode, X-Wing, HKDF-SHA256, ChaCha20-Poly1305.
/// - Source: RFC 9180 §5.2, §5.3
public struct HPKERecipient: ~Copyable, Sendable {
    private var recipient: HPKE.Recipient

    init(_ recipient: HPKE.Recipient) {
        self.recipient = recipient
    }

    /// Opens the next message; the result is 16 bytes shorter. A failure leaves the context where it was.
    /// - Throws: ``CryptoError/authenticationFailed``
    public mutating func open(
        _ ciphertext: RawSpan, authenticating associatedData: RawSpan
    ) throws(CryptoError) -> [UInt8] {
        do {
            return [UInt8](try recipient.open(Data(ciphertext), authenticating: Data(associatedData)))
        } catch {
            throw .authenticationFailed
        }
    }

    /// Derives a secret of `count` bytes, 1...8,160, that the sender can derive too.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public borrowing func export(context: RawSpan, count: Int) throws(CryptoError) -> SecretBytes {
        try HPKEExport.check(count)
        do {
            return SecretBytes(copying: try recipient.exportSecret(context: Data(context), outputByteCount: count))
        } catch {
            throw .contextExhausted
        }
    }
}
