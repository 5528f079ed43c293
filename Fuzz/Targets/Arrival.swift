@testable import HandfastChannel
@testable import HandfastCrypto

/// What a vault holds of a channel.
struct StoredChannel: Equatable {
    var state: [UInt8]
    var auxiliary: [UInt8]?

    init(_ channel: borrowing Channel) {
        state = Array(channel.encoded())
        if let secret = channel.auxiliary() { auxiliary = Array(secret) }
    }

    init(state: [UInt8], auxiliary: [UInt8]?) {
        self.state = state
        self.auxiliary = auxiliary
    }

    func load() throws(ChannelError) -> Channel {
        var entropy = FixedEntropy()
        guard let auxiliary else { return try Channel.decode(state.bytes, auxiliary: nil, using: &entropy) }
        return try Channel.decode(state.bytes, auxiliary: auxiliary.bytes, using: &entropy)
    }
}

/// A receiver, the envelope that it may get next, and the sender just before it made that envelope.
struct Arrival {
    let now: Timestamp
    let sender: StoredChannel
    let receiver: StoredChannel
    let envelope: [UInt8]

    /// One of each kind: first of a chain, expected, ahead, passed over, with an ML-KEM ciphertext, to be held.
    static let all = Result { try make() }

    private static func make() throws -> [Arrival] {
        let fixture = try Fixture.shared.get()
        var entropy = FixedEntropy(4)
        let identity = try Identity.create(at: Fixture.now, using: &entropy)
        let greeting = try Greeting.make(
            invitation: fixture.invitation, bundle: fixture.bundle, identity: identity,
            addresses: [fixture.address], entries: { _ in [] }, now: Fixture.now, using: &entropy)
        let received = try ReceivedHello.open(greeting.hello.bytes, bundle: fixture.bundle, key: fixture.bundleKey)
        let welcome = try received.welcome(
            identity: fixture.inviter, signer: fixture.signer, addresses: [fixture.address], entries: [],
            now: Fixture.now, using: &entropy)
        let opened = try greeting.pending.open(welcome.envelope.bytes, now: Fixture.now, using: &entropy)
        var (invitee, inviter) = (StoredChannel(opened.channel), StoredChannel(welcome.channel))

        var arrivals: [Arrival] = []
        func arrive(_ arrival: Arrival, at receiver: inout StoredChannel) throws {
            var channel = try receiver.load()
            var plaintext: [UInt8] = []
            _ = try channel.open(arrival.envelope.bytes, now: arrival.now, into: &plaintext)
            receiver = StoredChannel(channel)
        }
        func arriveAndKeep(_ arrival: Arrival, at receiver: inout StoredChannel) throws {
            arrivals.append(
                Arrival(
                    now: arrival.now, sender: arrival.sender, receiver: receiver, envelope: arrival.envelope))
            try arrive(arrival, at: &receiver)
        }

        var now = Fixture.now
        let first = try send(from: &invitee, at: now)
        let second = try send(from: &invitee, at: now)
        let passedOver = try send(from: &invitee, at: now)
        let ahead = try send(from: &invitee, at: now)
        try arriveAndKeep(first, at: &inviter)
        try arriveAndKeep(second, at: &inviter)
        try arriveAndKeep(ahead, at: &inviter)
        try arriveAndKeep(passedOver, at: &inviter)

        // A day later ML-KEM keys are offered, and used in the chain after.
        now = now.adding(seconds: 90_000)
        try arriveAndKeep(try send(from: &inviter, at: now), at: &invitee)
        try arriveAndKeep(try send(from: &invitee, at: now), at: &inviter)
        now = now.adding(seconds: 90_000)
        try arrive(try send(from: &inviter, at: now), at: &invitee)
        let chain = try (0..<10).map { _ in try send(from: &invitee, at: now) }
        let before = inviter
        try arriveAndKeep(chain[9], at: &inviter)
        inviter = before
        try arriveAndKeep(chain[1], at: &inviter)
        return arrivals
    }

    /// Seals a message; the sender it names stands in the chain at the message's place.
    private static func send(from sender: inout StoredChannel, at now: Timestamp) throws -> Arrival {
        var entropy = FixedEntropy(5)
        var channel = try sender.load()
        if channel.sending == nil { try channel.makeStep(now: now, using: &entropy) }
        let before = StoredChannel(channel)
        var envelope: [UInt8] = []
        let content: [UInt8] = [1, 2, 3]
        try channel.seal(.records, content.bytes, now: now, into: &envelope, using: &entropy)
        sender = StoredChannel(channel)
        return Arrival(now: now, sender: before, receiver: before, envelope: envelope)
    }

    /// What a hostile sender makes in this envelope's place: its header with some bits turned, and any plaintext.
    func forged(headerMask: FixedBytes<45>, plaintext: [UInt8]) throws -> [UInt8] {
        var channel = try sender.load()
        guard let index = channel.sending?.next else { throw BrokenPromise(description: "the sender has no chain") }
        let ciphertext = index < PostQuantumSchedule.repeats ? channel.sending?.ciphertext : nil
        let usedCiphertext = channel.sending?.usedCiphertext ?? false
        let genuine = EnvelopeHeader(
            flags: (ciphertext == nil ? 0 : EnvelopeHeader.ciphertextFollows)
                | (usedCiphertext ? EnvelopeHeader.chainUsedCiphertext : 0),
            previousLength: channel.previousLength, salt: channel.salt, ratchetKey: channel.ownRatchetKey.publicKey)
        var block = [UInt8](repeating: 0, count: EnvelopeLayout.headerBlockRange.count)
        var span = block.mutableBytes
        genuine.write(into: &span)
        let tagCount = EnvelopeLayout.tagRange.count
        for (offset, mask) in headerMask.array.enumerated() { block[tagCount + offset] ^= mask }
        let clear = block[tagCount...].prefix(EnvelopeLayout.headerRange.count).map(\.self)
        var maskedSpan = block.mutableBytes
        channel.sending?.headers.mask(&maskedSpan, at: index)

        var envelope = [EnvelopeLayout.version] + block.prefix(tagCount + clear.count)
        if clear[0] & EnvelopeHeader.ciphertextFollows != 0 {
            var part = ciphertext ?? [UInt8](repeating: 0, count: EnvelopeLayout.ciphertextByteCount)
            var partSpan = part.mutableBytes
            channel.sending?.headers.key.maskCiphertext(&partSpan, at: index)
            envelope += part
        }
        var key = AEADKey()
        channel.sending?.keys.advance(into: &key)
        let nonce = try FixedBytes<12>(copying: [0, 0, 0, 0] + clear[5..<13])
        var body = plaintext + [UInt8](repeating: 0, count: ChaCha20Poly1305.tagCount)
        var bodySpan = body.mutableBytes
        try ChaCha20Poly1305.sealInPlace(&bodySpan, key: key, nonce: nonce, authenticating: envelope.bytes)
        return envelope + body
    }
}
