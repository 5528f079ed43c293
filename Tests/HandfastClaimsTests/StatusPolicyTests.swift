import HandfastClaims
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct StatusPolicyTests {
    private static let now: UInt64 = 1_700_000_000

    private func token(expires: UInt64? = nil, timeToLive: UInt64? = nil) throws -> StatusListToken {
        try StatusListToken(
            uri: "https://issuer.example/1", issuedAt: Self.now, expires: expires.map { Self.now + $0 },
            timeToLive: timeToLive, list: StatusList(count: 8, bits: 1))
    }

    @Test func refusesTokensOfAnotherTime() throws {
        let policy = StatusPolicy()
        let token = try token(expires: 1_000)
        for origin: StatusPolicy.Origin in [.stapled, .fetched(at: Self.now)] {
            try policy.check(token, from: origin, now: Self.now - 60)
            try policy.check(token, from: origin, now: Self.now + 1_059)
            let early = StatusListError.token(.issuedInFuture(at: Self.now, in: .statusListToken))
            #expect(throws: early) { try policy.check(token, from: origin, now: Self.now - 61) }
            let late = StatusListError.token(.expired(at: Self.now + 1_000, in: .statusListToken))
            #expect(throws: late) { try policy.check(token, from: origin, now: Self.now + 1_060) }
        }
    }

    @Test func countsTheLifeOfACopyFromWhenItWasFetched() throws {
        let policy = StatusPolicy(clockSkew: 0)
        let token = try token(timeToLive: 100)
        let fetched = StatusPolicy.Origin.fetched(at: Self.now + 500)
        try policy.check(token, from: fetched, now: Self.now + 600)
        #expect(throws: StatusListError.stale(since: Self.now + 600)) {
            try policy.check(token, from: fetched, now: Self.now + 601)
        }
        try policy.check(token, from: .stapled, now: Self.now + 100)
        #expect(throws: StatusListError.stale(since: Self.now + 100)) {
            try policy.check(token, from: .stapled, now: Self.now + 101)
        }
    }

    @Test func asksForAFresherTokenThanTheIssuer() throws {
        let policy = StatusPolicy(maximumAge: 50, clockSkew: 10)
        let token = try token(expires: 1_000, timeToLive: 500)
        try policy.check(token, from: .stapled, now: Self.now + 60)
        #expect(throws: StatusListError.tooOld(issuedAt: Self.now, maximumAge: 50)) {
            try policy.check(token, from: .stapled, now: Self.now + 61)
        }
    }

    @Test func saysUntilWhenATokenMayBeUsed() throws {
        let fetched = StatusPolicy.Origin.fetched(at: Self.now + 10)
        #expect(StatusPolicy().usableUntil(try token(), from: .stapled) == nil)
        #expect(StatusPolicy().usableUntil(try token(expires: 100), from: fetched) == Self.now + 99)
        #expect(StatusPolicy().usableUntil(try token(expires: 100, timeToLive: 20), from: fetched) == Self.now + 30)
        #expect(StatusPolicy().usableUntil(try token(timeToLive: 20), from: .stapled) == Self.now + 20)
        #expect(StatusPolicy(maximumAge: 5).usableUntil(try token(timeToLive: 20), from: .stapled) == Self.now + 5)
        // Until that second it may, and after it may not.
        let policy = StatusPolicy(maximumAge: 5, clockSkew: 0)
        let token = try token(expires: 4, timeToLive: 20)
        let end = try #require(policy.usableUntil(token, from: .stapled))
        try policy.check(token, from: .stapled, now: end)
        #expect(throws: StatusListError.self) { try policy.check(token, from: .stapled, now: end + 1) }
    }

    @Test func doesNotOverflow() throws {
        let policy = StatusPolicy(maximumAge: .max, clockSkew: .max)
        try policy.check(try token(timeToLive: .max), from: .fetched(at: .max), now: Self.now)
    }

    @Test func answersForACredential() throws {
        var random = SeededEntropy(seed: 5)
        let key = CredentialSigningKey.ed25519(SigningKey.generate(using: &random))
        var register = try StatusRegister(uri: "https://issuer.example/1", bits: 2)
        let reference = try register.allocate(using: &random)
        func status(at now: UInt64) throws -> CredentialStatus {
            let token = try register.token(issuedAt: now, expires: now + 100, timeToLive: 50)
            return try StatusPolicy().status(
                of: reference, in: token.signed(as: .cwt, with: key), keys: [IssuerKey(key.publicKey)],
                from: .stapled, now: now)
        }
        #expect(try status(at: Self.now) == .valid)
        try register.set(.suspended, at: reference.index)
        #expect(try status(at: Self.now + 1) == .suspended)
        try register.set(.invalid, at: reference.index)
        #expect(try status(at: Self.now + 2) == .invalid)
    }
}
