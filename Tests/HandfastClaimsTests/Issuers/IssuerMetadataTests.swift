import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import Testing

@Suite struct IssuerMetadataTests {
    private static let issuer = "https://registry.example/tenant"

    private func key() -> String {
        var random = SystemRandomNumberGenerator()
        let key = CredentialVerificationKey.ed25519(SigningKey.generate(using: &random).publicKey)
        return CBORValue.map(key.jwk(keyID: "one")).jsonText
    }

    private func keys(_ document: String) throws -> IssuerMetadata.Keys {
        try IssuerMetadata(decoding: Array(document.utf8), of: Self.issuer).keys
    }

    @Test func readsKeysInTheDocumentAndLeavesOutThoseOfOtherKinds() throws {
        let key = key()
        let rsa = #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#
        let found = try keys(#"{"issuer":"\#(Self.issuer)","jwks":{"keys":[\#(rsa),\#(key)]}}"#)
        guard case .here(let keys) = found else {
            Issue.record("no keys")
            return
        }
        #expect(keys.map { CBORValue.map($0.jwk).jsonText } == [key])
    }

    @Test func readsWhereTheKeysAre() throws {
        let found = try keys(#"{"issuer":"\#(Self.issuer)","jwks_uri":"https://registry.example/keys"}"#)
        #expect(found == .at("https://registry.example/keys"))
        #expect(try IssuerMetadata.keys(decoding: Array(#"{"keys":[\#(key())]}"#.utf8)).count == 1)
    }

    @Test func refusesWhatIsNotTheMetadataOfTheIssuer() {
        let cases: [(String, IssuerMetadata.Fault)] = [
            (#"{"issuer":"https://registry.example","jwks":{"keys":[\#(key())]}}"#, .anotherIssuer),
            (#"{"jwks":{"keys":[]}}"#, .anotherIssuer), ("[]", .malformed),
            (#"{"issuer":"\#(Self.issuer)"}"#, .ambiguousKeys),
            (#"{"issuer":"\#(Self.issuer)","jwks":{"keys":[]},"jwks_uri":"https://a.example/"}"#, .ambiguousKeys),
            (#"{"issuer":"\#(Self.issuer)","jwks":{"keys":[]}}"#, .noUsableKey),
            (#"{"issuer":"\#(Self.issuer)","jwks":{"keys":[1]}}"#, .malformed),
            (#"{"issuer":"\#(Self.issuer)","jwks":{}}"#, .malformed),
            (#"{"issuer":"\#(Self.issuer)","jwks":7}"#, .malformed),
        ]
        for (document, fault) in cases {
            #expect(throws: fault, "\(document)") { try keys(document) }
        }
        let many = Array(repeating: key(), count: 33).joined(separator: ",")
        #expect(throws: IssuerMetadata.Fault.tooManyKeys) {
            try keys(#"{"issuer":"\#(Self.issuer)","jwks":{"keys":[\#(many)]}}"#)
        }
    }
}
