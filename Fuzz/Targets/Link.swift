@testable import HandfastCrypto
@testable import HandfastLink

extension FuzzTarget {
    static let link = [
        FuzzTarget(name: "link-server", seeds: serverSeeds, run: server),
        FuzzTarget(name: "link-client", seeds: { Tampering.seeds }, run: client),
        FuzzTarget(name: "link-transport", seeds: { Tampering.seeds }, run: transport),
        FuzzTarget(name: "link-frames", seeds: frameSeeds, run: frames),
    ]

    /// The private key of the server in these targets.
    private static func serverKey() throws -> LinkKey {
        LinkKey(try AgreementPrivateKey(copying: [UInt8](repeating: 0x55, count: 32).bytes))
    }

    /// What anybody can send to a server, in pieces.
    @Sendable private static func server(_ input: [UInt8]) throws {
        var session = LinkSession.server(try serverKey())
        var received: [[UInt8]] = []
        var entropy = FixedEntropy(20)
        var reader = InputReader(input)
        let size = 1 + Int(reader.byte())
        while !reader.isAtEnd {
            var reply: [UInt8] = []
            let piece = reader.bytes(size)
            guard
                accepted({
                    try session.receive(piece.bytes, into: &received, reply: &reply, using: &entropy)
                }) != nil
            else { break }
        }
        try BrokenPromise.unless(received.isEmpty, "a stranger's packet gives a frame")
    }

    @Sendable private static func serverSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy(21)
        let client = try LinkSession.client(to: serverKey().publicKey, using: &entropy)
        let opening = client.opening ?? []
        let cookie = [4, 0, 16] + [UInt8](repeating: 2, count: 16)
        return [
            [255] + opening, [10] + opening + [3, 0, 20] + [UInt8](repeating: 1, count: 20), [0] + opening,
            [255] + cookie + opening,
        ]
    }

    /// A client takes the server's answer or none.
    @Sendable private static func client(_ input: [UInt8]) throws {
        var entropy = FixedEntropy(22)
        var client = try LinkSession.client(to: serverKey().publicKey, using: &entropy)
        var server = LinkSession.server(try serverKey())
        var (frames, answer, nothing): ([[UInt8]], [UInt8], [UInt8]) = ([], [], [])
        let opening = client.opening ?? []
        try server.receive(opening.bytes, into: &frames, reply: &answer, using: &entropy)
        let changed = Tampering(InputReader(input)).apply(to: answer)
        _ = accepted { try client.receive(changed.bytes, into: &frames, reply: &nothing, using: &entropy) }
        // Cookies may come before the answer, and what follows a whole one is the next packet's matter.
        var rest = changed[...]
        for _ in 0..<2 where rest.starts(with: [4, 0, 16]) { rest = rest.dropFirst(19) }
        let isOriginal = rest.starts(with: answer)
        try BrokenPromise.unless(client.isOpen == isOriginal, "a client opens a link on a changed answer, or does not")
        try BrokenPromise.unless(frames.isEmpty, "a frame came from nowhere")
    }

    /// Frames that come out of a changed stream are the first of those that were sent.
    @Sendable private static func transport(_ input: [UInt8]) throws {
        var entropy = FixedEntropy(23)
        var client = try LinkSession.client(to: serverKey().publicKey, using: &entropy)
        var server = LinkSession.server(try serverKey())
        var (received, answer, nothing): ([[UInt8]], [UInt8], [UInt8]) = ([], [], [])
        let opening = client.opening ?? []
        try server.receive(opening.bytes, into: &received, reply: &answer, using: &entropy)
        try client.receive(answer.bytes, into: &received, reply: &nothing, using: &entropy)
        let sent: [[UInt8]] = [[1], [UInt8](repeating: 2, count: 300), [3, 4], [UInt8](repeating: 5, count: 40)]
        var stream: [UInt8] = []
        for batch in [[sent[0]], [sent[1], sent[2]], [sent[3]]] {
            var packet = [UInt8](repeating: 0, count: client.sealedCount(of: batch))
            var span = packet.mutableBytes
            try client.seal(batch, into: &span)
            stream += packet
        }
        let changed = Tampering(InputReader(input)).apply(to: stream)
        _ = accepted { try server.receive(changed.bytes, into: &received, reply: &nothing, using: &entropy) }
        try BrokenPromise.unless(sent.starts(with: received), "a changed stream gives frames that were not sent")
        try BrokenPromise.unless(changed != stream || received == sent, "a stream gives not all of its frames")
    }

    /// Frames are the same however the stream is cut, and make up the stream.
    @Sendable private static func frames(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let size = 1 + Int(reader.byte())
        let stream = reader.remaining()
        let whole = decode(stream, piece: max(1, stream.count))
        let inPieces = decode(stream, piece: size)
        try BrokenPromise.unless(whole.frames == inPieces.frames, "frames depend on how the stream is cut")
        try BrokenPromise.unless(whole.failed == inPieces.failed, "a refusal depends on how the stream is cut")
        var session = LinkSession.plain()
        var encoded = [UInt8](repeating: 0, count: session.sealedCount(of: whole.frames))
        var span = encoded.mutableBytes
        try session.seal(whole.frames, into: &span)
        try BrokenPromise.unless(stream.starts(with: encoded), "frames do not make up their stream")
    }

    private static func decode(_ stream: [UInt8], piece size: Int) -> (frames: [[UInt8]], failed: Bool) {
        var decoder = FrameDecoder()
        var frames: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            decoder.append(stream.bytes.extracting(start..<min(start + size, stream.count)))
            guard accepted({ try decoder.takeFrames(into: &frames) }) != nil else { return (frames, true) }
        }
        return (frames, false)
    }

    @Sendable private static func frameSeeds() throws -> [[UInt8]] {
        [[3, 0, 0, 0, 1, 9, 0, 0, 0, 3, 1, 2, 3], [0, 0, 0, 0, 0], [7, 0, 0, 16, 0, 1, 2], [200, 0, 16, 0, 1]]
    }
}
