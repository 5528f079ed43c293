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

    @Test(arguments: [0, 3])
    func aBatchIsItsCopiesIssuedOneByOne(decoys: Int) throws {
        let party = try ClaimsParty(seed: 9)
        var content = try party.content()
        content.issuedAt = ClaimsParty.issuedAt / CredentialContent.day * CredentialContent.day
        content.expires = ClaimsParty.expires / CredentialContent.day * CredentialContent.day
        // A disclosure within a disclosure, and one of a size with a longer head.
        content.redacting.append(try path("address"))
        content.claims = try CBORMap(
            content.claims.entries + [.init(.text("portrait"), .bytes([UInt8](repeating: 7, count: 300)))])
        content.redacting.append(try path("portrait"))
        content.decoyCount = decoys
        let copies = (0..<4).map { index in
            CredentialCopy(
                holder: party.holder.publicKey,
                status: index == 2 ? nil : StatusReference(uri: "https://status.example/1", index: 1 << (8 * index)))
        }
        var (random, again) = (SeededEntropy(seed: 10), SeededEntropy(seed: 10))
        let batch = try SDCWT.issue(batch: copies, of: content, keyID: [1], with: party.issuer, using: &random)
        var disclosures: Set<[UInt8]> = []
        for (copy, bytes) in zip(copies, batch) {
            let alone = try SDCWT.issue(
                content.copy(copy), holder: copy.holder, keyID: [1], with: party.issuer, using: &again)
            #expect(bytes == alone)
            let credential = try party.hold(bytes)
            #expect(Set(credential.redacted) == Set(content.redacting))
            for disclosure in try disclosed(in: bytes) {
                #expect(disclosures.insert(disclosure).inserted, "a salt of its own for each copy")
            }
        }
        #expect(disclosures.count == copies.count * (content.redacting.count + decoys))
    }

    private func disclosed(in credential: [UInt8]) throws -> [[UInt8]] {
        let item = try CBORValue(decoding: credential)
        guard case .tag(_, .array(let parts)) = item, case .map(let unprotected) = parts[1],
            case .array(let disclosures)? = unprotected[17]
        else { throw Absent() }
        return disclosures.compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
    }

    @Test func tellsClaimsApartWhoseNamesBeginAlike() throws {
        let party = try ClaimsParty(seed: 11)
        var content = try party.content()
        let names = ["a", "aa", "abcdefghijklmno", "abcdefghijklmnop", "abcdefghijklmnoq", "abcdefghijklmnopq"]
        content.claims = try CBORMap(names.map { CBORMap.Entry(.text($0), .text($0)) })
        for name in names {
            content.redacting = [try path(name)]
            let credential = try party.hold(try party.issue(content))
            #expect(credential.redacted == content.redacting)
            let shown = try party.verify(try party.present(credential, []))
            #expect(shown.claims[name] == nil)
            #expect(shown.claims.entries.count == names.count - 1)
        }
        content.redacting = [try path("abcdefghijklmnor")]
        #expect(throws: CredentialError.unknownClaim(try path("abcdefghijklmnor"))) { _ = try party.issue(content) }
        content.redacting = [try path("")]
        #expect(throws: CredentialError.unknownClaim(try path(""))) { _ = try party.issue(content) }
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
