import HandfastCrypto
import HandfastTestSupport
import Synchronization
import Testing

@testable import HandfastLink

/// A server to which more strangers come than it can answer.
@Suite(.timeLimit(.minutes(5)))
struct LinkLoadTests {
    /// Limits of a server that is under load from the first message on.
    private static var loaded: LinkLimits {
        var limits = LinkLimits()
        limits.handshakesPerSecond = 0
        return limits
    }

    private static func opening(_ key: LinkKey) throws -> [UInt8] {
        var random = SecureRandom()
        return try LinkSession.client(to: key.publicKey, using: &random).opening ?? []
    }

    @Test func noHandshakeIsMadeWithoutACookieAndWhatStandsGoesOn() async throws {
        try await LinkServerTests.withServer(limits: Self.loaded) { server, key in
            let standing = try await LinkServerTests.connect(server, key)
            #expect(server.handshakes.answered == 1)
            // Each says a genuine first message, reads the cookie and says the same again.
            var strangers: [RawSocket] = []
            for number in UInt8(0)..<100 {
                let stranger = try RawSocket(port: server.port)
                stranger.send(try Self.opening(key))
                #expect(stranger.receive(19).prefix(3) == [4, 0, 16])
                stranger.send(try Self.opening(key))
                strangers.append(stranger)
                try await standing.send([[number]])
                #expect(try await standing.nextFrames() == [[number]])
            }
            #expect(server.handshakes.answered == 1)
            #expect(server.handshakes.asked >= 100)
            // Who brings the cookie back is answered.
            let another = try await LinkServerTests.connect(server, key)
            try await another.send([[1]])
            #expect(try await another.nextFrames() == [[1]])
            #expect(server.handshakes.answered == 2)
            await another.close()
            await standing.close()
        }
    }

    @Test func closesToWhoNeverShowsItsCookie() async throws {
        try await LinkServerTests.withServer(limits: Self.loaded) { server, key in
            let stranger = try RawSocket(port: server.port)
            for _ in 0..<2 {
                stranger.send(try Self.opening(key))
                var answer: [UInt8] = []
                while answer.count < 19 { answer += stranger.receive(19 - answer.count) }
                #expect(answer.prefix(3) == [4, 0, 16])
            }
            stranger.send(try Self.opening(key))
            #expect(stranger.seesEnd())
            #expect(server.handshakes.answered == 0)
        }
    }

    @Test func anAddressMayComeSoOftenASecond() async throws {
        var limits = Self.loaded
        limits.handshakesFromLoopback = 1
        try await LinkServerTests.withServer(limits: limits) { [limits] server, key in
            let first = try await LinkServerTests.connect(server, key, limits)
            // Some two of these come within a second of each other.
            var refused = 0
            for _ in 0..<1_000 where refused == 0 {
                do {
                    let other = try await LinkServerTests.connect(server, key, limits)
                    await other.close()
                } catch {
                    refused += 1
                }
            }
            #expect(refused > 0)
            #expect(server.handshakes.refused == refused)
            try await first.send([[1]])
            #expect(try await first.nextFrames() == [[1]])
            await first.close()
        }
    }

    @Test func whoSaysNothingKeepsNobodyOut() async throws {
        var limits = LinkLimits()
        limits.unfinishedHandshakes = 4
        try await LinkServerTests.withServer(limits: limits) { server, key in
            let standing = try await LinkServerTests.connect(server, key)
            // Strangers take all the places, and more come than there are.
            var silent: [RawSocket] = []
            for _ in 0..<40 { silent.append(try RawSocket(port: server.port)) }
            let another = try await LinkServerTests.connect(server, key)
            for connection in [standing, another] {
                try await connection.send([[7]])
                #expect(try await connection.nextFrames() == [[7]])
                await connection.close()
            }
        }
    }

    @Test func theOldestUnfinishedConnectionGivesWay() {
        var limits = LinkLimits()
        limits.unfinishedHandshakes = 3
        let limiter = ConnectionLimiter(limits)
        let closed = Mutex<[Int]>([])
        let places = (0..<6).map { number in
            limiter.begin { closed.withLock { $0.append(number) } }
        }
        #expect(closed.withLock { $0 } == [0, 1, 2])
        limiter.finish(places[4])
        limiter.finish(places[0])
        _ = limiter.begin { closed.withLock { $0.append(6) } }
        #expect(closed.withLock { $0 } == [0, 1, 2])
        _ = limiter.begin { closed.withLock { $0.append(7) } }
        _ = limiter.begin { closed.withLock { $0.append(8) } }
        #expect(closed.withLock { $0 } == [0, 1, 2, 3, 5])
    }

    @Test func aCookieThatTheServerChangesOnTheWayIsBroughtBack() throws {
        var random = SeededEntropy(seed: 1)
        let key = LinkKey(.generate(using: &random))
        var client = try LinkSession.client(to: key.publicKey, using: &random)
        var server = LinkSession.server(key) { shown in
            shown == [UInt8](repeating: 2, count: 16)
                ? .answer : .ask(cookie: [UInt8](repeating: shown == nil ? 1 : 2, count: 16))
        }
        var frames: [[UInt8]] = []
        var toServer = client.opening ?? []
        for round in 0..<3 {
            var (toClient, back): ([UInt8], [UInt8]) = ([], [])
            try server.receive(toServer.bytes, into: &frames, reply: &toClient, using: &random)
            try client.receive(toClient.bytes, into: &frames, reply: &back, using: &random)
            let isOpen = client.isOpen && server.isOpen
            #expect(isOpen == (round == 2))
            toServer = back
        }
        #expect(client.handshakeHash == server.handshakeHash)
    }
}
