@testable import HandfastChannel
@testable import HandfastCrypto

extension FuzzTarget {
    static let channel = [
        FuzzTarget(name: "envelope", seeds: envelopeSeeds, run: envelope),
        FuzzTarget(name: "envelope-content", seeds: envelopeContentSeeds, run: envelopeContent),
        FuzzTarget(name: "channel-state", seeds: channelStateSeeds, run: channelState),
    ]

    /// An envelope that was changed on the way does not open, changes nothing and does not keep the true one out.
    @Sendable private static func envelope(_ input: [UInt8]) throws {
        let arrivals = try Arrival.all.get()
        var reader = InputReader(input)
        let arrival = arrivals[reader.choice(of: arrivals.count)]
        let message = Tampering(reader).apply(to: arrival.envelope)
        var channel = try arrival.receiver.load()
        let opening = open(message, with: &channel, at: arrival.now)
        switch opening {
        case .message:
            try BrokenPromise.unless(message == arrival.envelope, "a changed envelope opens")
            try unlessUnchanged(by: message, &channel, at: arrival.now)
        case .held: break
        case nil:
            try BrokenPromise.unless(message != arrival.envelope, "an envelope does not open")
            try BrokenPromise.unless(StoredChannel(channel) == arrival.receiver, "a refused envelope changes state")
            let original = open(arrival.envelope, with: &channel, at: arrival.now)
            try BrokenPromise.unless(original != nil, "a refused envelope keeps the true one out")
        }
    }

    @Sendable private static func envelopeSeeds() throws -> [[UInt8]] {
        try Arrival.all.get().indices.flatMap { index in Tampering.seeds.prefix(4).map { [UInt8(index)] + $0 } }
    }

    /// What the peer itself can send: any header, any plaintext, under the right keys.
    @Sendable private static func envelopeContent(_ input: [UInt8]) throws {
        let arrivals = try Arrival.all.get()
        var reader = InputReader(input)
        let arrival = arrivals[reader.choice(of: arrivals.count)]
        var mask = [UInt8](repeating: 0, count: 45)
        for _ in 0..<reader.choice(of: 8) { mask[reader.choice(of: 45)] ^= reader.byte() }
        let paddedCount = reader.choice(of: 2) == 0 ? Padding.minimumByteCount : 0
        var plaintext = reader.remaining()
        plaintext += [UInt8](repeating: 0, count: max(0, paddedCount - plaintext.count))
        let message = try arrival.forged(headerMask: FixedBytes(copying: mask), plaintext: plaintext)

        var channel = try arrival.receiver.load()
        guard open(message, with: &channel, at: arrival.now) != nil else {
            try BrokenPromise.unless(StoredChannel(channel) == arrival.receiver, "a refused envelope changes state")
            return
        }
        let after = StoredChannel(channel)
        try BrokenPromise.unless(StoredChannel(try after.load()) == after, "a state does not survive being stored")
        try unlessUnchanged(by: message, &channel, at: arrival.now)
        var answer: [UInt8] = []
        var entropy = FixedEntropy(6)
        _ = accepted {
            try channel.seal(.turn, [UInt8]().bytes, now: arrival.now, into: &answer, using: &entropy)
        }
    }

    @Sendable private static func envelopeContentSeeds() throws -> [[UInt8]] {
        let bodies: [[UInt8]] = [[0, 0, 1, 0, 3, 1, 2, 3], [0, 0, 0, 0, 0], [1, 4, 1, 0, 1, 0, 3, 1, 2, 3]]
        var seeds: [[UInt8]] = []
        for index in try Arrival.all.get().indices {
            for body in bodies { seeds.append([UInt8(index)] + body) }
        }
        seeds.append([0, 0, 0, 0x81, 0, 1] + Arrival.offer + [7])
        return seeds
    }

    /// A message that has opened does not open again.
    private static func unlessUnchanged(
        by message: [UInt8], _ channel: inout Channel, at now: Timestamp
    ) throws {
        let before = StoredChannel(channel)
        let again = open(message, with: &channel, at: now)
        if case .message = again { throw BrokenPromise(description: "an envelope opens twice") }
        try BrokenPromise.unless(again != nil || StoredChannel(channel) == before, "a replay changes state")
    }

    private static func open(_ message: [UInt8], with channel: inout Channel, at now: Timestamp) -> Opening? {
        var plaintext: [UInt8] = []
        do throws(ChannelError) {
            return try channel.open(message.bytes, now: now, into: &plaintext)
        } catch {
            return nil
        }
    }

    /// A stored state loads to what it was and can be worked with, whatever it says.
    @Sendable private static func channelState(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let state = reader.counted()
        let rest = reader.remaining()
        // None of the rarely changing parts may be said by leaving them out or one by one.
        let noAuxiliary: [UInt8] = [0x85, 1, 0xf6, 0xf6, 0x80, 0x80]
        let stored = StoredChannel(state: state, auxiliary: rest.isEmpty || rest == noAuxiliary ? nil : rest)
        guard var channel = accepted({ try stored.load() }) else { return }
        try BrokenPromise.unless(StoredChannel(channel) == stored, "a stored channel has two forms")
        for arrival in try Arrival.all.get() { _ = open(arrival.envelope, with: &channel, at: arrival.now) }
        _ = channel.takeReleasable()
        var (envelope, entropy): ([UInt8], FixedEntropy) = ([], FixedEntropy(7))
        _ = accepted {
            try channel.seal(.turn, [UInt8]().bytes, now: Fixture.now, into: &envelope, using: &entropy)
        }
        let after = StoredChannel(channel)
        let again = accepted { StoredChannel(try after.load()) }
        try BrokenPromise.unless(again == after, "a state does not survive being stored")
    }

    @Sendable private static func channelStateSeeds() throws -> [[UInt8]] {
        try Arrival.all.get().flatMap { [$0.receiver, $0.sender] }.map { $0.state.counted + ($0.auxiliary ?? []) }
    }
}

extension Arrival {
    /// An ML-KEM key that a hostile peer offers.
    static let offer = {
        var entropy = FixedEntropy(8)
        return KEMPrivateKey.generate(using: &entropy).publicKey.array
    }()
}
