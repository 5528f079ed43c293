import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

/// The draft's own examples.
@Suite struct SDCWTExampleTests {
    private struct Examples: Decodable {
        struct Keys: Decodable {
            var issuer: HexBytes
            var holder: HexBytes
        }
        struct Example: Decodable {
            var name: String
            var bytes: HexBytes
        }

        var keys: Keys
        var audience: String
        var nonce: HexBytes
        var time: UInt64
        var issued: [Example]
        var presented: [Example]
    }

    private let examples: Examples
    private let issuer: CredentialVerificationKey
    private let holder: CredentialVerificationKey

    init() throws {
        examples = try RepositoryFile.decode(from: "Interop/third-party/sd-cwt/examples.json")
        issuer = try CredentialVerificationKey(coseKey: examples.keys.issuer.bytes)
        holder = try CredentialVerificationKey(coseKey: examples.keys.holder.bytes)
    }

    private func issuerKey(_ name: String, _ keyID: [UInt8]?) -> CredentialVerificationKey? {
        name == "https://issuer.example" && keyID == Array("https://issuer.example/cose-key3".utf8) ? issuer : nil
    }

    private func context(audience: String? = nil, now: UInt64? = nil) -> VerificationContext {
        VerificationContext(
            audience: audience ?? examples.audience, nonce: examples.nonce.bytes, now: now ?? examples.time)
    }

    @Test func holdsEveryIssuedExample() throws {
        for example in examples.issued {
            let credential = try SDCWT.hold(
                example.bytes.bytes, for: holder, issuerKey: issuerKey, now: examples.time)
            #expect(credential.encoded() == example.bytes.bytes, "\(example.name)")
            #expect(credential.full.subject == "https://device.example", "\(example.name)")
        }
        #expect(examples.issued.count == 3)
    }

    @Test func verifiesEveryPresentedExample() throws {
        for example in examples.presented {
            let shown = try SDCWT.verify(example.bytes.bytes, in: context(), issuerKey: issuerKey)
            #expect(shown.issuer == "https://issuer.example", "\(example.name)")
            #expect(shown.holderKey == holder, "\(example.name)")
            #expect(shown.expires == 1_725_330_600, "\(example.name)")
        }
        #expect(examples.presented.count == 2)
    }

    @Test func showsWhatTheFirstExampleDiscloses() throws {
        let example = try #require(examples.presented.first { $0.name == "kbt" })
        let shown = try SDCWT.verify(example.bytes.bytes, in: context(), issuerKey: issuerKey)
        #expect(shown.claims[501] == .text("ABCD-123456"))
        #expect(shown.claims[502] == .array([.unsigned(1_549_560_720), .unsigned(1_674_004_740)]))
        let location = try CBORMap([
            .init(.text("country"), .text("us")), .init(.text("region"), .text("ca")),
        ])
        #expect(shown.claims[503] == .map(location))
        let disclosed: [[ClaimPath.Step]] = [
            [.number(501)], [.number(502), .index(0)], [.number(503), .name("region")],
        ]
        #expect(shown.disclosed.map(\.steps) == disclosed)
    }

    @Test func showsWhatTheNestedExampleDiscloses() throws {
        let example = try #require(examples.presented.first { $0.name == "nested_kbt" })
        let shown = try SDCWT.verify(example.bytes.bytes, in: context(), issuerKey: issuerKey)
        let denver = try CBORMap([.init(.unsigned(1), .text("us"))])
        let sanFrancisco = try CBORMap([.init(.unsigned(1), .text("us")), .init(.unsigned(2), .text("ca"))])
        let first = try CBORMap([
            .init(.unsigned(500), .bool(true)), .init(.unsigned(501), .text("DCBA-101777")),
            .init(.unsigned(502), .unsigned(1_549_560_720)), .init(.unsigned(503), .map(denver)),
        ])
        let second = try CBORMap([
            .init(.unsigned(500), .bool(true)), .init(.unsigned(501), .text("ABCD-123456")),
            .init(.unsigned(502), .unsigned(1_674_004_740)), .init(.unsigned(503), .map(sanFrancisco)),
        ])
        #expect(shown.claims[504] == .array([.map(first), .map(second)]))
    }

    @Test func refusesThemForAnotherVerifierAndLater() throws {
        let example = try #require(examples.presented.first)
        #expect(throws: CredentialError.wrongAudience) {
            try SDCWT.verify(example.bytes.bytes, in: context(audience: "https://other.example"), issuerKey: issuerKey)
        }
        #expect(throws: CredentialError.expired(at: 1_725_330_600, in: .credential)) {
            try SDCWT.verify(example.bytes.bytes, in: context(now: 1_725_330_660), issuerKey: issuerKey)
        }
    }

    @Test func readsBackThePresentationItMakesOfAnExample() throws {
        let example = try #require(examples.issued.first { $0.name == "nested_issuer_cwt" })
        let credential = try SDCWT(decoding: example.bytes.bytes)
        #expect(credential.redacted.count == 15)
        let path = try #require(ClaimPath([.number(504), .index(1), .number(503), .number(2)]))
        let preview = try credential.preview(disclosing: [path])
        #expect(preview.disclosed.count == 3)
        let steps: [ClaimPath.Step] = [.number(504), .index(0), .number(503), .number(2)]
        #expect(ClaimPath(steps)?.values(in: preview.claims) == [.text("nv")])
    }
}
