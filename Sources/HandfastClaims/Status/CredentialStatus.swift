/// What a status list says of one credential.
/// - Source: draft-ietf-oauth-status-list-20 §7.1
public enum CredentialStatus: Hashable, Sendable {
    /// The issuer stands by the credential.
    case valid
    /// The issuer has revoked the credential, for good.
    case invalid
    /// The issuer has suspended the credential; it may become valid again.
    case suspended
    /// A status of the issuer's own or of a later registration; never to be taken for valid.
    case other(UInt8)

    /// The status of a value in a list.
    public init(_ value: UInt8) {
        switch value {
        case 0: self = .valid
        case 1: self = .invalid
        case 2: self = .suspended
        default: self = .other(value)
        }
    }

    /// The value in a list.
    public var value: UInt8 {
        switch self {
        case .valid: 0
        case .invalid: 1
        case .suspended: 2
        case .other(let value): value
        }
    }
}

extension CredentialStatus: CustomStringConvertible {
    /// `valid`, `invalid`, `suspended` or the value in digits.
    public var description: String {
        switch self {
        case .valid: "valid"
        case .invalid: "invalid"
        case .suspended: "suspended"
        case .other(let value): "\(value)"
        }
    }
}
