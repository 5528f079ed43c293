/// Bounds on the bodies of the family `claim`.
///
/// - Source: Spec/10 §10.9
public enum ClaimLimits {
    /// A purpose, in bytes of UTF-8.
    public static let purpose = 256
    /// Words for a person, in bytes of UTF-8.
    public static let description = 1_024
    /// The type of a credential or the name of an issuer, in bytes of UTF-8.
    public static let identifier = 512
    /// A name in the path of a claim, or a text that a claim has to be, in bytes of UTF-8.
    public static let name = 256
    /// The credentials that one request asks for.
    public static let credentials = 8
    /// The claims that are asked for of one credential.
    public static let claims = 64
    /// The issuers that are named for one credential.
    public static let issuers = 16
    /// A presentation or a status token, in bytes; all of a body together have ``LedgerLimits/body``.
    public static let presentation = 49_152
    /// The reason of a refusal or of a check that failed, in bytes of UTF-8.
    public static let reason = 512
}
