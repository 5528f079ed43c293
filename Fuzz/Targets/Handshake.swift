@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let handshake = [
        FuzzTarget(name: "bundle", seeds: bundleSeeds, run: bundle),
        FuzzTarget(name: "hello", seeds: { Tampering.seeds }, run: hello),
        FuzzTarget(name: "hello-content", seeds: helloContentSeeds, run: helloContent),
        FuzzTarget(name: "welcome", seeds: { Tampering.seeds }, run: welcome),
        FuzzTarget(name: "welcome-content", seeds: welcomeContentSeeds, run: welcomeContent),
        FuzzTarget(name: "pending-welcome", seeds: pendingWelcomeSeeds, run: pendingWelcome),
    ]

    /// A first byte chooses between a bundle as it is and a payload that a hostile inviter signs.
    @Sendable private static func bundle(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        var reader = InputReader(input)
        let isPayload = reader.choice(of: 2) == 1
        var bytes = reader.remaining()
        if isPayload {
            bytes = COSESign1.sign(bytes, type: Bundle.type, with: fixture.signer.signingKey).encoded()
        }
        guard let bundle = accepted({ try Bundle(decoding: bytes.bytes) }) else { return }
        try BrokenPromise.unlessSame(bundle.bytes, as: bytes, "bundle")
        _ = accepted { try bundle.check(against: fixture.invitation, now: Fixture.now) }
    }

    @Sendable private static func bundleSeeds() throws -> [[UInt8]] {
        let bytes = try Fixture.shared.get().bundle.bytes
        return [[0] + bytes, [1] + (try COSESign1(decoding: bytes.bytes, maximumPayload: bytes.count).payload)]
    }

    /// A hello that was changed on the way does not open.
    @Sendable private static func hello(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        let message = Tampering(InputReader(input)).apply(to: fixture.hello)
        let opened = accepted { try ReceivedHello.open(message.bytes, bundle: fixture.bundle, key: fixture.bundleKey) }
        let (didOpen, isOriginal) = (opened != nil, message == fixture.hello)
        try BrokenPromise.unless(didOpen == isOriginal, didOpen ? "a changed hello opens" : "a hello does not open")
    }

    /// What anybody who has the bundle can say in a hello: any content, with or without a signature.
    @Sendable private static func helloContent(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        var reader = InputReader(input)
        let choice = reader.choice(of: 3)
        let bytes = reader.remaining()
        guard choice > 0 else {
            let content = accepted {
                try ChannelError.decoding("hello", bytes.bytes, maximum: SealedForm.hello.maximumByteCount) {
                    try Greeting.Content(&$0)
                }
            }
            if let content { try BrokenPromise.unlessSame(content.encoded(), as: bytes, "content of a hello") }
            return
        }
        var entropy = FixedEntropy()
        let hash = fixture.bundle.hash.array
        var sender = try entropy.sender(
            to: fixture.bundleKey.publicKey, info: HandshakeTranscript.info(bundleHash: fixture.bundle.hash).bytes)
        var plaintext = bytes
        if choice == 1 {
            let signed = COSESign1.sign(
                bytes, type: SealedForm.hello.type, externalData: hash + sender.encapsulation,
                with: fixture.inviter.signingKey)
            let encoded = signed.encoded()
            guard encoded.count <= 0xffff else { return }
            plaintext = SealedForm.padded(encoded)
        }
        let prefix = [SealedForm.hello.version] + hash
        let sealed = try sender.seal(plaintext.bytes, authenticating: prefix.bytes)
        let message = prefix + sender.encapsulation + sealed
        guard
            let opened = accepted({
                try ReceivedHello.open(message.bytes, bundle: fixture.bundle, key: fixture.bundleKey)
            })
        else { return }
        try BrokenPromise.unless(
            (1...Address.maximumCount).contains(opened.addresses.count)
                && opened.entries.count <= Greeting.maximumEntryCount, "a hello passes the limits")
    }

    @Sendable private static func helloContentSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        var entropy = FixedEntropy(3)
        let content = Greeting.Content(
            inception: fixture.inviter.log.events[0].encoded(), addresses: [fixture.address],
            ratchetKey: AgreementPrivateKey.generate(using: &entropy).publicKey,
            kemKey: KEMPrivateKey.generate(using: &entropy).publicKey, ticket: fixture.invitation.ticket,
            entries: [[0x82, 0x01, 0x02], [0x40]], created: Fixture.now
        ).encoded()
        return [[0] + content, [1] + content, [2, 0, 3, 1, 2, 3, 0, 0]]
    }

    /// A welcome that was changed on the way does not open.
    @Sendable private static func welcome(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        let message = Tampering(InputReader(input)).apply(to: fixture.welcome)
        var entropy = FixedEntropy()
        let opened = accepted { try fixture.pending.open(message.bytes, now: Fixture.now, using: &entropy) }
        let (didOpen, isOriginal) = (opened != nil, message == fixture.welcome)
        try BrokenPromise.unless(didOpen == isOriginal, didOpen ? "a changed welcome opens" : "a welcome does not open")
        try BrokenPromise.unless(
            Array(fixture.pending.encoded()) == fixture.pendingState, "opening changes what waits for a welcome")
    }

    @Sendable private static func welcomeContent(_ input: [UInt8]) throws {
        let content = accepted {
            try ChannelError.decoding("welcome", input.bytes, maximum: Channel.maximumContentByteCount) {
                try WelcomeContent(&$0)
            }
        }
        guard let content else { return }
        try BrokenPromise.unlessSame(content.encoded(), as: input, "content of a welcome")
        let proof = try Fixture.shared.get().proof
        let claimed = HandshakeProof(
            bundle: proof.bundle, encapsulation: proof.encapsulation, helloHash: proof.helloHash,
            ciphertext: proof.ciphertext, ratchetKey: proof.ratchetKey, inviteeInception: proof.inviteeInception,
            inviterInception: content.inception, pairwiseSignature: content.pairwiseSignature,
            signerSignature: content.signerSignature, signerEvents: content.signerEvents)
        _ = accepted { try claimed.verify() }
    }

    @Sendable private static func welcomeContentSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let first = fixture.inviterEntries[0].encoded()
        return [
            WelcomeContent(proof: fixture.proof, addresses: [fixture.address], entries: [first]).encoded()
        ]
    }

    @Sendable private static func pendingWelcome(_ input: [UInt8]) throws {
        guard let pending = accepted({ try PendingWelcome.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(Array(pending.encoded()), as: input, "stored pending welcome")
        var entropy = FixedEntropy()
        let welcome = try Fixture.shared.get().welcome
        _ = accepted { try pending.open(welcome.bytes, now: Fixture.now, using: &entropy) }
        try BrokenPromise.unlessSame(Array(pending.encoded()), as: input, "pending welcome after an attempt")
    }

    @Sendable private static func pendingWelcomeSeeds() throws -> [[UInt8]] {
        [try Fixture.shared.get().pendingState]
    }
}
