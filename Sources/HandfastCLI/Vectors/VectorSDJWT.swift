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

    /// The digest of a disclosure, by a hash as `_sd_alg` names it.
    static func digest(_ text: String, by hash: String = "sha-256") -> String {
        let message = Array(text.utf8)
        switch hash {
        case "sha-384": return Base64URL.encode(SHA2.sha384(message.bytes).array)
        case "sha-512": return Base64URL.encode(SHA2.sha512(message.bytes).array)
        default: return Base64URL.encode(SHA2.sha256(message.bytes).array)
        }
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
        bindingHeader: String = #"{"alg":"EdDSA","typ":"kb+jwt"}"#, hash: String = "sha-256",
        binding: (String) -> String = { $0 },
        payload change: (String) -> String = { $0 }
    ) throws -> String {
        let token = Self.token(header: header, payload: change(try payload(claims)), issuer)
        let bound = token + "~" + disclosures.map { $0 + "~" }.joined()
        return bound + (try proof(of: bound, header: bindingHeader, hash: hash, binding))
    }

    /// The holder's proof for the text before it.
    borrowing func proof(
        of bound: String, header: String = #"{"alg":"EdDSA","typ":"kb+jwt"}"#, hash: String = "sha-256",
        _ change: (String) -> String = { $0 }
    ) throws -> String {
        let digest = Self.digest(bound, by: hash)
        let claims = #"{"iat":\#(now),"aud":"\#(audience)","nonce":"\#(nonce)","sd_hash":"\#(digest)"}"#
        return Self.token(header: header, payload: change(claims), holder)
    }
}
