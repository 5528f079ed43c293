import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct SDCWTTests {
    @Test(arguments: [CredentialAlgorithm.edDSA, .es256], [CredentialAlgorithm.edDSA, .es256])
    func verifierLearnsWhatIsDisclosedAndNoMore(issuer: CredentialAlgorithm, holder: CredentialAlgorithm) throws {
        let party = try ClaimsParty(seed: 1, issuer: issuer, holder: holder)
        let credential = try party.hold(try party.issue())
        let presentation = try party.present(credential, [path("given_name"), path("address", "city")])
        let shown = try party.verify(presentation)
        #expect(shown.claims["given_name"] == .text("Ada"))
        #expect(shown.claims["family_name"] == nil)
        #expect(shown.claims["address"] == .map(try CBORMap([.init(.text("city"), .text("Oslo"))])))
        #expect(shown.claims["languages"] == .array([.text("no")]))
        #expect(Set(shown.disclosed) == [try path("given_name"), try path("address", "city")])
        #expect(shown == (try credential.preview(disclosing: [path("given_name"), path("address", "city")])))
        #expect(shown.type == "https://types.example/person")
        #expect(shown.subject == "person")
        #expect(shown.issuedAt == ClaimsParty.issuedAt)
        #expect(shown.expires == ClaimsParty.expires)
        #expect(shown.holderKey == party.holder.publicKey)
    }

    @Test func showsNothingWithoutDisclosures() throws {
        let party = try ClaimsParty(seed: 2)
        let shown = try party.verify(try party.present(try party.hold(try party.issue()), []))
        #expect(shown.disclosed.isEmpty)
        #expect(shown.claims.entries.map(\.key) == [.text("address"), .text("languages")])
    }

    @Test func disclosesWhatAClaimStandsIn() throws {
        let party = try ClaimsParty(seed: 3)
        var content = try party.content()
        content.redacting = [try path("address"), try path("address", "city"), try path("address", "street")]
        let credential = try party.hold(try party.issue(content))
        let shown = try party.verify(try party.present(credential, [path("address", "street")]))
        #expect(shown.claims["address"] == .map(try CBORMap([.init(.text("street"), .text("Storgata 1"))])))
        let outer = try party.verify(try party.present(credential, [path("address")]))
        #expect(outer.claims["address"] == .map(CBORMap()))
    }

    @Test func redactsEachElementAndTheSubject() throws {
        let party = try ClaimsParty(seed: 4)
        var content = try party.content()
        content.redacting = [
            try #require(ClaimPath([.name("languages"), .every])), try #require(ClaimPath([.number(2)])),
        ]
        let credential = try party.hold(try party.issue(content))
        #expect(credential.redacted.count == 3)
        let second = try #require(ClaimPath([.name("languages"), .index(1)]))
        let shown = try party.verify(try party.present(credential, [second]))
        #expect(shown.claims["languages"] == .array([.text("en")]))
        #expect(shown.subject == nil)
        let all = try #require(ClaimPath([.name("languages"), .every]))
        let whole = try party.verify(try party.present(credential, [all, try #require(ClaimPath([.number(2)]))]))
        #expect(whole.claims["languages"] == .array([.text("no"), .text("en")]))
        #expect(whole.subject == "person")
    }

    @Test func decoysBringTheDigestsToOneNumber() throws {
        let party = try ClaimsParty(seed: 5)
        var content = try party.content()
        content.pad(toDigests: 12)
        let redacted = content.redacting.filter { $0.steps.count == 1 }.count
        #expect(content.decoyCount == 12 - redacted)
        let credential = try party.hold(try party.issue(content))
        #expect(credential.redacted.count == content.redacting.count)
        let shown = try party.verify(try party.present(credential, [path("family_name")]))
        #expect(shown.disclosed == [try path("family_name")])
    }

    @Test func copiesOfABatchShareNothingThatTellsThem() throws {
        let party = try ClaimsParty(seed: 6)
        var random = SeededEntropy(seed: 6)
        let holders = (0..<3).map { _ in SigningKey.generate(using: &random).publicKey }
        let copies = holders.enumerated().map { index, key in
            CredentialCopy(
                holder: .ed25519(key), status: StatusReference(uri: "https://status.example/1", index: UInt64(index)))
        }
        var content = try party.content()
        content.issuedAt = ClaimsParty.issuedAt + 12_345
        let credentials = try SDCWT.issue(batch: copies, of: content, with: party.issuer, using: &random)
        #expect(Set(credentials.map(\.count)).count == 1)
        for (index, bytes) in credentials.enumerated() {
            let credential = try SDCWT.hold(
                bytes, for: .ed25519(holders[index]), issuerKey: party.issuerKey, now: ClaimsParty.now)
            #expect(credential.full.issuedAt.map { $0 % CredentialContent.day } == 0)
            #expect(credential.full.expires.map { $0 % CredentialContent.day } == 0)
            #expect(credential.full.status?.index == UInt64(index))
        }
    }

    @Test func writesTheStatusAndAnIntegerType() throws {
        let party = try ClaimsParty(seed: 7)
        var content = try party.content()
        content.type = "65000"
        content.status = StatusReference(uri: "https://status.example/7", index: 1 << 40)
        let shown = try party.verify(try party.present(try party.hold(try party.issue(content)), []))
        #expect(shown.status == content.status)
        #expect(shown.type == "65000")
        #expect(shown.claims[65_535] == nil)
    }

    @Test func takesTheKeyByItsID() throws {
        let party = try ClaimsParty(seed: 8)
        let bytes = try party.issue(keyID: [1, 2])
        var asked: [UInt8]?
        let credential = try SDCWT.hold(
            bytes, for: party.holder.publicKey,
            issuerKey: { _, keyID in
                asked = keyID
                return party.issuer.publicKey
            }, now: ClaimsParty.now)
        #expect(asked == [1, 2])
        #expect(credential.keyID == [1, 2])
    }
}
