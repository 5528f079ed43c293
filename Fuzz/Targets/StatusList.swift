@testable import HandfastClaims
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let statusList = [
        FuzzTarget(name: "status-list", seeds: statusListSeeds, run: statusList),
        FuzzTarget(name: "status-register", seeds: statusRegisterSeeds, run: statusRegister),
        FuzzTarget(name: "status-token", seeds: statusTokenSeeds, run: statusToken),
        FuzzTarget(name: "status-claims", seeds: statusClaimsSeeds, run: statusClaims),
    ]

    private static let uri = "https://issuer.example/status/1"

    /// The bits of an entry, and a stream: what inflates is within its bounds and comes back.
    @Sendable private static func statusList(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let bits = 1 << reader.choice(of: 4)
        guard let list = accepted({ try StatusList(compressed: reader.remaining(), bits: bits) }) else { return }
        try BrokenPromise.unless((1...StatusList.maximumCount).contains(list.count), "a list of too many entries")
        let last = accepted { try list.status(at: UInt64(list.count - 1)) }
        try BrokenPromise.unless(last != nil, "the last entry is not to be had")
        let beyond = accepted { try list.status(at: UInt64(list.count)) }
        try BrokenPromise.unless(beyond == nil, "there is an entry after the last")
        guard list.bytes.count < 1 << 16 else { return }
        let again = accepted { try StatusList(compressed: list.compressed, bits: bits) }
        try BrokenPromise.unless(again == list, "a list does not come back")
    }

    @Sendable private static func statusListSeeds() throws -> [[UInt8]] {
        let bomb = try StatusList(count: 1 << 22, bits: 8).compressed
        return try [1, 2, 4, 8].enumerated().map { number, bits in
            [UInt8(number)] + (try StatusList(bytes: [0xB9, 0xA3, 0x00, 0x44], bits: bits).compressed)
        } + [[0] + bomb, [0, 0x78, 0xBB, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1], [3]]
    }

    /// What a store gives back: a register that decodes has one encoding, and goes on giving places.
    @Sendable private static func statusRegister(_ input: [UInt8]) throws {
        guard var register = accepted({ try StatusRegister(decoding: input) }) else { return }
        try BrokenPromise.unlessSame(register.encoded(), as: input, "register")
        var entropy = FixedEntropy()
        let before = register.allocatedCount
        guard let place = accepted({ try register.allocate(using: &entropy) }) else {
            return try BrokenPromise.unless(before == register.list.count, "a register is full too early")
        }
        try BrokenPromise.unless(register.isAllocated(place.index), "a place was given and is not known")
        try register.set(.invalid, at: place.index)
    }

    @Sendable private static func statusRegisterSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy()
        return try [(1, 16), (2, 12), (8, 5)].map { bits, count in
            var register = try StatusRegister(uri: uri, bits: bits, count: count)
            for _ in 0..<3 { try register.set(.invalid, at: register.allocate(using: &entropy).index) }
            return register.encoded()
        }
    }

    private static func key() throws -> SigningKey {
        try SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 7, count: 32).bytes))
    }

    /// A token of anybody's: only what the issuer signed is taken.
    @Sendable private static func statusToken(_ input: [UInt8]) throws {
        let publicKey = CredentialVerificationKey.ed25519(try key().publicKey)
        guard
            let token = accepted({ try StatusListToken(verifying: input, uri: uri, keys: [publicKey]) })
        else { return }
        try BrokenPromise.unless(token.uri == uri, "a token of another list")
        _ = accepted { try StatusPolicy().check(token, from: .stapled, now: 1_700_000_100) }
    }

    @Sendable private static func statusTokenSeeds() throws -> [[UInt8]] {
        let token = try StatusListToken(
            uri: uri, issuedAt: 1_700_000_000, expires: 1_700_086_400, timeToLive: 3_600,
            list: StatusList(count: 64, bits: 2))
        let signer = CredentialSigningKey.ed25519(try key())
        return try StatusListToken.Format.allCases.map { try token.signed(as: $0, keyID: "a", with: signer) }
    }

    /// Claims of any bytes that the issuer did sign: the first byte says as what.
    @Sendable private static func statusClaims(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let isText = reader.choice(of: 2) == 1
        let payload = reader.remaining()
        let signer = try key()
        let bytes: [UInt8]
        if isText {
            let header = Base64URL.encode(Array(#"{"alg":"EdDSA","typ":"statuslist+jwt"}"#.utf8))
            let signed = Array((header + "." + Base64URL.encode(payload)).utf8)
            bytes = signed + Array(("." + Base64URL.encode(signer.signature(for: signed.bytes).array)).utf8)
        } else {
            bytes = COSESign1.sign(payload, type: StatusListToken.Format.cwt.type, with: signer).encoded()
        }
        let keys = [CredentialVerificationKey.ed25519(signer.publicKey)]
        guard let token = accepted({ try StatusListToken(verifying: bytes, uri: uri, keys: keys) }) else { return }
        guard token.list.bytes.count < 1 << 16 else { return }
        let again = try token.signed(as: isText ? .jwt : .cwt, with: CredentialSigningKey.ed25519(signer))
        let read = accepted { try StatusListToken(verifying: again, uri: uri, keys: keys) }
        try BrokenPromise.unless(read == token, "a token does not come back")
    }

    @Sendable private static func statusClaimsSeeds() throws -> [[UInt8]] {
        try statusTokenSeeds().enumerated().map { number, token in
            if number == 1 {
                let parts = String(decoding: token, as: UTF8.self).split(separator: ".")
                return [1] + (try Base64URL.decode(parts[1]))
            }
            guard case .tag(_, .array(let items)) = try CBORValue(decoding: token), case .bytes(let payload) = items[2]
            else { throw BrokenPromise(description: "a token is no COSE_Sign1") }
            return [0] + payload
        }
    }
}
