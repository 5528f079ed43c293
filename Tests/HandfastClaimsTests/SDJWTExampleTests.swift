import Foundation
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import HandfastClaims

/// Examples of RFC 9901 and of the SD-JWT VC draft.
@Suite struct SDJWTExampleTests {
    private static let issuerKey = #"""
        {"kty":"EC","crv":"P-256","x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
        "y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}
        """#
    private static let holderScalar = "5K5SCos8zf9zRemGGUl6yfok-_NiiryNZsvANWMhF-I"

    private func file(_ path: String) throws -> String {
        String(decoding: try RepositoryFile.contents("Interop/third-party/sd-jwt/\(path)"), as: UTF8.self)
    }

    /// A text that the document breaks into lines.
    private func text(_ path: String) throws -> String {
        try file(path).replacing("\n", with: "")
    }

    private func contents(_ example: String) throws -> CBORMap {
        try SDJWTForge.object(file("\(example)/verified_contents.json"))
    }

    private func issuerKey() throws -> CredentialVerificationKey {
        try CredentialVerificationKey(jwk: SDJWTForge.object(Self.issuerKey))
    }

    @Test(arguments: ["simple_structured", "complex_ekyc", "address_only_recursive"], ["issuance", "presentation"])
    func resolvesTheExamplesOfRFC9901(example: String, kind: String) throws {
        let pieces = try SDJWTText(text("\(example)/sd_jwt_\(kind).txt"), maximumCount: SDJWT.maximumCount)
        let token = try JWS(String(pieces.tokenText), type: "example+sd-jwt", maximumSize: SDJWT.maximumCount)
        try token.verify(with: issuerKey())
        var disclosures: [SDJWTDisclosure] = []
        for (index, text) in pieces.disclosures.enumerated() {
            disclosures.append(try SDJWTDisclosure(decoding: text, index: index))
        }
        let resolved = try DisclosureResolver.resolve(token.claims, with: disclosures).claims
        if kind == "presentation" {
            #expect(try resolved == contents(example))
        } else {
            let claims = try SDJWTForge.object(file("\(example)/user_claims.json"))
            for entry in claims.entries { #expect(resolved[entry.key] == entry.value) }
        }
    }

    @Test(arguments: ["vc-draft", "vc-identity", "vc-pid"])
    func verifiesTheExamplesOfTheDraft(example: String) throws {
        let presentation = try text("\(example)/sd_jwt_presentation.txt")
        let pieces = try SDJWTText(presentation, maximumCount: SDJWT.maximumPresentationCount)
        let proof = try JWS(String(pieces.keyBinding), type: "kb+jwt", maximumSize: SDJWT.maximumCount)
        guard case .unsigned(let now)? = proof.claims["iat"] else { throw JSONError.truncated }
        let key = try issuerKey()
        let shown = try SDJWT.verify(
            presentation, audience: "https://example.com/verifier", nonce: "1234567890", now: now
        ) { issuer, keyID in
            issuer == "https://example.com/issuer" && keyID.map { $0 == Array("doc-signer-05-25-2022".utf8) } ?? true
                ? key : nil
        }
        let expected = try contents(example)
        #expect(shown.claims.entries.allSatisfy { expected[$0.key] == $0.value })
        #expect(shown.claims.entries.count == expected.entries.count - 5)
        #expect(expected["vct"] == shown.type.map(CBORValue.text) && shown.issuedAt == 1_683_000_000)
        #expect(shown.expires == 1_883_000_000)
    }

    @Test(arguments: ["vc-identity", "vc-pid"])
    func presentsTheCredentialsOfTheDraft(example: String) throws {
        let credential = try SDJWT(decoding: text("\(example)/sd_jwt_issuance.txt"))
        let scalar = try Base64URL.decode(Self.holderScalar)
        let holder = CredentialSigningKey.p256(try P256SigningKey(scalar: SecretBytes(copying: scalar.bytes)))
        let presentation = try credential.present(
            disclosing: credential.redacted, audience: "a", nonce: "n", issuedAt: 1_700_000_000, with: holder)
        let key = try issuerKey()
        let shown = try SDJWT.verify(presentation, audience: "a", nonce: "n", now: 1_700_000_000) { _, _ in key }
        let claims = try SDJWTForge.object(file("\(example)/user_claims.json"))
        for entry in shown.claims.entries { #expect(claims[entry.key] == entry.value) }
        #expect(shown.claims.entries.count == claims.entries.count - 1)
    }
}
