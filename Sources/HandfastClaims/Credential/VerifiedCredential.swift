public import HandfastEncoding

/// What a presentation showed, after every check held: the same for both formats, so that who uses claims need not know
/// in which one they came.
public struct VerifiedCredential: Hashable, Sendable {
    /// How the credential was written.
    public enum Format: String, Hashable, Sendable {
        /// SD-CWT.
        case sdCWT = "dc+sd-cwt"
        /// SD-JWT VC.
        case sdJWT = "dc+sd-jwt"
    }

    /// How the credential was written.
    public let format: Format
    /// The issuer, as it names itself.
    public let issuer: String
    /// The credential's type (`vct`), if it names one and it was disclosed; a number is written in digits.
    public let type: String?
    /// The subject, if the credential names one and it was disclosed.
    public let subject: String?
    /// Every other claim that was always visible or was disclosed, as a map; what JSON said, as the same items.
    public let claims: CBORMap
    /// The claims that were disclosed, besides those that are always visible.
    public let disclosed: [ClaimPath]
    /// When it was issued, in seconds since 1970; nil if it does not say.
    public let issuedAt: UInt64?
    /// From when it holds, in seconds since 1970.
    public let notBefore: UInt64?
    /// Until when it holds, in seconds since 1970.
    public let expires: UInt64?
    /// The key that the holder has shown to hold.
    public let holderKey: CredentialVerificationKey
    /// Where its status stands; nil if it has none.
    public let status: StatusReference?

    /// The outcome of a verifier.
    init(
        format: Format, issuer: String, type: String?, subject: String?, claims: CBORMap, disclosed: [ClaimPath],
        issuedAt: UInt64?, notBefore: UInt64?, expires: UInt64?, holderKey: CredentialVerificationKey,
        status: StatusReference?
    ) {
        self.format = format
        self.issuer = issuer
        self.type = type
        self.subject = subject
        self.claims = claims
        self.disclosed = disclosed
        self.issuedAt = issuedAt
        self.notBefore = notBefore
        self.expires = expires
        self.holderKey = holderKey
        self.status = status
    }
}
