internal import HandfastEncoding

/// Numbers of claims, from the CWT Claims registry.
enum CWTClaim {
    static let issuer = 1
    static let subject = 2
    static let audience = 3
    static let expires = 4
    static let notBefore = 5
    static let issuedAt = 6
    static let identifier = 7
    static let confirmation = 8
    static let type = 11
    static let nonce = 39
    static let status = 65_535

    /// The claims that are never redacted: those of the draft, and the status, which a holder could hide otherwise.
    /// - Source: draft-ietf-spice-sd-cwt-07 §7, table 2; Spec/10 §10.3
    static let unredactable = [
        issuer, audience, expires, notBefore, issuedAt, identifier, confirmation, nonce, status,
    ]

    /// The registered name, for errors.
    static func name(of number: Int) -> String {
        switch number {
        case issuer: "iss"
        case subject: "sub"
        case audience: "aud"
        case expires: "exp"
        case notBefore: "nbf"
        case issuedAt: "iat"
        case identifier: "cti"
        case confirmation: "cnf"
        case type: "vct"
        case nonce: "cnonce"
        case status: "status"
        default: "\(number)"
        }
    }
}

extension CredentialTimes {
    /// The times of a claims set.
    init(_ claims: CBORMap, in part: CredentialError.Part) throws(CredentialError) {
        issuedAt = try Self.seconds(CWTClaim.issuedAt, of: claims, in: part)
        notBefore = try Self.seconds(CWTClaim.notBefore, of: claims, in: part)
        expires = try Self.seconds(CWTClaim.expires, of: claims, in: part)
    }

    private static func seconds(
        _ claim: Int, of claims: CBORMap, in part: CredentialError.Part
    ) throws(CredentialError) -> Double? {
        guard let value = claims[claim] else { return nil }
        guard let seconds = seconds(value) else { throw .invalidClaim(CWTClaim.name(of: claim), in: part) }
        return seconds
    }
}

extension StatusReference {
    private enum Name {
        static let list = "status_list"
        static let index = "idx"
        static let uri = "uri"
    }

    /// The place that a claim `status` gives.
    init(_ value: CBORValue) throws(CredentialError) {
        guard case .map(let status) = value, status.entries.count == 1,
            case .map(let reference)? = status[Name.list], reference.entries.count == 2,
            case .unsigned(let index)? = reference[Name.index], case .text(let uri)? = reference[Name.uri],
            (1...Self.maximumURICount).contains(uri.utf8.count)
        else { throw .invalidClaim(CWTClaim.name(of: CWTClaim.status), in: .credential) }
        self.init(uri: uri, index: index)
    }

    /// Writes the claim `status`.
    func write(to writer: inout CBORWriter) {
        writer.writeMap { writer in
            writer.writeKey(Name.list)
            writer.writeMap { writer in
                writer.writeKey(Name.index)
                writer.writeUnsigned(index)
                writer.writeKey(Name.uri)
                writer.writeText(uri)
            }
        }
    }
}
