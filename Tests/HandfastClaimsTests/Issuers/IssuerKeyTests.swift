import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct IssuerKeyTests {
    private static let uri = "https://id.example/status/1"

    private static func key(_ seed: UInt64) -> CredentialSigningKey {
        var random = SeededEntropy(seed: seed)
        return .ed25519(SigningKey.generate(using: &random))
    }

    @Test func aNameSelectsTheKey() {
        let (one, two, nameless) = (Self.key(1).publicKey, Self.key(2).publicKey, Self.key(3).publicKey)
        let keys = [IssuerKey(one, keyID: [1]), IssuerKey(two, keyID: [2]), IssuerKey(nameless)]
        #expect(keys.named([2]) == [two])
        #expect(keys.named([3]) == [nameless])
        #expect(keys.named(nil) == [one, two, nameless])
        #expect(Array(keys.prefix(2)).named([3]) == [])
    }

    @Test func aJSONWebKeyKeepsItsName() throws {
        let key = IssuerKey(Self.key(1).publicKey, keyID: Array("näme".utf8))
        #expect(try IssuerKey(jwk: key.jwk) == key)
        let entries = key.jwk.entries.filter { $0.key != .text("kid") }
        #expect(try IssuerKey(jwk: CBORMap(entries)).keyID == nil)
        let odd = try CBORMap(entries + [.init(.text("kid"), .unsigned(1))])
        #expect(throws: CredentialError.malformed(.key)) { try IssuerKey(jwk: odd) }
    }

    @Test(arguments: [StatusListToken.Format.cwt, .jwt])
    func aStatusTokenIsVerifiedByTheKeyThatItNames(_ format: StatusListToken.Format) throws {
        let token = try StatusListToken(
            uri: Self.uri, issuedAt: 1_000, expires: nil, timeToLive: nil, list: try StatusList(count: 8, bits: 1))
        let signed = try token.signed(as: format, keyID: "two", with: Self.key(2))
        let (one, two) = (Self.key(1).publicKey, Self.key(2).publicKey)
        func verify(_ keys: [IssuerKey]) throws(StatusListError) {
            _ = try StatusListToken(verifying: signed, uri: Self.uri, issuerKeys: keys)
        }
        try verify([IssuerKey(one, keyID: Array("one".utf8)), IssuerKey(two, keyID: Array("two".utf8))])
        try verify([IssuerKey(one), IssuerKey(two)])
        #expect(throws: StatusListError.token(.unknownIssuerKey)) {
            try verify([IssuerKey(two, keyID: Array("one".utf8))])
        }
        #expect(throws: StatusListError.token(.invalidSignature(in: .statusListToken))) {
            try verify([IssuerKey(one, keyID: Array("two".utf8)), IssuerKey(two)])
        }
    }
}
