import Foundation
import HandfastCrypto
import HandfastTestSupport
import Synchronization
import Testing

@testable import HandfastLink

@Suite(.timeLimit(.minutes(5)))
struct LinkServerTests {
    /// A server on loopback for the length of `body`, whose connections `handler` serves.
    static func withServer(
        limits: LinkLimits = LinkLimits(),
        handler: @escaping @Sendable (LinkConnection) async -> Void = { await Self.echo($0) },
        _ body: (LinkServer, LinkKey) async throws -> Void
    ) async throws {
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let server = try await LinkServer.listen(host: "127.0.0.1", port: 0, key: key, limits: limits)
        async let running: Void = server.run(handler)
        do {
            try await body(server, key)
        } catch {
            await server.shutDown(within: .zero)
            throw error
        }
        await server.shutDown(within: .seconds(5))
        await running
    }

    static func echo(_ connection: LinkConnection) async {
        while let frames = try? await connection.nextFrames() {
            guard (try? await connection.send(frames)) != nil else { return }
        }
    }

    /// Echoes until the connection ends, and says how.
    static func readToTheEnd(_ connection: LinkConnection) async -> LinkError? {
        do {
            while let frames = try await connection.nextFrames() { try await connection.send(frames) }
            return nil
        } catch {
            return error
        }
    }

    static func connect(_ server: LinkServer, _ key: LinkKey, _ limits: LinkLimits = .init()) async throws
        -> LinkConnection
    {
        try await LinkClient.connect(host: "127.0.0.1", port: server.port, key: key.publicKey, limits: limits)
    }

    @Test func echoesFramesOfAllSizesInOrder() async throws {
        try await Self.withServer { server, key in
            let connection = try await Self.connect(server, key)
            #expect(connection.handshakeHash.count == 64)
            let frames = [1, 10, 65_515, 65_516, 200_000, LinkFrame.maximumCount].map {
                [UInt8](repeating: UInt8($0 & 0xff), count: $0)
            }
            try await connection.send(frames)
            var iterator = connection.frames.makeAsyncIterator()
            for frame in frames {
                #expect(try await iterator.next() == frame)
            }
            await connection.close()
            await #expect(throws: LinkError.closed) { try await connection.send([[1]]) }
        }
    }

    /// Remembers a connection without keeping it.
    private final class Trace: Sendable {
        private let connection = Mutex(Weak())

        private struct Weak {
            weak var value: LinkConnection?
        }

        var isGone: Bool { connection.withLock { $0.value == nil } }

        func remember(_ connection: LinkConnection) { self.connection.withLock { $0.value = connection } }
    }

    /// Every command of a vault's owner is a connection: one that stayed in memory would fill it.
    @Test func nothingIsLeftOfAConnectionThatHasEnded() async throws {
        let traces = (server: Trace(), client: Trace())
        let serve: @Sendable (LinkConnection) async -> Void = { connection in
            traces.server.remember(connection)
            await Self.echo(connection)
        }
        try await Self.withServer(handler: serve) { server, key in
            do {
                let connection = try await Self.connect(server, key)
                traces.client.remember(connection)
                try await connection.send([[1]])
                #expect(try await connection.nextFrames() == [[1]])
                await connection.close()
            }
            while !traces.client.isGone || !traces.server.isGone { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func refusesFramesThatCannotBeSent() async throws {
        try await Self.withServer { server, key in
            let connection = try await Self.connect(server, key)
            await #expect(throws: LinkError.frameNotSendable(count: 0)) { try await connection.send([[1], []]) }
            let large = [UInt8](repeating: 0, count: LinkFrame.maximumCount + 1)
            await #expect(throws: LinkError.frameNotSendable(count: large.count)) { try await connection.send([large]) }
            try await connection.send([[5]])
            #expect(try await connection.nextFrames() == [[5]])
            await connection.close()
        }
    }

    @Test func tellsAServerThatHoldsAnotherKey() async throws {
        try await Self.withServer { server, _ in
            var random = SecureRandom()
            let other = LinkKey(.generate(using: &random))
            // The server cannot read the first message and closes without a word.
            await #expect(throws: LinkError.handshakeEnded) { _ = try await Self.connect(server, other) }
        }
    }

    @Test func tellsThatNothingListens() async throws {
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let server = try await LinkServer.listen(host: "127.0.0.1", port: 0, key: key)
        await server.shutDown(within: .zero)
        await #expect(
            throws: LinkError.unreachable("127.0.0.1:\(server.port)", reason: "nothing listens there")
        ) { _ = try await Self.connect(server, key) }
    }

    @Test func refusesAPortInUse() async throws {
        try await Self.withServer { server, key in
            await #expect(
                throws: LinkError.cannotListen("127.0.0.1:\(server.port)", reason: "another program uses it")
            ) { _ = try await LinkServer.listen(host: "127.0.0.1", port: server.port, key: key) }
        }
    }

    @Test func closesAConnectionThatDoesNotFinishItsHandshake() async throws {
        var limits = LinkLimits()
        limits.handshakeTimeout = .milliseconds(200)
        try await Self.withServer(limits: limits) { server, _ in
            let socket = try RawSocket(port: server.port)
            socket.send([1, 0])
            #expect(socket.seesEnd())
        }
    }

    @Test func givesUpOnAServerThatDoesNotAnswer() async throws {
        // A server of bare frames reads the handshake as a frame that is far too long, or waits; either way no answer.
        let listener = try SilentListener()
        var random = SecureRandom()
        var limits = LinkLimits()
        limits.handshakeTimeout = .milliseconds(200)
        let key = LinkKey(.generate(using: &random))
        await #expect(throws: LinkError.handshakeTimedOut) {
            _ = try await LinkClient.connect(
                host: "127.0.0.1", port: listener.port, key: key.publicKey, limits: limits)
        }
    }

    @Test func closesASilentConnection() async throws {
        var limits = LinkLimits()
        limits.idleTimeout = .milliseconds(200)
        let (ends, end) = AsyncStream<LinkError?>.makeStream()
        try await Self.withServer(limits: limits) { connection in
            end.yield(await Self.readToTheEnd(connection))
        } _: { server, key in
            let connection = try await Self.connect(server, key)
            #expect(try await connection.nextFrames() == nil)
            for await error in ends {
                #expect(error == .silent)
                break
            }
        }
    }

    @Test func oneBadConnectionLeavesTheOthersAlone() async throws {
        let (ends, end) = AsyncStream<LinkError?>.makeStream()
        try await Self.withServer { connection in
            end.yield(await Self.readToTheEnd(connection))
        } _: { server, key in
            let good = try await Self.connect(server, key)
            var iterator = ends.makeAsyncIterator()
            for fault in Fault.allCases {
                try BadClient(server.port, key).send([[1, 2, 3]], fault)
                #expect(await iterator.next() == fault.error)
                try await good.send([[7]])
                #expect(try await good.nextFrames() == [[7]])
            }
            // A frame that is begun and never ended, and one that is too long.
            try BadClient(server.port, key).sendStream([0, 0, 0, 9, 1])
            #expect(await iterator.next() == .truncated)
            try BadClient(server.port, key).sendStream([0, 16, 0, 1])
            #expect(await iterator.next() == .frameLength(1_048_577))
            try await good.send([[8]])
            #expect(try await good.nextFrames() == [[8]])
            await good.close()
        }
    }

    @Test func refusesConnectionsBeyondTheLimitPerAddress() async throws {
        var limits = LinkLimits()
        limits.connectionsFromLoopback = 2
        try await Self.withServer(limits: limits) { server, key in
            let first = try await Self.connect(server, key)
            let second = try await Self.connect(server, key)
            await #expect(throws: LinkError.self) { _ = try await Self.connect(server, key) }
            await first.close()
            // The place is free once the server has seen the end, which it may see after us.
            var third: LinkConnection?
            for _ in 0..<1000 where third == nil {
                third = try? await Self.connect(server, key)
            }
            #expect(third != nil)
            await third?.close()
            await second.close()
        }
    }

    @Test func sendsNothingToAnAddressThatIsNotAllowed() async throws {
        let accepted = Mutex(0)
        try await Self.withServer { connection in
            accepted.withLock { $0 += 1 }
            await Self.echo(connection)
        } _: { server, key in
            for host in ["127.0.0.1", "localhost", "127.1", "0177.0.0.1", "2130706433"] {
                let expected = LinkError.addressRefused(try #require(NetworkAddress("127.0.0.1")), host: host)
                await #expect(throws: expected) {
                    _ = try await LinkClient.connect(
                        host: host, port: server.port, key: key.publicKey, allows: \.isPublic)
                }
            }
            let connection = try await LinkClient.connect(
                host: "localhost", port: server.port, key: key.publicKey, allows: \.isLoopback)
            // The echo shows that the server's side of this connection has begun.
            try await connection.send([[1]])
            #expect(try await connection.nextFrames() == [[1]])
            await connection.close()
        }
        #expect(accepted.withLock { $0 } == 1)
    }

    /// What pitfall 15 asks for: resolve, vet, pin. What is refused is not even connected to.
    @Test func doesNotConnectToAnAddressThatIsNotAllowed() async throws {
        let listener = try SilentListener()
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        for host in ["localhost", "127.0.0.1"] {
            await #expect(throws: LinkError.self) {
                _ = try await LinkClient.connect(
                    host: host, port: listener.port, key: key.publicKey, allows: \.isPublic)
            }
        }
        #expect(!listener.hasCaller)
    }

    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1", "192.0.0.8",
        "198.19.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "0:0:0:0:0:0:0:1", "::ffff:7f00:1",
        "::ffff:10.0.0.1",
        "::127.0.0.1", "64:ff9b::a00:1", "2002:c0a8:101::", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
    ])
    func knowsAddressesThatAreNotPublic(_ literal: String) throws {
        #expect(try #require(NetworkAddress(literal)).isPublic == false)
    }

    @Test(arguments: [
        "192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
    ])
    func knowsPublicAddresses(_ literal: String) throws {
        #expect(try #require(NetworkAddress(literal)).isPublic)
    }

    @Test func countsManyConnectionsFromOnePlace() throws {
        let limiter = ConnectionLimiter(LinkLimits())
        let (own, other) = (NetworkAddress("::1"), NetworkAddress("2001:db8::1"))
        #expect((0..<5_000).count { _ in limiter.enter(from: own) } == 4_096)
        #expect((0..<5_000).count { _ in limiter.enter(from: other) } == 1_024)
        // Of one /64, and so of one household.
        #expect(!limiter.enter(from: NetworkAddress("2001:db8::2")))
        #expect(limiter.enter(from: NetworkAddress("2001:db8:0:1::2")))
        limiter.leave(from: own)
        #expect(limiter.enter(from: own))
    }

    /// Pitfall 12: output to a client that reads slowly grows without bounds.
    @Test func aSlowReaderHoldsTheSenderAndNotTheMemory() async throws {
        let sent = Mutex(0)
        var limits = LinkLimits()
        limits.unsentBytes = 1 << 20
        let (steps, step) = AsyncStream<Void>.makeStream()
        try await Self.withServer(limits: limits) { connection in
            let frame = [UInt8](repeating: 1, count: 64 << 10)
            for _ in 0..<512 {
                guard (try? await connection.send([frame])) != nil else { return }
                sent.withLock { $0 += frame.count }
                step.yield()
            }
        } _: { server, key in
            var clientLimits = LinkLimits()
            clientLimits.unreadBytes = 256 << 10
            let connection = try await Self.connect(server, key, clientLimits)
            // Wait until nothing moves: the sender is held by what we do not take.
            var last = -1
            while last != sent.withLock({ $0 }) {
                last = sent.withLock { $0 }
                try await Task.sleep(for: .milliseconds(200))
            }
            // 32 MiB were offered; the caps and the system's socket buffers hold a fraction.
            #expect(last < 24 << 20)
            var received = 0
            while received < 32 << 20, let frames = try await connection.nextFrames() {
                received += frames.reduce(0) { $0 + $1.count }
            }
            #expect(received == 32 << 20)
            #expect(sent.withLock { $0 } == 32 << 20)
            step.finish()
            for await _ in steps {}
            await connection.close()
        }
    }

    /// Pitfall 12, for all clients together.
    @Test func whoHoldsMostIsClosedWhenAllHoldTooMuch() throws {
        let unsent = UnsentBytes(limit: 100_000)
        func connection() -> LinkConnection {
            let connection = LinkConnection(
                handshakeHash: [], remoteAddress: "test",
                mailbox: LinkMailbox(limits: LinkLimits(), isServer: true, unsentOfAll: unsent), carrier: NoCarrier())
            unsent.enter(connection)
            return connection
        }
        let (most, less, reader) = (connection(), connection(), connection())
        try most.enqueue([[UInt8](repeating: 1, count: 60_000)])
        try less.enqueue([[UInt8](repeating: 1, count: 30_000)])
        try reader.enqueue([[1]])
        #expect([most, less, reader].map(\.unsentBytes) == [60_064, 30_064, 65])
        try reader.enqueue([[UInt8](repeating: 1, count: 20_000)])
        #expect([most, less, reader].map(\.unsentBytes) == [0, 30_064, 20_129])
        #expect(throws: LinkError.closed) { try most.enqueue([[1]]) }
        // What was closed has made room.
        try reader.enqueue([[UInt8](repeating: 1, count: 40_000)])
        try less.enqueue([[1]])
    }

    private struct NoCarrier: LinkCarrier {
        func flush() {}
        func resumeReading() {}
        func closeWhenFlushed() async {}
        func abort() {}
    }

    @Test func aClientThatDoesNotReadIsClosedForTheOthers() async throws {
        var limits = LinkLimits()
        limits.unsentBytesOfAll = 4 << 20
        try await Self.withServer(limits: limits) { connection in
            while let frames = try? await connection.nextFrames() {
                // The systems' buffers take only some of 64 MiB.
                let answer = frames[0] == [1] ? (0..<64).map { [UInt8](repeating: $0, count: 1 << 20) } : frames
                guard (try? connection.enqueue(answer)) != nil else { return }
            }
        } _: { server, key in
            let quick = try await Self.connect(server, key)
            var few = LinkLimits()
            few.unreadBytes = 65_536
            let deaf = try await Self.connect(server, key, few)
            try await deaf.send([[1]])
            var received = 0
            do {
                while let frames = try await deaf.nextFrames() { received += frames.count }
            } catch {}
            #expect(received < 64)
            for number: UInt8 in 2..<20 {
                try await quick.send([[number]])
                #expect(try await quick.nextFrames() == [[number]])
            }
            await quick.close()
            await deaf.close()
        }
    }

    @Test func aWaitingReaderCanBeCancelled() async throws {
        try await Self.withServer { server, key in
            let connection = try await Self.connect(server, key)
            let reading = Task { try await connection.nextFrames() }
            reading.cancel()
            await #expect(throws: LinkError.cancelled) { _ = try await reading.value }
            try await connection.send([[1]])
            #expect(try await connection.nextFrames() == [[1]])
            await connection.close()
        }
    }

    @Test func closingSendsWhatIsQueued() async throws {
        try await Self.withServer { connection in
            try? await connection.send([[UInt8](repeating: 3, count: 900_000)])
        } _: { server, key in
            let connection = try await Self.connect(server, key)
            #expect(try await connection.nextFrames()?.first?.count == 900_000)
            #expect(try await connection.nextFrames() == nil)
        }
    }

    @Test func shuttingDownLetsHandlersFinish() async throws {
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let server = try await LinkServer.listen(host: "127.0.0.1", port: 0, key: key)
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        async let running: Void = server.run { connection in
            while (try? await connection.nextFrames()) != nil { arrival.yield() }
            try? await connection.send([[42]])
        }
        let connection = try await Self.connect(server, key)
        try await connection.send([[1]])
        // Until then the server may not have finished its part of the handshake, and breaks off what is unfinished.
        for await _ in arrivals { break }
        async let stopped: Void = server.shutDown(within: .seconds(10))
        #expect(try await connection.nextFrames() == [[42]])
        #expect(try await connection.nextFrames() == nil)
        await stopped
        await running
    }
}

/// A listener that accepts into its backlog and never says a word.
private final class SilentListener {
    private let descriptor: CInt
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = unsafe Glibc.bind(descriptor, pointer, size)
                _ = Glibc.listen(descriptor, 8)
                _ = unsafe getsockname(descriptor, pointer, &size)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    /// Whether somebody has connected.
    var hasCaller: Bool {
        let caller = accept(descriptor, nil, nil)
        guard caller >= 0 else { return false }
        _ = Glibc.close(caller)
        return true
    }

    deinit {
        _ = Glibc.close(descriptor)
    }
}

/// What can be wrong with a packet.
private enum Fault: CaseIterable {
    case flippedBit
    case type
    case length
    case cut

    var error: LinkError {
        switch self {
        case .flippedBit: .damagedPacket
        case .type: .unexpectedPacket(type: 9)
        case .length: .packetLength(type: 3, length: 16)
        case .cut: .truncated
        }
    }

    func spoil(_ packet: inout [UInt8]) {
        switch self {
        case .flippedBit: packet[packet.count - 1] ^= 1
        case .type: packet[0] = 9
        case .length: packet[1...2] = [0, 16]
        case .cut: packet.removeLast()
        }
    }
}

/// A client that finishes its handshake in order and then misbehaves and hangs up.
private final class BadClient {
    private let socket: RawSocket
    private var session: LinkSession

    init(_ port: Int, _ key: LinkKey) throws {
        var random = SecureRandom()
        let socket = try RawSocket(port: port)
        var session = try LinkSession.client(to: key.publicKey, using: &random)
        socket.send(session.opening ?? [])
        var frames: [[UInt8]] = []
        var reply: [UInt8] = []
        while !session.isOpen {
            let answer = socket.receive(51)
            try session.receive(answer.bytes, into: &frames, reply: &reply, using: &random)
        }
        self.socket = socket
        self.session = session
    }

    func send(_ frames: [[UInt8]], _ fault: Fault) throws {
        var packets = [UInt8](repeating: 0, count: session.sealedCount(of: frames))
        var bytes = packets.mutableBytes
        try session.seal(frames, into: &bytes)
        fault.spoil(&packets)
        socket.send(packets)
    }

    /// Sends bytes of the stream that need not be whole frames.
    func sendStream(_ stream: [UInt8]) throws {
        var packet = [0, 0, 0] + stream + [UInt8](repeating: 0, count: 16)
        var bytes = packet.mutableBytes
        try session.sealPackets(&bytes)
        socket.send(packet)
    }
}
