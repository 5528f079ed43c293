/// How an issuer or a holder signs.
/// - Source: RFC 9053 §2.1, §2.2 (COSE); RFC 7518 §3.4, RFC 8037 §3.1 (JOSE)
public enum CredentialAlgorithm: String, Hashable, Sendable, CaseIterable {
    /// Ed25519; what Handfast issues by itself.
    case edDSA = "EdDSA"
    /// ECDSA over P-256 with SHA-256.
    case es256 = "ES256"
    /// ECDSA over P-384 with SHA-384; verified, never issued.
    case es384 = "ES384"

    /// The number in the COSE Algorithms registry.
    public var coseNumber: Int {
        switch self {
        case .edDSA: -8
        case .es256: -7
        case .es384: -35
        }
    }

    /// The algorithm of a number in the COSE Algorithms registry, also of the number that names the curve as well; nil if
    /// it is none of these.
    /// - Source: RFC 9864 §2
    public init?(coseNumber: Int) {
        switch coseNumber {
        case -8, -19: self = .edDSA
        case -7, -9: self = .es256
        case -35, -51: self = .es384
        default: return nil
        }
    }

    /// Size of a signature in bytes.
    public var signatureCount: Int { self == .es384 ? 96 : 64 }
}
