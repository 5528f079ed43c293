import Handfast

/// An established channel, end 0 sending unless messages go in turns.
struct Stream: ~Copyable, Exchange {
    private var sender: Channel
    private var receiver: Channel
    private var content: [UInt8]
    private var envelope: [UInt8] = []
    private var plaintext: [UInt8] = []
    private var prepared: [[UInt8]] = []
    private var entropy = SystemEntropy()
    private var messagesInChain = 0
    /// Size of the last turn's envelope, in bytes.
    private(set) var sealedByteCount = 0

    private init(_ ends: consuming Parties.Ends, content: [UInt8]) {
        sender = ends.invitee
        receiver = ends.inviter
        self.content = content
    }

    static func established(byteCount: Int) throws -> Stream {
        var entropy = SystemEntropy()
        let ends = try Parties.create(using: &entropy).handshake(using: &entropy)
        var stream = Stream(ends, content: [UInt8](repeating: 0x61, count: byteCount))
        // The step and the first messages of a chain are not what a stream is about.
        for _ in 0..<16 { try stream.sealAndOpen() }
        return stream
    }

    var name: String { "channel/stream/\(content.count)" }

    mutating func seal() throws {
        let content = content
        try sender.seal(.records, content.bytes, now: Parties.now, into: &envelope, using: &entropy)
    }

    mutating func prepare(_ count: Int) throws {
        prepared.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            try turnWhenLong()
            try seal()
            prepared.append(envelope)
        }
        prepared.reverse()
    }

    mutating func openPrepared() throws {
        guard let next = prepared.popLast() else { throw BenchmarkError.nothingPrepared }
        try open(next)
    }

    mutating func sealAndOpen() throws {
        try turnWhenLong()
        try seal()
        try open(envelope)
    }

    /// One message, after which the other end sends: each begins a chain.
    mutating func turn() throws {
        try sealAndOpen()
        sealedByteCount = envelope.count
        swap(&sender, &receiver)
        messagesInChain = 0
    }

    mutating func envelopeByteCount() throws -> Int {
        try sealAndOpen()
        return envelope.count
    }

    private mutating func open(_ envelope: [UInt8]) throws {
        guard case .message(_, let range) = try receiver.open(envelope.bytes, now: Parties.now, into: &plaintext),
            range.count == content.count
        else { throw BenchmarkError.wrongContent }
    }

    /// What an envelope adds to the longest content that fits its padded size: there is no padding in it.
    mutating func leastOverheadByteCount() throws -> Int {
        let size = try envelopeByteCount()
        while true {
            content.append(0x61)
            guard try envelopeByteCount() == size else { return size - (content.count - 1) }
        }
    }

    /// A chain ends after 65,536 messages; an answer begins a new one.
    private mutating func turnWhenLong() throws {
        messagesInChain += 1
        guard messagesInChain >= 60_000 else { return }
        messagesInChain = 0
        try receiver.seal(.turn, RawSpan(), now: Parties.now, into: &envelope, using: &entropy)
        let turn = envelope
        guard case .message = try sender.open(turn.bytes, now: Parties.now, into: &plaintext) else {
            throw BenchmarkError.wrongContent
        }
    }
}
