import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport

/// Makes SD-JWTs of any JSON, with keys of its own and genuine signatures, so that a test can have one thing wrong.
struct SDJWTForge {
    static let now: UInt64 = 1_800_000_000
    static let audience = "https://vendor.example"
    static let nonce = "n-0S6_WzA2MjK"

    let issuerKey: CredentialVerificationKey
    let holderKey: CredentialVerificationKey

    init() throws {
        issuerKey = try Self.signingKey(1).publicKey
        holderKey = try Self.signingKey(2).publicKey
    }

    static func signingKey(_ number: UInt8) throws -> CredentialSigningKey {
        .ed25519(try SigningKey(seed: SecretBytes(copying: [UInt8](repeating: number, count: 32).bytes)))
    }

    /// The object of JSON.
    static func object(_ text: String) throws -> CBORMap {
        guard case .map(let map) = try JSON.decode(Array(text.utf8), maximumSize: 4_096) else {
            throw JSONError.truncated
        }
        return map
    }

    static func base64url(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

    /// The digest of a disclosure or a text.
    static func digest(_ text: String) -> String {
        let message = Array(text.utf8)
        let digest = SHA2.sha256(message.bytes)
        return Base64URL.encode(digest.bytes)
    }

    /// The same where the issuer has chosen SHA-384 or SHA-512.
    static func digest(_ text: String, by hash: String) -> String {
        let message = Array(text.utf8)
        return Base64URL.encode(hash == "sha-384" ? SHA2.sha384(message.bytes).array : SHA2.sha512(message.bytes).array)
    }

    /// A disclosure of JSON.
    static func disclosure(_ json: String) -> String { base64url(json) }

    static func token(header: String, payload: String, signer: UInt8) throws -> String {
        let signed = base64url(header) + "." + base64url(payload)
        let message = Array(signed.utf8)
        let signature = try signingKey(signer).signature(for: message.bytes)
        return signed + "." + Base64URL.encode(signature.bytes)
    }

    /// The claims that every credential here has, and others.
    func payload(_ others: String = "", cnf: String? = nil) throws -> String {
        let jwk = String(decoding: try JSON.encode(.map(holderKey.jwk())), as: UTF8.self)
        let cnf = cnf ?? #""cnf":{"jwk":\#(jwk)}"#
        return #"{"iss":"https://issuer.example","vct":"test","iat":1799990000\#(cnf.isEmpty ? "" : "," + cnf)"#
            + (others.isEmpty ? "" : "," + others) + "}"
    }

    func credential(
        payload: String, disclosures: [String] = [], header: String = #"{"alg":"EdDSA","typ":"dc+sd-jwt"}"#
    ) throws -> String {
        try Self.token(header: header, payload: payload, signer: 1) + "~" + disclosures.map { $0 + "~" }.joined()
    }

    func presentation(
        payload: String, disclosures: [String] = [],
        bindingHeader: String = #"{"alg":"EdDSA","typ":"kb+jwt"}"#, binding: String? = nil, bindingSigner: UInt8 = 2
    ) throws -> String {
        let bound = try credential(payload: payload, disclosures: disclosures)
        let claims =
            binding?.replacing("$", with: Self.digest(bound))
            ?? Self.binding(sdHash: Self.digest(bound))
        return bound + (try Self.token(header: bindingHeader, payload: claims, signer: bindingSigner))
    }

    static func binding(
        audience: String = audience, nonce: String = nonce, issuedAt: UInt64 = now, sdHash: String = "$"
    ) -> String {
        #"{"iat":\#(issuedAt),"aud":"\#(audience)","nonce":"\#(nonce)","sd_hash":"\#(sdHash)"}"#
    }

    @discardableResult
    func verify(_ presentation: String) throws(CredentialError) -> VerifiedCredential {
        try SDJWT.verify(presentation, audience: Self.audience, nonce: Self.nonce, now: Self.now) { issuer, _ in
            issuer == "https://issuer.example" ? issuerKey : nil
        }
    }
}
