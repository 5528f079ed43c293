import Glibc
import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct StatusListTokenTests {
    static let uri = "https://issuer.example/status/7"
    static let now: UInt64 = 1_700_000_000

    static func list() throws -> StatusList {
        var list = try StatusList(count: 1_000, bits: 2)
        try list.set(.invalid, at: 17)
        try list.set(.suspended, at: 999)
        return list
    }

    static func token(expires: UInt64? = now + 86_400, timeToLive: UInt64? = 3_600) throws -> StatusListToken {
        try StatusListToken(uri: uri, issuedAt: now, expires: expires, timeToLive: timeToLive, list: list())
    }

    static func key(_ algorithm: CredentialAlgorithm, seed: UInt64 = 1) -> CredentialSigningKey {
        var random = SeededEntropy(seed: seed)
        return algorithm == .edDSA
            ? .ed25519(SigningKey.generate(using: &random)) : .p256(P256SigningKey.generate(using: &random))
    }

    @Test(arguments: StatusListToken.Format.allCases, [CredentialAlgorithm.edDSA, .es256])
    func verifiesWhatItSigned(format: StatusListToken.Format, algorithm: CredentialAlgorithm) throws {
        let key = Self.key(algorithm)
        let other = Self.key(algorithm, seed: 2)
        let token = try Self.token()
        let bytes = try token.signed(as: format, keyID: "a", with: key)
        let keys = [Self.key(algorithm == .edDSA ? .es256 : .edDSA).publicKey, other.publicKey, key.publicKey]
        let verified = try StatusListToken(verifying: bytes, uri: Self.uri, keys: keys)
        #expect(verified == token)
        #expect(try verified.status(of: StatusReference(uri: Self.uri, index: 17)) == .invalid)
        #expect(try verified.status(of: StatusReference(uri: Self.uri, index: 999)) == .suspended)
        #expect(try verified.status(of: StatusReference(uri: Self.uri, index: 0)) == .valid)
        #expect(throws: StatusListError.indexOutOfRange(index: 1_000, count: 1_000)) {
            try verified.status(of: StatusReference(uri: Self.uri, index: 1_000))
        }
        let elsewhere = StatusReference(uri: "https://issuer.example/status/8", index: 17)
        #expect(throws: StatusListError.wrongSubject(expected: elsewhere.uri, actual: Self.uri)) {
            try verified.status(of: elsewhere)
        }
        #expect(throws: StatusListError.wrongSubject(expected: elsewhere.uri, actual: Self.uri)) {
            try StatusListToken(verifying: bytes, uri: elsewhere.uri, keys: keys)
        }
        #expect(throws: StatusListError.token(.invalidSignature(in: .statusListToken))) {
            try StatusListToken(verifying: bytes, uri: Self.uri, keys: [other.publicKey])
        }
        #expect(throws: StatusListError.token(.unknownIssuerKey)) {
            try StatusListToken(verifying: bytes, uri: Self.uri, keys: [keys[0]])
        }
        #expect(throws: StatusListError.token(.unknownIssuerKey)) {
            try StatusListToken(verifying: bytes, uri: Self.uri, keys: [])
        }
    }

    @Test(arguments: StatusListToken.Format.allCases) func leavesOutWhatIsNotSaid(format: StatusListToken.Format) throws
    {
        let key = Self.key(.edDSA)
        let token = try Self.token(expires: nil, timeToLive: nil)
        let bytes = try token.signed(as: format, with: key)
        #expect(try StatusListToken(verifying: bytes, uri: Self.uri, keys: [key.publicKey]) == token)
    }

    @Test(arguments: StatusListToken.Format.allCases) func refusesEveryChange(format: StatusListToken.Format) throws {
        let key = Self.key(.edDSA)
        let keys = [key.publicKey]
        let bytes = try Self.token().signed(as: format, keyID: "a", with: key)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: StatusListError.self, "byte \(index)") {
                try StatusListToken(verifying: changed, uri: Self.uri, keys: keys)
            }
            #expect(throws: StatusListError.self) {
                try StatusListToken(verifying: Array(bytes[..<index]), uri: Self.uri, keys: keys)
            }
        }
        #expect(throws: StatusListError.self) {
            try StatusListToken(verifying: bytes + [0], uri: Self.uri, keys: keys)
        }
    }

    @Test func refusesTimesThatContradictThemselves() throws {
        #expect(throws: StatusListError.wrongTimes) { try Self.token(expires: Self.now) }
        #expect(throws: StatusListError.wrongTimes) { try Self.token(timeToLive: 0) }
        #expect(throws: StatusListError.wrongURI) {
            try StatusListToken(uri: "status", issuedAt: 0, expires: nil, timeToLive: nil, list: Self.list())
        }
    }

    @Test func refusesAListThatDoesNotShrink() throws {
        var random = SeededEntropy(seed: 3)
        let list = try StatusList(bytes: random.bytes(5 << 20), bits: 8)
        let token = try StatusListToken(uri: Self.uri, issuedAt: 0, expires: nil, timeToLive: nil, list: list)
        #expect(throws: StatusListError.compressedTooLarge(maximum: 4 << 20)) {
            try token.signed(as: .cwt, with: Self.key(.edDSA))
        }
    }

    @Test(arguments: StatusListToken.Format.allCases)
    func inflatesNothingBeforeTheSignatureIsRight(format: StatusListToken.Format) throws {
        let bomb = try StatusList(count: StatusList.maximumCount, bits: 8)
        let token = try StatusListToken(uri: Self.uri, issuedAt: 0, expires: nil, timeToLive: nil, list: bomb)
        let bytes = try token.signed(as: format, with: Self.key(.edDSA))
        #expect(bytes.count < 40_000)
        let stranger = [Self.key(.edDSA, seed: 9).publicKey]
        let before = try Self.processorSecondsOfThisThread()
        #expect(throws: StatusListError.token(.invalidSignature(in: .statusListToken))) {
            try StatusListToken(verifying: bytes, uri: Self.uri, keys: stranger)
        }
        #expect(try Self.processorSecondsOfThisThread() - before < 1)
    }

    /// What a clock on the wall would say depends on who else wants the processor.
    private static func processorSecondsOfThisThread() throws -> Double {
        var time = timespec()
        try #require(unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The tokens of the draft.
@Suite struct StatusListTokenOfficialTests {
    private static let uri = "https://example.com/statuslists/1"

    private static func text(_ name: String) throws -> String {
        String(decoding: try RepositoryFile.contents("Interop/third-party/status-list/\(name)"), as: UTF8.self)
    }

    private struct Key: Decodable {
        let x: String
        let y: String
    }

    private static func keys() throws -> [CredentialVerificationKey] {
        let key: Key = try RepositoryFile.decode(from: "Interop/third-party/status-list/key.json")
        let point = try Base64URL.decode(key.x) + Base64URL.decode(key.y)
        return [.p256(try P256VerificationKey(point.bytes))]
    }

    private static func check(_ bytes: [UInt8]) throws {
        let token = try StatusListToken(verifying: bytes, uri: uri, keys: keys())
        #expect(token.issuedAt == 1_686_920_170)
        #expect(token.expires == 2_291_720_170)
        #expect(token.timeToLive == 43_200)
        #expect(token.list.bits == 1)
        #expect(token.list.bytes == [0xB9, 0xA3])
    }

    @Test func verifiesTheCWT() throws {
        let bytes = try #require(HexBytes(Self.text("token.cwt.hex").filter { !$0.isNewline })).bytes
        try Self.check(bytes)
    }

    @Test func verifiesTheJWT() throws {
        try Self.check(Array(Self.text("token.jwt").filter { !$0.isNewline }.utf8))
    }
}
