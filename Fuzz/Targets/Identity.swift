@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let identity = [
        FuzzTarget(name: "key-log", seeds: keyLogSeeds, run: keyLog),
        FuzzTarget(name: "signed-key-log", seeds: signedKeyLogSeeds, run: signedKeyLog),
        FuzzTarget(name: "identity-state", seeds: identityStateSeeds, run: identityState),
    ]

    @Sendable private static func keyLog(_ input: [UInt8]) throws {
        if let event = accepted({ try KeyEvent(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(event.encoded(), as: input, "key event")
        }
        if let log = accepted({ try KeyLog(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(log.encoded(), as: input, "key log")
        }
    }

    @Sendable private static func keyLogSeeds() throws -> [[UInt8]] {
        let events = try Fixture.shared.get().keyEvents
        return try events.map { $0.encoded() } + [KeyLog(Array(events.prefix(2))).encoded(), KeyLog(events).encoded()]
    }

    /// The keys that a hostile owner of an identity signs with.
    private struct HostileKeys {
        static let count = 4

        let seeds: [[UInt8]]
        let publicKeys: [VerificationKey]
        let sealing: SealingPublicKey

        init() throws {
            var entropy = FixedEntropy(2)
            seeds = (0..<Self.count).map { _ in entropy.bytes(SigningKey.seedCount) }
            publicKeys = try seeds.map { try SigningKey(seed: SecretBytes(copying: $0.bytes)).publicKey }
            sealing = SealingPrivateKey.generate(using: &entropy).publicKey
        }

        static let shared = Result { try HostileKeys() }
    }

    /// A log whose owner signs whatever payloads the input holds, each under one of four keys.
    @Sendable private static func signedKeyLog(_ input: [UInt8]) throws {
        let keys = try HostileKeys.shared.get()
        var reader = InputReader(input)
        var events: [[UInt8]] = []
        while !reader.isAtEnd, events.count < 2 * KeyLog.maximumEventCount {
            let seed = keys.seeds[reader.choice(of: HostileKeys.count)]
            let key = try SigningKey(seed: SecretBytes(copying: seed.bytes))
            events.append(COSESign1.sign(reader.counted(), type: KeyEvent.type, with: key).encoded())
        }
        var writer = CBORWriter()
        writer.writeArrayHeader(events.count)
        for event in events { writer.writeBytes(event) }
        guard let log = accepted({ try KeyLog(decoding: writer.bytes.bytes) }) else { return }
        try BrokenPromise.unlessSame(log.encoded(), as: writer.bytes, "key log")
        try BrokenPromise.unless(log.events.count <= KeyLog.maximumEventCount, "a key log is too long")
    }

    @Sendable private static func signedKeyLogSeeds() throws -> [[UInt8]] {
        let keys = try HostileKeys.shared.get()
        func payload(_ kind: KeyEvent.Kind, _ number: Int, after log: KeyLog?) -> [UInt8] {
            KeyEvent.Fields(
                kind: kind, signingKey: keys.publicKeys[number],
                next: kind == .revocation ? nil : KeyEvent.commitment(to: keys.publicKeys[(number + 1) % 4]),
                sealingKey: kind == .revocation ? nil : keys.sealing,
                domain: kind == .inception ? "shop.example" : nil, created: Fixture.now, follows: log
            ).encoded()
        }
        func event(_ number: Int, _ payload: [UInt8]) throws -> KeyEvent {
            let seed = keys.seeds[number]
            let key = try SigningKey(seed: SecretBytes(copying: seed.bytes))
            return try KeyEvent(COSESign1.sign(payload, type: KeyEvent.type, with: key))
        }
        let inception = payload(.inception, 0, after: nil)
        var log = try KeyLog([event(0, inception)])
        let revokedAtOnce = payload(.revocation, 1, after: log)
        let rotation = payload(.rotation, 1, after: log)
        try log.append(event(1, rotation))
        let revocation = payload(.revocation, 2, after: log)
        return [
            [0] + inception.counted,
            [0] + inception.counted + [1] + revokedAtOnce.counted,
            [0] + inception.counted + [1] + rotation.counted + [2] + revocation.counted,
        ]
    }

    @Sendable private static func identityState(_ input: [UInt8]) throws {
        guard var identity = accepted({ try Identity.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(Array(identity.encoded()), as: input, "stored identity")
        var entropy = FixedEntropy()
        let count = identity.log.events.count
        let event = accepted { try identity.rotate(at: Fixture.now, using: &entropy) }
        try BrokenPromise.unless(
            event != nil || identity.log.events.count == count, "a refused rotation changes the identity")
    }

    @Sendable private static func identityStateSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        return [Array(fixture.inviter.encoded()), Array(fixture.invitee.encoded())]
    }
}
