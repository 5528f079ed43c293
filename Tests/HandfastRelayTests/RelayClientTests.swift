import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastStore
import Testing

@testable import HandfastRelay

/// What a client does with a relay that lies, dawdles or vanishes.
@Suite(.timeLimit(.minutes(5)))
struct RelayClientTests {
    /// A server that answers each request's frame as `answer` says; nil hangs up.
    static func withRelay(
        _ answer: @escaping @Sendable (UInt32, RelayRequest) -> [[UInt8]]?,
        _ body: (RelayAddress) async throws -> Void
    ) async throws {
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let server = try await LinkServer.listen(host: "127.0.0.1", port: 0, key: key)
        let running = Task {
            await server.run { connection in
                while let frames = try? await connection.nextFrames() {
                    for frame in frames {
                        guard let (request, asked) = try? RelayRequest.decode(frame.bytes),
                            let said = answer(request, asked)
                        else { return }
                        if !said.isEmpty { try? await connection.send(said) }
                    }
                }
            }
        }
        do {
            try await body(RelayAddress(host: "127.0.0.1", port: UInt16(server.port), key: key.publicKey))
        } catch {
            await server.shutDown(within: .zero)
            throw error
        }
        await server.shutDown(within: .zero)
        await running.value
    }

    static func delivery(_ position: UInt64, _ count: Int = 1) -> Delivery {
        Delivery(position: position, queue: QueueID(.zero), bytes: [UInt8](repeating: 0, count: count))
    }

    @Test func tellsThatTheRelayHungUp() async throws {
        try await Self.withRelay { _, _ in
            nil
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            await #expect(throws: RelayError.link(.closed)) { try await client.ping() }
            await #expect(throws: RelayError.link(.closed)) { try await client.ping() }
            await client.shutDown()
        }
    }

    @Test func tellsThatNoRelayIsThere() async throws {
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let server = try await LinkServer.listen(host: "127.0.0.1", port: 0, key: key)
        await server.shutDown(within: .zero)
        let address = try RelayAddress(host: "127.0.0.1", port: UInt16(server.port), key: key.publicKey)
        await #expect(
            throws: RelayError.link(.unreachable("127.0.0.1:\(server.port)", reason: "nothing listens there"))
        ) { _ = try await RelayClient.connect(to: address) }
    }

    @Test func givesUpOnARelayThatNeverAnswers() async throws {
        try await Self.withRelay { _, _ in
            []
        } _: { address in
            let client = try await RelayClient.connect(
                to: address, pingInterval: .milliseconds(50), answerTimeout: .milliseconds(10))
            await #expect(throws: RelayError.unanswered) { try await client.ping() }
            await client.shutDown()
        }
    }

    @Test func pingsByItself() async throws {
        let (pings, ping) = AsyncStream<Void>.makeStream()
        try await Self.withRelay { request, asked in
            if asked == .ping { ping.yield() }
            return [RelayFrame.answer(request: request, .done).encoded()]
        } _: { address in
            let client = try await RelayClient.connect(to: address, pingInterval: .milliseconds(20))
            var seen = 0
            for await _ in pings {
                seen += 1
                if seen == 3 { break }
            }
            await client.shutDown()
        }
    }

    @Test func refusesAnswersThatNobodyAskedFor() async throws {
        try await Self.withRelay { request, _ in
            [RelayFrame.answer(request: request &+ 1, .done).encoded()]
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            await #expect(throws: RelayError.unexpectedAnswer) { try await client.ping() }
            await client.shutDown()
        }
    }

    @Test func refusesAnswersInAnotherForm() async throws {
        try await Self.withRelay { request, _ in
            [RelayFrame.answer(request: request, .attached(acknowledged: 1, last: 2)).encoded()]
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            await #expect(throws: RelayError.unexpectedAnswer) { try await client.ping() }
            await client.shutDown()
        }
    }

    @Test func refusesFramesThatAreNone() async throws {
        try await Self.withRelay { _, _ in
            [[0x83, 0x18, 0x40]]
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            await #expect(throws: RelayError.self) { try await client.ping() }
            await client.shutDown()
        }
    }

    @Test func refusesDeliveriesWithoutASubscription() async throws {
        try await Self.withRelay { _, _ in
            [RelayFrame.push([Self.delivery(1)]).encoded()]
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            await #expect(throws: RelayError.unexpectedDelivery) { try await client.ping() }
            await client.shutDown()
        }
    }

    @Test(arguments: [[5], [6, 6], [7, 6]] as [[UInt64]])
    func refusesDeliveriesOutOfOrder(positions: [UInt64]) async throws {
        try await Self.withRelay { request, _ in
            [
                RelayFrame.answer(request: request, .done).encoded(),
                RelayFrame.push(positions.map { Self.delivery($0) }).encoded(),
            ]
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            do {
                var deliveries = try await client.subscribe(after: 5).makeAsyncIterator()
                while let batch = try await deliveries.next() { #expect(!batch.isEmpty) }
                Issue.record("not refused")
            } catch {
                #expect(error as? RelayError == .unexpectedDelivery)
            }
            await client.shutDown()
        }
    }

    @Test func refusesDeliveriesBeyondTheWindow() async throws {
        try await Self.withRelay { request, _ in
            [RelayFrame.answer(request: request, .done).encoded()]
                + (0..<5).map { push in
                    RelayFrame.push((1...256).map { Self.delivery(UInt64(push * 256 + $0)) }).encoded()
                }
        } _: { address in
            let client = try await RelayClient.connect(to: address)
            do {
                _ = try await client.subscribe(after: 0)
                // Nobody takes what is delivered; the ping only waits for the end.
                try await client.ping()
                Issue.record("not refused")
            } catch {
                #expect(error as? RelayError == .unexpectedDelivery)
            }
            await client.shutDown()
        }
    }
}
