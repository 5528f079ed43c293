import HandfastChannel
import HandfastCrypto
import Testing

@Suite struct DomainTieTests {
    private static let now = Timestamp(seconds: 1_700_000_000)

    private func identity(_ domain: String?) throws -> Identity {
        var random = SystemEntropy()
        return try Identity.create(domain: domain, at: Self.now, using: &random)
    }

    private func fault(_ served: [UInt8], of domain: String = "shop.example", for known: KeyLog) -> DomainTie.Fault? {
        do {
            try DomainTie.check(served.bytes, of: domain, for: KeyLogOutline(known))
            return nil
        } catch {
            return error
        }
    }

    @Test func acceptsTheLogOfTheIdentityThatNamesTheDomain() throws {
        let shop = try identity("shop.example")
        #expect(fault(shop.log.encoded(), for: shop.log) == nil)
    }

    @Test func acceptsALongerLogThanIsKnownAndRefusesAShorterOne() throws {
        var random = SystemEntropy()
        var shop = try identity("shop.example")
        let earlier = shop.log
        _ = try shop.rotate(at: Self.now, using: &random)
        #expect(fault(shop.log.encoded(), for: earlier) == nil)
        #expect(fault(earlier.encoded(), for: shop.log) == .behind(served: 1, known: 2))
    }

    @Test func refusesAnotherIdentityOrDomainAndGarbage() throws {
        let shop = try identity("shop.example")
        let other = try identity("shop.example")
        let person = try identity(nil)
        #expect(fault(other.log.encoded(), for: shop.log) == .anotherIdentity(other.log.id))
        #expect(fault(shop.log.encoded(), of: "other.example", for: shop.log) == .anotherDomain("shop.example"))
        #expect(fault(person.log.encoded(), for: person.log) == .anotherDomain(nil))
        for garbage: [UInt8] in [[], [0x80], [0x81, 0x40], Array("<!doctype html>".utf8)] {
            guard case .malformed = fault(garbage, for: shop.log) else {
                Issue.record("\(garbage) was taken")
                continue
            }
        }
    }

    @Test func refusesAContradictionAndAnIdentityThatHasEnded() throws {
        var random = SystemEntropy()
        let shop = try identity("shop.example")
        let secret = shop.encoded()
        var one = try Identity.decode(secret.bytes)
        var two = try Identity.decode(secret.bytes)
        _ = try one.rotate(at: Self.now, using: &random)
        _ = try two.rotate(at: Timestamp(seconds: Self.now.seconds + 1), using: &random)
        #expect(fault(two.log.encoded(), for: one.log) == .fork)
        _ = try one.revoke(at: Self.now)
        #expect(fault(one.log.encoded(), for: shop.log) == .revoked)
    }
}
