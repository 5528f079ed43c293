internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// SD-JWTs written by hand and signed rightly, so that vectors can hold what no honest issuer or holder makes.
struct VectorSDJWT: ~Copyable {
    let issuer: SigningKey
    let holder: SigningKey
    let nonce: String
    let audience: String
    let now: UInt64

    /// The base64url text of JSON.
    static func disclosure(_ json: String) -> String { Base64URL.encode(Array(json.utf8)) }

    /// The digest of a disclosure.
    static func digest(_ text: String) -> String {
        let message = Array(text.utf8)
        let digest = SHA2.sha256(message.bytes)
        return Base64URL.encode(digest.bytes)
    }

    private static func token(header: String, payload: String, _ key: borrowing SigningKey) -> String {
        let signed = disclosure(header) + "." + disclosure(payload)
        let message = Array(signed.utf8)
        let signature = key.signature(for: message.bytes)
        return signed + "." + Base64URL.encode(signature.bytes)
    }

    /// The claims that every credential of these vectors has, and others.
    borrowing func payload(_ others: String = "") throws -> String {
        let jwk = try SDJWTVectors.jsonText(.map(CredentialVerificationKey.ed25519(holder.publicKey).jwk()))
        return #"{"iss":"https://issuer.example","vct":"test","iat":1779990000,"cnf":{"jwk":\#(jwk)}"#
            + (others.isEmpty ? "" : "," + others) + "}"
    }

    /// A presentation, of which a part may be changed before it is signed.
    borrowing func presentation(
        _ claims: String = "", _ disclosures: [String] = [], header: String = #"{"alg":"EdDSA","typ":"dc+sd-jwt"}"#,
        bindingHeader: String = #"{"alg":"EdDSA","typ":"kb+jwt"}"#, binding: (String) -> String = { $0 },
        payload change: (String) -> String = { $0 }
    ) throws -> String {
        let token = Self.token(header: header, payload: change(try payload(claims)), issuer)
        let bound = token + "~" + disclosures.map { $0 + "~" }.joined()
        return bound + (try proof(of: bound, header: bindingHeader, binding))
    }

    /// The holder's proof for the text before it.
    borrowing func proof(
        of bound: String, header: String = #"{"alg":"EdDSA","typ":"kb+jwt"}"#, _ change: (String) -> String = { $0 }
    ) throws -> String {
        let claims = #"{"iat":\#(now),"aud":"\#(audience)","nonce":"\#(nonce)","sd_hash":"\#(Self.digest(bound))"}"#
        return Self.token(header: header, payload: change(claims), holder)
    }
}
