import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct JOSETests {
    private static func map(_ text: String) throws -> CBORMap { try SDJWTForge.object(text) }

    private static func base64url(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

    // The key of RFC 8037 appendix A.1.
    private static let seed: HexBytes = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    private static let jwk = #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#

    private func ed25519Key() throws -> CredentialSigningKey {
        let seed = Self.seed.bytes
        return .ed25519(try SigningKey(seed: SecretBytes(copying: seed.bytes)))
    }

    @Test func readsAndWritesTheKeyOfRFC8037() throws {
        let key = try ed25519Key()
        let read = try CredentialVerificationKey(jwk: Self.map(Self.jwk))
        #expect(read == key.publicKey)
        #expect(try read.jwk() == Self.map(Self.jwk))
        #expect(read.jwk(keyID: "1")["kid"] == .text("1"))
    }

    // RFC 7515 appendix A.3, RFC 7517 appendix A.1.
    @Test func readsKeysOnTheNISTCurves() throws {
        let key =
            #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
            + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"sig","alg":"ES256","kid":"a","other":1}"#
        let read = try CredentialVerificationKey(jwk: Self.map(key))
        #expect(read.algorithm == .es256)
        #expect(try CredentialVerificationKey(jwk: read.jwk()) == read)
    }

    @Test(arguments: [
        (
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}"#,
            CredentialError.privateKey
        ),
        (#"{"kty":"oct","k":"AA"}"#, .privateKey),
        (#"{"kty":"RSA","n":"AQ","e":"AQAB"}"#, .unsupportedKey),
        (#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, .unsupportedKey),
        (#"{"kty":"EC","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, .unsupportedKey),
        (
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"ES256"}"#,
            .unsupportedKey
        ),
        (
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"}"#,
            .unsupportedKey
        ),
        (#"{"crv":"Ed25519"}"#, .malformed(.key)),
        (#"{"kty":"OKP","crv":"Ed25519"}"#, .malformed(.key)),
        (#"{"kty":"OKP","crv":"Ed25519","x":"11qY"}"#, .malformed(.key)),
        (
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"}"#,
            .text(.nonZeroTrailingBits, in: .key)
        ),
        (
            #"{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
            .invalidKey(.invalidKey("Ed25519 public key"))
        ),
        (
            #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                + #""y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
            .invalidKey(.invalidKey("P-256 public key"))
        ),
    ])
    func refusesKeys(text: String, error: CredentialError) throws {
        let jwk = try Self.map(text)
        #expect(throws: error) { try CredentialVerificationKey(jwk: jwk) }
    }

    @Test func verifiesWhatItSigned() throws {
        let key = try ed25519Key()
        let text = try JWS.sign(Self.map(#"{"a":1}"#), type: "test", keyID: "k", with: key)
        let token = try JWS(text, type: "test", maximumSize: 1_000)
        #expect(token.keyID == "k" && token.algorithm == .edDSA && token.claims["a"] == .unsigned(1))
        try token.verify(with: key.publicKey)
    }

    // RFC 8037 appendix A.4 has the same key; its header has no type, which is asked for here.
    @Test func refusesASignatureOfAnotherKeyOrAlgorithm() throws {
        var random = SystemEntropy()
        let text = try JWS.sign(Self.map(#"{"a":1}"#), type: "test", keyID: nil, with: ed25519Key())
        let token = try JWS(text, type: "test", maximumSize: 1_000)
        let other = SigningKey.generate(using: &random).publicKey
        #expect(throws: CredentialError.invalidSignature(in: .credential)) { try token.verify(with: .ed25519(other)) }
        let p256 = P256SigningKey.generate(using: &random).publicKey
        #expect(throws: CredentialError.wrongAlgorithm(expected: .es256, in: .credential)) {
            try token.verify(with: .p256(p256))
        }
    }

    @Test(arguments: [
        (#"{"alg":"none","typ":"test"}"#, CredentialError.unsupportedAlgorithm(in: .credential)),
        (#"{"alg":"HS256","typ":"test"}"#, .unsupportedAlgorithm(in: .credential)),
        (#"{"alg":"EdDSA","typ":"test","crit":["exp"]}"#, .unsupportedHeader("crit", in: .credential)),
        (#"{"typ":"test"}"#, .missingHeader("alg", in: .credential)),
        (#"{"alg":"EdDSA"}"#, .missingHeader("typ", in: .credential)),
        (#"{"alg":"EdDSA","typ":"JWT"}"#, .wrongType(expected: "test", in: .credential)),
        (#"{"alg":"EdDSA","typ":"test","kid":1}"#, .malformed(.credential)),
        (#"{"alg":"EdDSA","alg":"EdDSA","typ":"test"}"#, .json(.duplicateName(at: 0), in: .credential)),
        (#"["EdDSA"]"#, .malformed(.credential)),
    ])
    func refusesHeaders(header: String, error: CredentialError) {
        let text = Self.base64url(header) + "." + Self.base64url("{}") + "." + Self.base64url("s")
        #expect(throws: error) { try JWS(text, type: "test", maximumSize: 1_000) }
    }

    @Test func refusesWhatIsNotCompactForm() {
        let header = Self.base64url(#"{"alg":"EdDSA","typ":"test"}"#)
        func refused(_ text: String) -> CredentialError? {
            do {
                _ = try JWS(text, type: "test", maximumSize: 100)
                return nil
            } catch {
                return error
            }
        }
        #expect(refused("") == .malformed(.credential))
        #expect(refused("\(header).e30") == .malformed(.credential))
        #expect(refused("\(header).e30.AA.AA") == .malformed(.credential))
        #expect(refused("\(header).e30.AA=") == .text(.invalidCharacter(at: 2), in: .credential))
        #expect(refused("\(header).e30.AB") == .text(.nonZeroTrailingBits, in: .credential))
        #expect(refused("\(header).e3.AA") == .text(.nonZeroTrailingBits, in: .credential))
        #expect(refused("\(header).W10.AA") == .malformed(.credential))
        #expect(refused("\(header). e30.AA") == .text(.invalidCharacter(at: 0), in: .credential))
        #expect(refused(String(repeating: "A", count: 101)) == .sizeExceeded(limit: 100, in: .credential))
    }
}
