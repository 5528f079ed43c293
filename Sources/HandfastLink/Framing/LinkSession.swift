public import HandfastCrypto

/// The long-lived private key of a server, shared by its connections.
public final class LinkKey: Sendable {
    /// The private key.
    let key: AgreementPrivateKey

    /// The key that stands in the server's address.
    public var publicKey: AgreementPublicKey { key.publicKey }

    /// Takes over the key.
    public init(_ key: consuming AgreementPrivateKey) {
        self.key = key
    }
}

/// One end of a link as a value: bytes in, frames and bytes out. It does no I/O and reads no clock.
///
/// After an error nothing more may be asked of it.
/// - Source: Spec/06
package struct LinkSession: ~Copyable, Sendable {
    private enum Phase: Sendable {
        case awaitingFirst(LinkKey)
        case awaitingSecond
        case open
        case plain
    }

    private var phase: Phase
    private var initiator: NoiseInitiator?
    /// What a server does with a first message that came with or without a cookie.
    private let admits: @Sendable ([UInt8]?) -> Admission
    /// The cookie that the client showed.
    private var cookie: [UInt8]?
    /// How many more cookies a server asks for here and a client brings back: one may have become too old on the way.
    private var cookiesLeft = 2
    private var transport: NoiseTransport?
    /// The beginning of a packet whose rest has not come.
    private var pending: [UInt8] = []
    private var frames = FrameDecoder()

    /// The client's first packet.
    package let opening: [UInt8]?

    /// The name of the connection, 64 bytes; empty on a local socket and before the handshake is finished.
    package private(set) var handshakeHash: [UInt8] = []

    private init(
        _ phase: Phase, initiator: consuming NoiseInitiator? = nil, opening: [UInt8]? = nil,
        admits: @escaping @Sendable ([UInt8]?) -> Admission = { _ in .answer }
    ) {
        self.phase = phase
        self.admits = admits
        self.opening = opening
        self.initiator = initiator
    }

    /// The client's end. ``opening`` is to be sent first.
    package static func client(
        to server: AgreementPublicKey, using random: inout some RandomNumberGenerator
    ) throws(LinkError) -> LinkSession {
        let prologue = NoiseProtocol.linkPrologue
        let initiator = try NoiseInitiator(to: server, prologue: prologue.bytes, ephemeral: .generate(using: &random))
        let opening = LinkPacket.encode(.first, initiator.message)
        return LinkSession(.awaitingSecond, initiator: initiator, opening: opening)
    }

    /// The server's end.
    /// - Parameter admits: Asked once for each first message, before anything is computed with it.
    package static func server(
        _ key: LinkKey, admits: @escaping @Sendable (_ cookie: [UInt8]?) -> Admission = { _ in .answer }
    ) -> LinkSession {
        LinkSession(.awaitingFirst(key), admits: admits)
    }

    /// Either end of a local socket: frames without Noise.
    static func plain() -> LinkSession {
        LinkSession(.plain)
    }

    /// Whether frames can be sent.
    package var isOpen: Bool {
        switch phase {
        case .open, .plain: true
        case .awaitingFirst, .awaitingSecond: false
        }
    }
}

// MARK: - Receiving

extension LinkSession {
    /// Takes bytes as they came from the socket, appends the whole frames among them to `frames`, and to `reply` what
    /// is to be sent at once.
    package mutating func receive(
        _ bytes: RawSpan, into frames: inout [[UInt8]], reply: inout [UInt8],
        using random: inout some RandomNumberGenerator
    ) throws(LinkError) {
        if case .plain = phase {
            self.frames.append(bytes)
        } else {
            do throws(LinkError) {
                try receivePackets(bytes, reply: &reply, using: &random)
            } catch {
                // What came before the fault is authentic and complete.
                try self.frames.takeFrames(into: &frames)
                throw error
            }
        }
        try self.frames.takeFrames(into: &frames)
    }

    /// Takes the end of the connection.
    /// - Throws: ``LinkError/handshakeEnded``, ``LinkError/truncated`` if it came within a packet or frame
    package func finish() throws(LinkError) {
        guard isOpen else { throw .handshakeEnded }
        guard pending.isEmpty, !frames.isMidFrame else { throw .truncated }
    }

    private mutating func receivePackets(
        _ bytes: RawSpan, reply: inout [UInt8], using random: inout some RandomNumberGenerator
    ) throws(LinkError) {
        var rest = bytes
        while !pending.isEmpty, rest.byteCount > 0 {
            let missing =
                try Self.packetCount(pending.bytes).map { $0 - pending.count }
                ?? LinkPacket.headerCount - pending.count
            let taken = rest.extracting(first: missing)
            unsafe taken.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: taken.byteCount)
            if try Self.packetCount(pending.bytes) == pending.count {
                let packet = pending
                pending.removeAll(keepingCapacity: true)
                try receivePacket(packet.bytes, reply: &reply, using: &random)
            }
        }
        while let count = try Self.packetCount(rest), count <= rest.byteCount {
            try receivePacket(rest.extracting(first: count), reply: &reply, using: &random)
            rest = rest.extracting(droppingFirst: count)
        }
        if rest.byteCount > 0 {
            unsafe rest.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
        }
    }

    /// The size of the packet that begins here, once its header is there and makes sense.
    private static func packetCount(_ bytes: RawSpan) throws(LinkError) -> Int? {
        guard bytes.byteCount >= LinkPacket.headerCount else { return nil }
        return LinkPacket.headerCount + (try header(of: bytes)).count
    }

    private static func header(of packet: RawSpan) throws(LinkError) -> LinkPacket {
        func byte(_ offset: Int) -> UInt8 { unsafe packet.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
        return try LinkPacket(type: byte(0), high: byte(1), low: byte(2))
    }

    private mutating func receivePacket(
        _ packet: RawSpan, reply: inout [UInt8], using random: inout some RandomNumberGenerator
    ) throws(LinkError) {
        let kind = try Self.header(of: packet).kind
        let message = packet.extracting(droppingFirst: LinkPacket.headerCount)
        switch (phase, kind) {
        case (.awaitingFirst, .cookie) where cookie == nil:
            cookie = [UInt8](message)
        case (.awaitingFirst(let key), .first):
            guard try isAdmitted(reply: &reply) else { return }
            let prologue = NoiseProtocol.linkPrologue
            let answer = try NoiseResponder.answer(
                message, key: key.key, prologue: prologue.bytes, ephemeral: .generate(using: &random))
            reply += LinkPacket.encode(.second, answer.message)
            open(answer)
        case (.awaitingSecond, .cookie) where cookiesLeft > 0:
            cookiesLeft -= 1
            reply += LinkPacket.encode(.cookie, [UInt8](message)) + (opening ?? [])
        case (.awaitingSecond, .second):
            guard let initiator = initiator.take() else { throw .unexpectedPacket(type: kind.rawValue) }
            open(try initiator.finish(message))
        case (.open, .transport):
            try receiveTransport(message)
        default:
            throw .unexpectedPacket(type: kind.rawValue)
        }
    }

    /// Whether the first message that came is to be answered; otherwise it is forgotten.
    private mutating func isAdmitted(reply: inout [UInt8]) throws(LinkError) -> Bool {
        switch admits(cookie) {
        case .answer: return true
        case .refuse: throw .tooManyHandshakes
        case .ask(let asked):
            guard cookiesLeft > 0 else { throw .tooManyHandshakes }
            cookiesLeft -= 1
            cookie = nil
            reply += LinkPacket.encode(.cookie, asked)
            return false
        }
    }

    private mutating func open(_ answer: consuming NoiseAnswer) {
        handshakeHash = answer.transport.handshakeHash.array
        let transport = answer.transport
        self.transport = consume transport
        phase = .open
    }

    private mutating func receiveTransport(_ message: RawSpan) throws(LinkError) {
        guard var transport = transport.take() else { throw .closed }
        try frames.append(count: message.byteCount - LinkPacket.tagCount) { output throws(LinkError) in
            try transport.open(message, into: &output)
        }
        self.transport = consume transport
    }
}

// MARK: - Sending

extension LinkSession {
    /// How many bytes ``seal(_:into:)`` needs for these frames.
    package func sealedCount(of frames: [[UInt8]]) -> Int {
        let stream = PacketWriter.streamCount(of: frames)
        if case .plain = phase { return stream }
        return PacketWriter.packetsCount(ofStream: stream)
    }

    /// Writes the frames, as they go on the wire, into a span of exactly ``sealedCount(of:)`` bytes.
    package mutating func seal(_ frames: [[UInt8]], into output: inout MutableRawSpan) throws(LinkError) {
        if case .plain = phase {
            PacketWriter.write(frames, into: &output, perPacket: .max >> 8, before: 0, after: 0)
            return
        }
        PacketWriter.write(
            frames, into: &output, perPacket: LinkPacket.maximumPlaintextCount, before: LinkPacket.headerCount,
            after: LinkPacket.tagCount)
        try sealPackets(&output)
    }

    /// Seals a part of the stream that lies in its packets already, each but the last of the largest size.
    mutating func sealPackets(_ output: inout MutableRawSpan) throws(LinkError) {
        guard var transport = transport.take() else { throw .closed }
        var start = 0
        let largest = LinkPacket.headerCount + NoiseProtocol.maximumMessageCount
        while start < output.byteCount {
            let count = min(output.byteCount - start, largest) - LinkPacket.headerCount
            output.storeBytes(of: LinkPacket.Kind.transport.rawValue, toByteOffset: start, as: UInt8.self)
            output.storeBytes(of: UInt16(count).bigEndian, toByteOffset: start + 1, as: UInt16.self)
            let body = start + LinkPacket.headerCount
            var message = output._mutatingExtracting(body..<body + count)
            try transport.sealInPlace(&message)
            start = body + count
        }
        self.transport = consume transport
    }
}
