import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastPostgres
import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastRelay

/// Several relays with one key over one database.
@Suite(.timeLimit(.minutes(5)))
struct RelayFleetTests {
    /// Runs relays around `body`, each with a store of its own over the same tables.
    private static func run(relays count: Int, _ body: ([RelayAddress]) async throws -> Void) async throws {
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let schema = "fleet_\(random.next())"
        let address = try PostgresAddress(PostgresServer.shared.get().addressByPort)
        var servers: [(server: RelayServer, store: PostgresRelayStore, running: Task<Void, Never>)] = []
        for _ in 0..<count {
            var configuration = RelayConfiguration()
            configuration.port = 0
            let store = try PostgresRelayStore(address, schema: schema, connections: 2)
            let server = try await RelayServer.listen(
                configuration, key: key, store: store, now: { Timestamp(seconds: 1_800_000_000) })
            servers.append((server, store, Task { try? await server.run() }))
        }
        var failure: (any Error)?
        do {
            try await body(
                servers.map { try RelayAddress(host: "127.0.0.1", port: UInt16($0.server.port), key: key.publicKey) })
        } catch {
            failure = error
        }
        for (server, store, running) in servers {
            await server.shutDown(within: .zero)
            await running.value
            await store.close()
        }
        if let failure { throw failure }
    }

    /// Pitfall 3: a message lands at one relay while its owner waits at another.
    @Test func pitfall3WhatOneRelayTakesAnotherDelivers() async throws {
        try await Self.run(relays: 2) { addresses in
            let owner = Owner()
            let receiving = try await RelayClient.connect(to: addresses[0])
            try await receiving.attach(owner.service)
            try await receiving.open([
                QueueOpening(id: owner.queue, kind: .send(capability: owner.capability.digest))
            ])
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let sending = try await RelayClient.connect(to: addresses[1])
            for number in UInt64(0)..<3 {
                #expect(try await sending.put([owner.item(number, [[UInt8(number)]])]).first?.status == .ok)
                // Nothing but the second relay's word, and the first one's asking, brings it here.
                let batch = try await deliveries.next()
                #expect(batch?.map(\.bytes) == [[UInt8(number)]])
                #expect(batch?.map(\.position) == [number + 1])
            }
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func whoReconnectsElsewhereKeepsItsOrder() async throws {
        try await Self.run(relays: 3) { addresses in
            let owner = Owner()
            var received: [Delivery] = []
            var sent: UInt64 = 0
            for round in 0..<6 {
                let receiving = try await RelayClient.connect(to: addresses[round % 3])
                let standing = try await receiving.attach(owner.service)
                #expect(standing.0 == UInt64(received.count))
                try await receiving.open([
                    QueueOpening(id: owner.queue, kind: .send(capability: owner.capability.digest))
                ])
                var deliveries = try await receiving.subscribe(after: UInt64(received.count)).makeAsyncIterator()
                // The sender goes the other way round, and its relay is as good as any.
                let sending = try await RelayClient.connect(to: addresses[(5 - round) % 3])
                let envelopes = (0..<4).map { [UInt8(sent) + $0] }
                let result = try await sending.put([owner.item(sent, envelopes)]).first
                #expect(result?.status == .ok)
                sent += 4
                while received.count < Int(sent), let batch = try await deliveries.next() { received += batch }
                try await receiving.acknowledge(through: UInt64(received.count))
                await sending.shutDown()
                await receiving.shutDown()
            }
            #expect(received.map(\.bytes) == (0..<24).map { [UInt8($0)] })
            #expect(received.map(\.position) == (1...24).map { UInt64($0) })
        }
    }
}
