import Handfast

/// An established channel with one side sending and the other opening.
struct Stream: ~Copyable {
    static let now = Timestamp(seconds: 1_700_000_000)

    private var sender: Channel
    private var receiver: Channel
    private let content: [UInt8]
    private var envelope: [UInt8] = []
    private var plaintext: [UInt8] = []
    private var sealed: [[UInt8]] = []
    private var entropy = SystemEntropy()
    private var messagesInChain = 0

    private init(sender: consuming Channel, receiver: consuming Channel, content: [UInt8]) {
        self.sender = sender
        self.receiver = receiver
        self.content = content
    }

    static func established(byteCount: Int) throws -> Stream {
        var entropy = SystemEntropy()
        let signer = try Identity.create(at: Self.now, using: &entropy)
        let bundleKey = SealingPrivateKey.generate(using: &entropy)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: Self.now, expires: Self.now.adding(seconds: 86_400),
            families: [])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
            ticket: .random(using: &entropy))
        let address = Address(relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: Identity.create(at: Self.now, using: &entropy),
            addresses: [address], entries: { _ in [] }, now: Self.now, using: &entropy)
        let received = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
        let welcome = try received.welcome(
            identity: Identity.create(at: Self.now, using: &entropy), signer: signer, addresses: [address], entries: [],
            now: Self.now, using: &entropy)
        let opened = try greeting.pending.open(welcome.envelope.bytes, now: Self.now, using: &entropy)
        let invitee = opened.channel.encoded()
        let inviter = welcome.channel.encoded()
        var stream = Stream(
            sender: try Channel.decode(invitee.bytes, auxiliary: nil, using: &entropy),
            receiver: try Channel.decode(inviter.bytes, auxiliary: nil, using: &entropy),
            content: [UInt8](repeating: 0x61, count: byteCount))
        // The step and the first messages of a chain are not what a stream is about.
        for _ in 0..<16 { try stream.sealAndOpen() }
        return stream
    }

    /// Seals one message and drops it on the way, as a lower bound of sending.
    mutating func seal() throws {
        let content = content
        try sender.seal(.records, content.bytes, now: Self.now, into: &envelope, using: &entropy)
    }

    mutating func sealAndOpen() throws {
        try turnWhenLong()
        try seal()
        let sent = envelope
        try open(sent)
    }

    /// Seals messages for ``openOne()``.
    mutating func prepare(_ count: Int) throws {
        sealed.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            try turnWhenLong()
            try seal()
            sealed.append(envelope)
        }
        sealed.reverse()
    }

    mutating func openOne() throws {
        guard let next = sealed.popLast() else { throw BenchmarkError.nothingPrepared }
        try open(next)
    }

    private mutating func open(_ envelope: [UInt8]) throws {
        guard case .message(_, let range) = try receiver.open(envelope.bytes, now: Self.now, into: &plaintext),
            range.count == content.count
        else { throw BenchmarkError.wrongContent }
    }

    /// A chain ends after 65,536 messages; an answer begins a new one.
    private mutating func turnWhenLong() throws {
        messagesInChain += 1
        guard messagesInChain >= 60_000 else { return }
        messagesInChain = 0
        try receiver.seal(.turn, RawSpan(), now: Self.now, into: &envelope, using: &entropy)
        let turn = envelope
        guard case .message = try sender.open(turn.bytes, now: Self.now, into: &plaintext) else {
            throw BenchmarkError.wrongContent
        }
    }
}

enum BenchmarkError: Error {
    case nothingPrepared
    case wrongContent
}
