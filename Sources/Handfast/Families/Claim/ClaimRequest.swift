public import HandfastCrypto

/// `claim/request`: what the sender wants to know of the other side, and what for.
///
/// - Source: Spec/10 §10.9
public struct ClaimRequest: RecordBody {
    /// What it is for: a term such as `dpv:AgeVerification`, 1 to 256 bytes.
    public var purpose: String
    /// The same in words for a person, at most 1,024 bytes.
    public var description: String?
    /// The credentials that are wanted, 1 to 8, all of them.
    public var credentials: [CredentialQuery]
    /// The most seconds since a credential was issued; nil where that does not matter.
    public var maximumAge: UInt64?
    /// 16 random bytes that the presentations have to name.
    public var nonce: FixedBytes<16>

    /// A request.
    public init(
        purpose: String, description: String? = nil, credentials: [CredentialQuery], maximumAge: UInt64? = nil,
        nonce: FixedBytes<16>
    ) {
        self.purpose = purpose
        self.description = description
        self.credentials = credentials
        self.maximumAge = maximumAge
        self.nonce = nonce
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .claimRequest }

    /// Why a value is out of bounds.
    public var fault: String? {
        if let fault = TextRule.fault(in: purpose, named: "purpose", maximum: ClaimLimits.purpose) { return fault }
        if let description {
            let fault = TextRule.fault(in: description, named: "description", maximum: ClaimLimits.description)
            if let fault { return fault }
        }
        if credentials.isEmpty || credentials.count > ClaimLimits.credentials {
            return "credentials are not 1 to \(ClaimLimits.credentials)"
        }
        for credential in credentials {
            if let fault = credential.fault { return fault }
        }
        return maximumAge == 0 ? "maximumAge is 0" : nil
    }
}
