import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastLink

struct HandshakeDoorTests {
    /// A door with a clock that the test moves.
    struct Scene: ~Copyable {
        var door: HandshakeDoor
        var random: SeededEntropy
        var now = Duration.seconds(1_000)

        init(seed: UInt64, perSecond: Int = 0, perAddress: Int = 20) {
            var random = SeededEntropy(seed: seed)
            var limits = LinkLimits()
            limits.handshakesPerSecond = perSecond
            limits.handshakesPerAddress = perAddress
            door = HandshakeDoor(limits, at: now, using: &random)
            self.random = random
        }

        mutating func admit(_ cookie: [UInt8]? = nil, from origin: String = "192.0.2.1") -> Admission {
            door.admit(cookie, from: origin, at: now, using: &random)
        }

        mutating func cookie(of origin: String = "192.0.2.1") throws -> [UInt8] {
            guard case .ask(let cookie) = admit(from: origin) else { throw LinkError.closed }
            return cookie
        }
    }

    @Test func answersEverybodyUpToTheMarkAndAsksForACookieBeyond() throws {
        var scene = Scene(seed: 1, perSecond: 10)
        for _ in 0..<10 { #expect(scene.admit() == .answer) }
        let cookie = try scene.cookie()
        #expect(cookie.count == 16)
        #expect(scene.admit(cookie) == .answer)
        // The second after a busy one is as careful; the one after a quiet one is not.
        scene.now += .seconds(1)
        _ = try scene.cookie()
        scene.now += .seconds(1)
        #expect(scene.admit() == .answer)
        #expect(scene.door.answeredCount == 12)
        #expect(scene.door.askedCount == 2)
    }

    @Test func aCookieIsForOneAddressAndTwoToFourMinutes() throws {
        var scene = Scene(seed: 2)
        let cookie = try scene.cookie()
        #expect(scene.admit(cookie, from: "192.0.2.2") != .answer)
        #expect(try scene.cookie(of: "192.0.2.2") != cookie)
        for index in cookie.indices {
            var changed = cookie
            changed[index] ^= 1
            #expect(scene.admit(changed) == .ask(cookie: cookie))
        }
        #expect(scene.admit([]) == .ask(cookie: cookie))
        scene.now += .seconds(119)
        #expect(scene.admit(cookie) == .answer)
        // The secret is another now, and still knows what the former one made.
        scene.now += .seconds(2)
        #expect(try scene.cookie() != cookie)
        #expect(scene.admit(cookie) == .answer)
        scene.now += .seconds(120)
        #expect(try scene.cookie() != cookie)
        #expect(scene.admit(cookie) != .answer)
        // Nor after a time without load, in which nobody needed secrets.
        let later = try scene.cookie()
        scene.now += .seconds(10_000)
        #expect(scene.admit(later) != .answer)
    }

    /// Pitfall 14: limits by address alone punish those who share one. Here they hold under load only, and for what is
    /// new: an address from which a thousand came before keeps these, and no other address pays for it.
    @Test func anAddressThatManyShareIsHeldBackUnderLoadOnly() throws {
        var quiet = Scene(seed: 3, perSecond: 1_000)
        for _ in 0..<1_000 { #expect(quiet.admit() == .answer) }

        var scene = Scene(seed: 4)
        let cookie = try scene.cookie()
        let other = try scene.cookie(of: "198.51.100.7")
        var answered = 0
        for _ in 0..<1_000 where scene.admit(cookie) == .answer { answered += 1 }
        #expect(answered == 5)
        #expect(scene.door.refusedCount == 995)
        #expect(scene.admit(other, from: "198.51.100.7") == .answer)
        for _ in 0..<10 {
            scene.now += .milliseconds(50)
            #expect(scene.admit(cookie) == .answer)
            #expect(scene.admit(cookie) == .refuse)
        }
        scene.now += .seconds(1)
        answered = 0
        for _ in 0..<10 where scene.admit(cookie) == .answer { answered += 1 }
        #expect(answered == 5)
    }

    @Test func knowsABoundedNumberOfAddresses() throws {
        var scene = Scene(seed: 5)
        for number in 0..<HandshakeDoor.maximumOrigins {
            let origin = "2001:db8:\(number)"
            let cookie = try scene.cookie(of: origin)
            #expect(scene.admit(cookie, from: origin) == .answer)
        }
        let late = try scene.cookie(of: "late")
        #expect(scene.admit(late, from: "late") == .refuse)
        // Each is forgotten once it may do everything again.
        scene.now += .milliseconds(51)
        #expect(scene.admit(late, from: "late") == .answer)
    }

    @Test func keepsNothingOfWhoShowsNoCookie() throws {
        var scene = Scene(seed: 6)
        for number in 0..<HandshakeDoor.maximumOrigins + 1 { _ = try scene.cookie(of: "2001:db8:\(number)") }
        // All places are free.
        let cookie = try scene.cookie()
        #expect(scene.admit(cookie) == .answer)
        #expect(scene.door.answeredCount == 1)
    }
}
