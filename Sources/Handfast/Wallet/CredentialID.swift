public import HandfastCrypto
internal import HandfastEncoding

/// Names a credential in its holder's wallet, or in the list of its issuer; it means nothing to anybody else.
public struct CredentialID: Hashable, Sendable, CustomStringConvertible {
    /// 16 random bytes.
    public let bytes: FixedBytes<16>

    /// Names the credential with these bytes.
    public init(_ bytes: FixedBytes<16>) {
        self.bytes = bytes
    }

    /// A new name.
    public static func random(using generator: inout some RandomNumberGenerator) -> CredentialID {
        CredentialID(FixedBytes(random: &generator))
    }

    /// The name that is written so: 26 characters of base32; nil if none is.
    public init?(text: String) {
        guard let bytes = try? Base32.decode(text), let fixed = try? FixedBytes<16>(copying: bytes) else { return nil }
        self.bytes = fixed
    }

    /// The written form, 26 characters of base32.
    public var description: String { Base32.encode(bytes.array) }
}
