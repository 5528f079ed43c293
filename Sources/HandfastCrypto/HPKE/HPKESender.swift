internal import Crypto
internal import FoundationEssentials

extension HPKE.Ciphersuite {
    static var handfast: HPKE.Ciphersuite {
        HPKE.Ciphersuite(kem: .XWingMLKEM768X25519, kdf: .HKDF_SHA256, aead: .chaChaPoly)
    }
}

/// The sealing side of an HPKE context: base mode, X-Wing, HKDF-SHA256, ChaCha20-Poly1305.
/// - Source: RFC 9180 §5.2, §5.3
public struct HPKESender: ~Copyable, Sendable {
    /// Size of an encapsulation in bytes.
    public static let encapsulationCount = 1_120

    /// What the recipient needs to set up its side, 1,120 bytes.
    public let encapsulation: [UInt8]

    private var sender: HPKE.Sender

    init(to key: SealingPublicKey, info: RawSpan) throws(CryptoError) {
        do {
            let key = try XWingMLKEM768X25519.PublicKey(rawRepresentation: key.array)
            sender = try HPKE.Sender(recipientKey: key, ciphersuite: .handfast, info: Data(info))
            encapsulation = [UInt8](sender.encapsulatedKey)
        } catch {
            throw .invalidKey("X-Wing public key")
        }
    }

    /// Seals the next message; the result is 16 bytes longer.
    /// - Throws: ``CryptoError/contextExhausted``
    public mutating func seal(
        _ plaintext: RawSpan, authenticating associatedData: RawSpan
    ) throws(CryptoError) -> [UInt8] {
        do {
            return [UInt8](try sender.seal(Data(plaintext), authenticating: Data(associatedData)))
        } catch {
            throw .contextExhausted
        }
    }

    /// Derives a secret of `count` bytes, 1...8,160, that the recipient can derive too.
    /// - Throws: ``CryptoError/outOfRange(of:permitted:actual:)``
    public borrowing func export(context: RawSpan, count: Int) throws(CryptoError) -> SecretBytes {
        try HPKEExport.check(count)
        do {
            return SecretBytes(copying: try sender.exportSecret(context: Data(context), outputByteCount: count))
        } catch {
            throw .contextExhausted
        }
    }
}

enum HPKEExport {
    static func check(_ count: Int) throws(CryptoError) {
        guard (1...8_160).contains(count) else {
            throw .outOfRange(of: "HPKE export in bytes", permitted: 1...8_160, actual: count)
        }
    }
}
