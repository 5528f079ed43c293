internal import HandfastChannel
internal import HandfastCrypto

/// Two channels that talk as a list of steps says.
///
/// | do | step | result |
/// |---|---|---|
/// | `seal` | kind, content, now, salt; what a step draws: ratchetKey, offerSeed, ciphertext and sharedSecret | envelope |
/// | `open` | envelope, or `of`: the number of the step that sealed it; now | kind and content, held, or error |
/// | `lose` | count, now: messages that are sealed (kind 2, empty, the last salt) and never come | – |
/// | `deliver` | count, now: such messages that the other side opens | – |
/// | `release` | now: what was held is opened | opened: a list of kind and content |
/// | `turnIsDue` | now | isDue |
struct VectorConversation: ~Copyable {
    private var invitee: Channel
    private var inviter: Channel
    private var envelopes: [[UInt8]?] = []

    init(invitee: consuming Channel, inviter: consuming Channel) {
        self.invitee = invitee
        self.inviter = inviter
    }

    /// The states now.
    borrowing func states() throws -> (invitee: VectorFields, inviter: VectorFields) {
        (try VectorChannel.state(invitee), try VectorChannel.state(inviter))
    }

    /// Does one step and says what came of it.
    mutating func run(_ step: VectorFields) throws -> VectorFields {
        let isInvitee =
            switch try step.text("side") {
            case "invitee": true
            case "inviter": false
            default: throw VectorFault.kind("invitee or inviter").at(step.path + "side")
            }
        let now = Timestamp(seconds: try step.number("now"))
        let action = try step.text("do")
        if action == "deliver" {
            try deliver(step.count("count", maximum: 65_536), fromInvitee: isInvitee, now: now)
            envelopes.append(nil)
            return [:]
        }
        var sealed: [UInt8]?
        let result =
            isInvitee
            ? try Self.run(step, action, &invitee, envelopes, &sealed, now: now)
            : try Self.run(step, action, &inviter, envelopes, &sealed, now: now)
        envelopes.append(sealed)
        return result
    }

    private static func run(
        _ step: VectorFields, _ action: String, _ channel: inout Channel, _ envelopes: [[UInt8]?],
        _ sealed: inout [UInt8]?, now: Timestamp
    ) throws -> VectorFields {
        switch action {
        case "seal":
            let envelope = try seal(step, &channel, now: now)
            sealed = envelope
            return ["envelope": .hex(envelope)]
        case "open":
            let envelope = try envelope(step, envelopes)
            do {
                return try open(envelope, &channel, now: now)
            } catch let error as ChannelError {
                return ["error": .text(VectorErrorClass.name(of: error))]
            }
        case "lose":
            var (draws, envelope) = (VectorEntropy([]), [UInt8]())
            for _ in 0..<(try step.count("count", maximum: 65_536)) {
                try channel.seal(.ephemeral, RawSpan(), now: now, into: &envelope, using: &draws)
            }
            return [:]
        case "release":
            var opened: [VectorValue] = []
            for envelope in channel.takeReleasable() {
                opened.append(.object(try open(envelope, &channel, now: now)))
            }
            return ["opened": .list(opened)]
        case "turnIsDue": return ["isDue": .flag(channel.turnIsDue(now: now))]
        default: throw VectorFault.unknownOperation(action).at(step.path + "do")
        }
    }

    private mutating func deliver(_ count: Int, fromInvitee: Bool, now: Timestamp) throws {
        var (draws, envelope) = (VectorEntropy([]), [UInt8]())
        for _ in 0..<count {
            if fromInvitee {
                try invitee.seal(.ephemeral, RawSpan(), now: now, into: &envelope, using: &draws)
                _ = try Self.open(envelope, &inviter, now: now)
            } else {
                try inviter.seal(.ephemeral, RawSpan(), now: now, into: &envelope, using: &draws)
                _ = try Self.open(envelope, &invitee, now: now)
            }
        }
    }

    private static func envelope(_ step: VectorFields, _ envelopes: [[UInt8]?]) throws -> [UInt8] {
        if let bytes = try step.optionalBytes("envelope") { return bytes }
        let number = try step.count("of")
        guard number < envelopes.count, let envelope = envelopes[number] else {
            throw VectorFault.kind("the number of a step that sealed").at(step.path + "of")
        }
        return envelope
    }

    /// Seals with the recorded draws, all of which must be asked for.
    static func seal(_ step: VectorFields, _ channel: inout Channel, now: Timestamp) throws -> [UInt8] {
        let salt: FixedBytes<8> = try step.bytes("salt")
        var saltDraw = VectorEntropy(salt.array)
        channel.didCommit(using: &saltDraw)
        guard let kind = PayloadKind(rawValue: UInt8(try step.count("kind", maximum: 255))) else {
            throw VectorFault.kind("0 to 3").at(step.path + "kind")
        }
        let script = (try step.optionalBytes("ratchetKey") ?? []) + (try step.optionalBytes("offerSeed") ?? [])
        var encapsulation: (ciphertext: [UInt8], sharedSecret: [UInt8])?
        if let ciphertext = try step.optionalBytes("ciphertext") {
            encapsulation = (ciphertext, try step.bytes("sharedSecret"))
        }
        var draws = VectorEntropy(script, encapsulation: encapsulation)
        let content = try step.bytes("content")
        var envelope: [UInt8] = []
        try channel.seal(kind, content.bytes, now: now, into: &envelope, using: &draws)
        guard !draws.isExhausted, draws.unusedCount == 0, (draws.used == nil) == (encapsulation == nil) else {
            throw VectorFault.kind("what this step draws").at(step.path + "ratchetKey, offerSeed or ciphertext")
        }
        return envelope
    }

    /// Opens; the error is the library's.
    static func open(_ envelope: [UInt8], _ channel: inout Channel, now: Timestamp) throws -> VectorFields {
        var plaintext: [UInt8] = []
        switch try channel.open(envelope.bytes, now: now, into: &plaintext) {
        case .message(let kind, let content):
            return ["kind": .number(kind.rawValue), "content": .hex(Array(plaintext[content]))]
        case .held: return ["held": .flag(true)]
        }
    }

    /// What a step would draw if it made one now, written down: the step with the draws that were used.
    mutating func recording(_ step: VectorFields, _ maker: inout VectorMaker) throws -> VectorFields {
        let now = Timestamp(seconds: try step.number("now"))
        let state = try states()
        var trial = try VectorChannel.channel(step.text("side") == "invitee" ? state.invitee : state.inviter)
        let (ratchetKey, offerSeed) = (maker.random(32), maker.random(64))
        var draws = VectorEntropy(ratchetKey + offerSeed)
        var envelope: [UInt8] = []
        try trial.seal(.turn, RawSpan(), now: now, into: &envelope, using: &draws)
        var recorded = step
        if draws.unusedCount <= 64 { recorded = recorded.with("ratchetKey", .hex(ratchetKey)) }
        if draws.unusedCount == 0 { recorded = recorded.with("offerSeed", .hex(offerSeed)) }
        if let used = draws.used {
            recorded = recorded.with("ciphertext", .hex(used.ciphertext))
                .with("sharedSecret", .hex(used.sharedSecret))
        }
        return recorded
    }
}
