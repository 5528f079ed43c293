public import HandfastClaims
internal import HandfastEncoding

/// One copy of a credential, in either form, as its holder has it.
public enum HeldCredential: Hashable, Sendable {
    /// An SD-CWT.
    case sdCWT(SDCWT)
    /// An SD-JWT VC.
    case sdJWT(SDJWT)

    /// Reads a copy; nothing is verified.
    public init(decoding bytes: [UInt8], as format: VerifiedCredential.Format) throws(CredentialError) {
        switch format {
        case .sdCWT: self = .sdCWT(try SDCWT(decoding: bytes))
        case .sdJWT: self = .sdJWT(try SDJWT(decoding: try Self.text(bytes)))
        }
    }

    /// Its issuer, as it names itself; nothing is verified.
    public var issuer: String {
        switch self {
        case .sdCWT(let credential): credential.full.issuer
        case .sdJWT(let credential): credential.full.issuer
        }
    }

    /// What it says, if an issuer that is trusted has signed it and it holds now.
    public func verified(
        by issuers: [TrustedIssuer], at now: UInt64
    ) throws(CredentialError) -> VerifiedCredential {
        var unknown: String?
        switch self {
        case .sdCWT(let credential):
            let held = try issuers.verifying(unknown: &unknown) { find throws(CredentialError) in
                try SDCWT.hold(
                    credential.encoded(), for: credential.full.holderKey, issuerKey: find, now: now)
            }
            return held.full
        case .sdJWT(let credential):
            return try issuers.verifying(unknown: &unknown) { find throws(CredentialError) in
                try credential.verify(now: now, issuerKey: find)
            }
        }
    }

    /// The credential, of which some claims are disclosed, with the proof of its holder's key.
    ///
    /// - Parameters:
    ///   - audience: whom it is for.
    ///   - nonce: what it answers.
    ///   - issuedAt: the time, in seconds since 1970.
    ///   - key: the holder's key.
    public func present(
        disclosing: [ClaimPath], audience: String, nonce: [UInt8], issuedAt: UInt64,
        with key: borrowing CredentialSigningKey
    ) throws(CredentialError) -> [UInt8] {
        switch self {
        case .sdCWT(let credential):
            return try credential.present(
                disclosing: disclosing, audience: audience, nonce: nonce, issuedAt: issuedAt, with: key)
        case .sdJWT(let credential):
            let text = try credential.present(
                disclosing: disclosing, audience: audience, nonce: Base64URL.encode(nonce), issuedAt: issuedAt,
                with: key)
            return Array(text.utf8)
        }
    }

    /// What a presentation shows, if everything about it but its status is in order.
    ///
    /// - Parameter unknown: The issuer, where no key of it is known that the credential may mean.
    static func verify(
        _ presentation: [UInt8], as format: VerifiedCredential.Format, for audience: String, nonce: VerifierNonce,
        now: UInt64, maximumAge: UInt64, by issuers: [TrustedIssuer], unknown: inout String?
    ) throws(CredentialError) -> VerifiedCredential {
        switch format {
        case .sdCWT:
            // A nonce that stands for no bytes is in no SD-CWT.
            guard let nonce = nonce.bytes else { throw .wrongNonce }
            let context = VerificationContext(audience: audience, nonce: nonce, now: now, maximumAge: maximumAge)
            return try issuers.verifying(unknown: &unknown) { find throws(CredentialError) in
                try SDCWT.verify(presentation, in: context, issuerKey: find)
            }
        case .sdJWT:
            let text = try text(presentation)
            return try issuers.verifying(unknown: &unknown) { find throws(CredentialError) in
                try SDJWT.verify(
                    text, audience: audience, nonce: nonce.text, now: now, maximumAge: maximumAge, issuerKey: find)
            }
        }
    }

    private static func text(_ bytes: [UInt8]) throws(CredentialError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed(.credential) }
        return text
    }
}
