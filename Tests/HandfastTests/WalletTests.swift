import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

@Suite struct WalletTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private static func relationship(_ number: Int) -> RelationshipID {
        var random = SeededEntropy(seed: UInt64(number))
        return RelationshipID(Digest(FixedBytes(random: &random)))
    }

    private static func path(_ text: String) throws -> ClaimPath { try #require(ClaimPath(text: text)) }

    /// A person whose birth date, city and majority are disclosed one by one, and whose country always is.
    private static func person() throws -> HeldClaims {
        let address = try CBORMap([
            .init(.text("city"), .text("Lyon")), .init(.text("street"), .text("Rue 1")),
        ])
        let claims = try CBORMap([
            .init(.text("birthdate"), .text("1990-01-01")), .init(.text("age_over_18"), .bool(true)),
            .init(.text("country"), .text("FR")), .init(.text("address"), .map(address)),
            .init(.text("degrees"), .array([.text("MA"), .text("PhD")])),
        ])
        return HeldClaims(
            claims: claims,
            redacted: [
                try path("birthdate"), try path("age_over_18"), try path("address"), try path("address.city"),
                try path("address.street"), try path("degrees[0]"), try path("degrees[1]"),
            ])
    }

    private static func credential(
        copies count: Int, issued: Int, expires: UInt64? = nil, random: inout SeededEntropy
    ) throws -> WalletCredential {
        let keys = (0..<count).map { _ in SigningKey.generate(using: &random).publicKey }
        var credential = WalletCredential(
            id: .random(using: &random), label: "id", created: now, copies: keys.map { .init(holderKey: $0) })
        let content = WalletCredential.Content(
            format: .sdCWT, issuer: "https://id.example", type: "person", claims: try person())
        for key in keys.prefix(issued) {
            _ = try credential.take(content, holderKey: key, issuedAt: now.seconds, expires: expires)
        }
        return credential
    }

    private static func request(_ claims: [WantedClaim], type: String = "person") -> ClaimRequest {
        ClaimRequest(
            purpose: "age", credentials: [CredentialQuery(type: type, claims: claims)], nonce: .zero)
    }

    @Test func onlyWhatIsAskedForIsLearned() throws {
        let person = try Self.person()
        func learned(_ paths: String...) throws -> [String] {
            let wanted = try paths.map { WantedClaim(try Self.path($0)) }
            return person.learned(disclosing: person.disclosing(wanted)).map { "\($0.claim)=\($0.value)" }.sorted()
        }
        #expect(try learned() == ["country=\"FR\""])
        #expect(try learned("age_over_18") == ["age_over_18=true", "country=\"FR\""])
        #expect(try learned("address.city") == ["address.city=\"Lyon\"", "country=\"FR\""])
        #expect(
            try learned("address") == ["address.city=\"Lyon\"", "address.street=\"Rue 1\"", "country=\"FR\""])
        #expect(try learned("degrees[1]") == ["country=\"FR\"", "degrees[1]=\"PhD\""])
        #expect(try learned("degrees[]") == ["country=\"FR\"", "degrees[0]=\"MA\"", "degrees[1]=\"PhD\""])
    }

    @Test func aPredicateMustBeWhatIsAskedFor() throws {
        let person = try Self.person()
        #expect(person.satisfies([WantedClaim(try Self.path("age_over_18"), value: .bool(true))]))
        #expect(!person.satisfies([WantedClaim(try Self.path("age_over_18"), value: .bool(false))]))
        #expect(!person.satisfies([WantedClaim(try Self.path("age_over_21"))]))
        #expect(person.satisfies([WantedClaim(try Self.path("degrees[]"), value: .text("PhD"))]))
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func noCopyGoesToTwoRelationships(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        var wallet = Wallet()
        var shown: [VerificationKey: Set<RelationshipID>] = [:]
        var latest: [RelationshipID: VerificationKey] = [:]
        var now = Self.now
        let request = Self.request([WantedClaim(try Self.path("age_over_18"))])
        for step in 0..<300 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0 where wallet.credentials.count < 8:
                let count = Int.random(in: 1...12, using: &random)
                let life = UInt64.random(in: 1...400, using: &random)
                wallet.credentials.append(
                    try Self.credential(
                        copies: count, issued: Int.random(in: 0...count, using: &random),
                        expires: now.seconds + life, random: &random))
            case 1:
                now = now.adding(seconds: UInt64.random(in: 0...20, using: &random))
            case 2:
                guard let index = wallet.credentials.indices.randomElement(using: &random) else { continue }
                if Int.random(in: 0..<20, using: &random) == 0 {
                    _ = wallet.credentials[index].retireFreeCopies()
                }
            default:
                let relationship = Self.relationship(Int.random(in: 0..<20, using: &random))
                guard let plan = try? wallet.plan(request, for: relationship, at: now) else { continue }
                try wallet.reserve(plan, for: relationship, at: now)
                guard case .credential(let id, let number) = plan[0].source,
                    let copy = wallet.credentials.first(where: { $0.id == id })?.copies[number]
                else { throw MeetingFailed() }
                shown[copy.holderKey, default: []].insert(relationship)
                #expect(copy.holds(at: now) && copy.relationship == relationship, "seed \(seed), step \(step)")
                if let before = latest[relationship], before != copy.holderKey {
                    // Another one only once the first has ended.
                    let old = wallet.credentials.flatMap(\.copies).first { $0.holderKey == before }
                    #expect(old?.holds(at: now) == false, "seed \(seed), step \(step)")
                }
                latest[relationship] = copy.holderKey
            }
        }
        #expect(shown.values.allSatisfy { $0.count == 1 }, "seed \(seed)")
    }

    @Test func aBatchThatRunsLowSaysSo() throws {
        var random = SeededEntropy(seed: 7)
        var credential = try Self.credential(copies: 8, issued: 8, random: &random)
        for number in 0..<6 {
            #expect(!credential.isRunningLow(at: Self.now))
            #expect(try credential.copy(for: Self.relationship(number), at: Self.now) == number)
        }
        _ = try credential.copy(for: Self.relationship(6), at: Self.now)
        #expect(credential.isRunningLow(at: Self.now))
        _ = try credential.copy(for: Self.relationship(7), at: Self.now)
        #expect(throws: WalletError.noFreeCopy) {
            try credential.copy(for: Self.relationship(8), at: Self.now)
        }
        #expect(try credential.copy(for: Self.relationship(3), at: Self.now) == 3)
    }

    @Test func takesOnlyEqualCopiesForItsOwnKeys() throws {
        var random = SeededEntropy(seed: 8)
        var credential = try Self.credential(copies: 3, issued: 1, random: &random)
        var content = try #require(credential.content)
        #expect(throws: WalletError.unknownHolderKey) {
            try credential.take(
                content, holderKey: SigningKey.generate(using: &random).publicKey, issuedAt: nil, expires: nil)
        }
        #expect(throws: WalletError.issuedAlready(copy: 0)) {
            try credential.take(content, holderKey: credential.copies[0].holderKey, issuedAt: nil, expires: nil)
        }
        content.issuer = "https://other.example"
        #expect(throws: WalletError.differentContent(copy: 1)) {
            try credential.take(content, holderKey: credential.copies[1].holderKey, issuedAt: nil, expires: nil)
        }
        #expect(credential.awaitedCount == 2)
    }

    @Test func nothingThatWasFreeIsGivenAwayAfterARestore() throws {
        var random = SeededEntropy(seed: 9)
        var credential = try Self.credential(copies: 4, issued: 3, random: &random)
        _ = try credential.copy(for: Self.relationship(1), at: Self.now)
        #expect(credential.retireFreeCopies() == [1, 2, 3])
        #expect(try credential.copy(for: Self.relationship(1), at: Self.now) == 0)
        #expect(throws: WalletError.noFreeCopy) { try credential.copy(for: Self.relationship(2), at: Self.now) }
    }

    @Test func freshnessIssuerAndOwnWordDecide() throws {
        var random = SeededEntropy(seed: 10)
        let wallet = Wallet([try Self.credential(copies: 2, issued: 2, random: &random)])
        var request = Self.request([WantedClaim(try Self.path("country"))])
        request.maximumAge = 60
        #expect(try wallet.plan(request, for: Self.relationship(1), at: Self.now.adding(seconds: 60)).count == 1)
        #expect(throws: WalletError.noCredential(query: 0)) {
            try wallet.plan(request, for: Self.relationship(1), at: Self.now.adding(seconds: 61))
        }
        request.credentials[0].issuers = ["https://other.example"]
        #expect(throws: WalletError.noCredential(query: 0)) {
            try wallet.plan(request, for: Self.relationship(1), at: Self.now)
        }
        request.credentials[0].selfAsserted = true
        let plan = try wallet.plan(
            request, for: Self.relationship(1), at: Self.now, ownWords: [0: try Self.person()])
        #expect(plan[0].source == .ownWord && plan[0].issuer == nil)
    }

    @Test func refusingGoesBeforeAskingAndThatBeforeAnswering() throws {
        let shop = Self.relationship(1)
        let age = try Self.path("age_over_18")
        let request = Self.request([WantedClaim(age), WantedClaim(try Self.path("address.city"))])
        func decision(_ rules: ClaimRule...) -> ClaimDecision {
            ClaimPolicy(rules).decision(on: request, from: shop)
        }
        #expect(decision() == .ask)
        #expect(decision(ClaimRule(.answer)) == .answer)
        #expect(decision(ClaimRule(.answer, claim: age)) == .ask)
        #expect(
            decision(
                ClaimRule(.answer, claim: age), ClaimRule(.answer, relationship: shop, claim: try Self.path("address")))
                == .answer)
        #expect(decision(ClaimRule(.answer, relationship: Self.relationship(2))) == .ask)
        #expect(decision(ClaimRule(.answer, purpose: "marketing")) == .ask)
        #expect(decision(ClaimRule(.answer, purpose: "age", type: "person")) == .answer)
        #expect(decision(ClaimRule(.answer), ClaimRule(.ask, claim: age)) == .ask)
        #expect(decision(ClaimRule(.answer), ClaimRule(.refuse, claim: try Self.path("address.city"))) == .refuse)
        // To answer for a part is not to answer for the whole; to refuse a part is to refuse the whole.
        let whole = Self.request([WantedClaim(try Self.path("address"))])
        let city = try Self.path("address.city")
        #expect(ClaimPolicy([ClaimRule(.answer, claim: city)]).decision(on: whole, from: shop) == .ask)
        #expect(
            ClaimPolicy([ClaimRule(.answer), ClaimRule(.refuse, claim: city)]).decision(on: whole, from: shop)
                == .refuse)
    }
}
