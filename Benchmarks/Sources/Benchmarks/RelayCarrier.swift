import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastRelay
import HandfastStore

/// Our relay in a process of its own, and a publisher and a consumer in this one.
final class RelayCarrier: Carrier {
    let name: String
    let share = 1.0
    private let server: ServerProcess
    let address: RelayAddress
    private let service: SigningKey
    private let queues: [QueueID]
    private let capability: SendCapability
    /// What each queue that was used expects next.
    private var next: [Int: UInt64] = [:]
    private let envelope = [UInt8](repeating: 0x61, count: CarrierLoad.messageBytes)

    /// Starts it with a service of so many queues.
    init(queues count: Int = 1, in folder: URL) async throws {
        name = "relay/\(count)"
        let place = folder.appendingPathComponent("relay-\(count)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let path = place.appendingPathComponent("relay.sqlite").path
        var random = SecureRandom()
        service = SigningKey.generate(using: &random)
        capability = SendCapability.random(using: &random)
        queues = (0..<count).map { _ in QueueID.random(using: &random) }
        try await Self.open(queues, capability.digest, of: service.publicKey, at: path)
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        server = try ServerProcess(program.appendingPathComponent("RelayProcess").path, [path], in: place)
        address = try RelayAddress(text: try server.line())
    }

    /// Makes the store, which is free then for the process that serves it.
    private static func open(
        _ queues: [QueueID], _ capability: Digest, of service: VerificationKey, at path: String
    ) async throws {
        let store = try SQLiteRelayStore(path: path)
        _ = try await store.commit([.attach(service: service)])
        for start in stride(from: 0, to: queues.count, by: 20_000) {
            let openings = queues[start..<min(start + 20_000, queues.count)].map { queue in
                QueueOpening(id: queue, kind: .send(capability: capability))
            }
            guard try await store.commit([.open(service: service, queues: openings)]) == [.done] else {
                throw BenchmarkError.wrongContent
            }
        }
        await store.close()
    }

    /// Transactions and flushes of the relay so far, and first messages that it answered, asked for a cookie and refused.
    func counts() throws -> (commits: Double, flushes: Double, handshakes: [Double]) {
        let numbers = try server.line(after: "counts").split(separator: " ").compactMap { Double($0) }
        guard numbers.count == 5 else { throw BenchmarkError.peerFailed(name) }
        return (numbers[0], numbers[1], Array(numbers[2...]))
    }

    func stop() async { server.stop() }

    func run(_ work: CarrierWork, count: Int) async throws -> CarrierRun {
        try await run(work, count: count, beside: {}, until: {})
    }

    /// Does a piece of work beside something else, which begins once both clients are connected; what that costs the
    /// server until it is over is counted, and its time is not.
    func run(
        _ work: CarrierWork, count: Int, beside begin: () throws -> Void, until finish: () throws -> Void
    ) async throws -> CarrierRun {
        let beginning = ContinuousClock.now
        let publisher = try await RelayClient.connect(to: address)
        let consumer = try await RelayClient.connect(to: address)
        let acknowledged = try await consumer.attach(service).acknowledged
        let server = try server.processorNanoseconds()
        let clients = Machine.processorNanoseconds
        try begin()
        let start = ContinuousClock.now
        var rounds: [UInt64] = []
        switch work {
        case .store: try await publish(by: publisher, count)
        case .drain: try await Self.consume(by: consumer, after: acknowledged, count)
        case .stream:
            let consuming = Self.startConsuming(by: consumer, after: acknowledged, count)
            try await publish(by: publisher, count)
            try await consuming.value
        case .round: rounds = try await carryOneByOne(publisher, consumer, after: acknowledged, count)
        }
        let elapsed = Comparison.nanoseconds(start.duration(to: .now))
        try finish()
        let run = CarrierRun(
            count: count, elapsed: elapsed,
            clients: Machine.processorNanoseconds - clients,
            server: try self.server.processorNanoseconds() - server, rounds: rounds,
            whole: Comparison.nanoseconds(beginning.duration(to: .now)))
        await publisher.shutDown()
        await consumer.shutDown()
        return run
    }

    // MARK: Publishing

    /// Puts into one queue, or message by message into queues at random where there are many.
    private func publish(by client: RelayClient, _ count: Int) async throws {
        var underWay: [Task<Void, any Error>] = []
        var sent = 0
        while sent < count {
            if underWay.count >= CarrierLoad.window / CarrierLoad.batch { try await underWay.removeFirst().value }
            let batch = min(CarrierLoad.batch, count - sent)
            let items =
                queues.count == 1
                ? [item(0, batch)] : (0..<batch).map { _ in item(.random(in: queues.indices), 1) }
            sent += batch
            // It is sent before the next begins: the numbers of a queue are in order.
            underWay.append(
                Task.immediate {
                    guard try await client.put(items).allSatisfy({ $0.status == .ok }) else {
                        throw BenchmarkError.wrongContent
                    }
                })
        }
        for put in underWay { try await put.value }
    }

    private func item(_ index: Int, _ count: Int) -> PutItem {
        let first = next[index, default: 0]
        next[index] = first + UInt64(count)
        return PutItem(
            queue: queues[index], capability: capability, first: first,
            envelopes: Array(repeating: envelope, count: count))
    }

    // MARK: Consuming

    private static func startConsuming(
        by client: RelayClient, after position: UInt64, _ count: Int
    ) -> Task<Void, any Error> {
        Task { try await consume(by: client, after: position, count) }
    }

    private static func consume(by client: RelayClient, after position: UInt64, _ count: Int) async throws {
        var received = 0
        var acknowledging: [Task<Void, any Error>] = []
        for try await deliveries in try await client.subscribe(after: position) {
            received += deliveries.count
            guard let last = deliveries.last, last.bytes.count == CarrierLoad.messageBytes else {
                throw BenchmarkError.wrongContent
            }
            if acknowledging.count >= 4 { try await acknowledging.removeFirst().value }
            acknowledging.append(Task.immediate { try await client.acknowledge(through: last.position) })
            if received >= count { break }
        }
        for acknowledgement in acknowledging { try await acknowledgement.value }
    }

    private func carryOneByOne(
        _ publisher: RelayClient, _ consumer: RelayClient, after position: UInt64, _ count: Int
    ) async throws -> [UInt64] {
        var rounds: [UInt64] = []
        var deliveries = try await consumer.subscribe(after: position).makeAsyncIterator()
        for _ in 0..<count {
            let start = ContinuousClock.now
            let item = item(0, 1)
            async let results = publisher.put([item])
            guard let delivered = try await deliveries.next(), delivered.count == 1,
                try await results.allSatisfy({ $0.status == .ok })
            else { throw BenchmarkError.wrongContent }
            rounds.append(UInt64(Comparison.nanoseconds(start.duration(to: .now))))
            try await consumer.acknowledge(through: delivered[0].position)
        }
        return rounds
    }
}
