public import HandfastChannel
public import HandfastCrypto
public import HandfastLink
public import HandfastStore
public import NIOPosix

/// One connection to a relay. Any task may ask; answers to requests come in any order.
///
/// It does not connect again by itself: after an error make another one, ask each queue where it stands with an empty
/// put, and subscribe after the last position that was committed. It must be shut down.
/// - Source: Spec/07
public final class RelayClient: Sendable {
    /// Bytes of envelopes in one frame of a put, at most: what leaves room for the rest of the frame.
    private static let putBytes = 900 << 10
    /// Queues opened or closed in one frame, as many as fit.
    private static let queuesPerFrame = RelayLimit.queuesPerRequest

    private let link: LinkConnection
    private let exchange: RelayExchange
    private let tasks: [Task<Void, Never>]

    private init(link: LinkConnection, exchange: RelayExchange, tasks: [Task<Void, Never>]) {
        self.link = link
        self.exchange = exchange
        self.tasks = tasks
    }

    /// Connects to the relay at an address and checks that it holds the key there.
    /// - Parameters:
    ///   - pingInterval: How often the relay is asked whether it is there.
    ///   - answerTimeout: How long a request may go unanswered before the connection is given up; looked at as often as
    ///     it pings.
    ///   - allows: Judges each address that the host's name leads to; no other is connected to.
    /// - Throws: ``RelayError/link(_:)``
    public static func connect(
        to address: RelayAddress, limits: LinkLimits = LinkLimits(), pingInterval: Duration = .seconds(30),
        answerTimeout: Duration = .seconds(60), group: MultiThreadedEventLoopGroup = .singleton,
        allows: @escaping @Sendable (NetworkAddress) -> Bool = { _ in true }
    ) async throws(RelayError) -> RelayClient {
        let link: LinkConnection
        do {
            link = try await LinkClient.connect(
                host: address.host, port: Int(address.port), key: address.key, limits: limits, group: group,
                allows: allows)
        } catch {
            throw .link(error)
        }
        return RelayClient(on: link, pingInterval: pingInterval, answerTimeout: answerTimeout)
    }

    /// Talks to the relay at the other end of a link.
    convenience init(
        on link: LinkConnection, pingInterval: Duration = .seconds(30), answerTimeout: Duration = .seconds(60),
        time: RelayNetwork.Time = .system
    ) {
        let exchange = RelayExchange(time: time)
        let reading = Task(executorPreference: SimulatedTasks.executor) { await Self.read(link, exchange) }
        let pinging = Task(executorPreference: SimulatedTasks.executor) {
            await Self.ping(link, exchange, every: pingInterval, answerTimeout, time)
        }
        self.init(link: link, exchange: exchange, tasks: [reading, pinging])
    }

    /// Closes the connection. Requests under way fail; the deliveries end.
    public func shutDown() async {
        exchange.end(.link(.closed), isShutDown: true)
        for task in tasks { task.cancel() }
        await link.close()
        for task in tasks { await task.value }
    }

    // MARK: The owner of a service

    /// Speaks for a service from now on, which this makes if the relay does not know it.
    /// - Returns: The position up to which everything is acknowledged, and that of the last message.
    /// - Throws: ``RelayError``
    @discardableResult
    public func attach(
        _ service: borrowing SigningKey
    ) async throws(RelayError) -> (acknowledged: UInt64, last: UInt64) {
        let digest = RelayRequest.attachDigest(handshakeHash: link.handshakeHash, service: service.publicKey)
        let signature = service.signature(for: digest.bytes)
        return try await attach(.attach(service: service.publicKey, signature: signature))
    }

    private func attach(_ request: RelayRequest) async throws(RelayError) -> (acknowledged: UInt64, last: UInt64) {
        guard case .attached(let acknowledged, let last) = try await ask(request) else { throw .unexpectedAnswer }
        return (acknowledged, last)
    }

    /// Opens queues, or replaces the capability of queues that are open.
    /// - Throws: ``RelayError``; of more than 1,000 queues some may then be open: the same again changes nothing
    public func open(_ queues: [QueueOpening]) async throws(RelayError) {
        try await askInParts(queues) { .open($0) }
    }

    /// Sets the knocks that a knock queue accepts, at most 10,000, in place of those before.
    /// - Throws: ``RelayError``
    public func admit(_ knocks: [Knock], to queue: QueueID) async throws(RelayError) {
        guard knocks.count <= RelayLimit.admittedKnocks else {
            throw .requestNotSendable("a queue admits at most \(RelayLimit.admittedKnocks) knocks")
        }
        try await askDone(.admit(queue, knocks))
    }

    /// Sets the bundles beside a knock queue, 1...16 and together less than 1 MiB, in place of those before.
    /// - Throws: ``RelayError``
    public func publish(_ bundles: [PublishedBundle], beside queue: QueueID) async throws(RelayError) {
        guard (1...RelayLimit.bundles).contains(bundles.count) else {
            throw .requestNotSendable("1 to \(RelayLimit.bundles) bundles can be published")
        }
        try await askDone(.publish(queue, bundles))
    }

    /// Has everything above a position delivered from now on. Once per connection.
    /// - Throws: ``RelayError``
    public func subscribe(after position: UInt64) async throws(RelayError) -> RelayDeliveries {
        exchange.subscribe(after: position)
        try await askDone(.subscribe(after: position))
        return RelayDeliveries(exchange)
    }

    /// Has everything up to a position deleted; to be called once it is committed here.
    /// - Throws: ``RelayError``
    public func acknowledge(through position: UInt64) async throws(RelayError) {
        try await askDone(.acknowledge(position))
    }

    /// Sets the policies of queues, in place of those before; the same again changes nothing.
    /// - Throws: ``RelayError``; of more than 1,000 queues some may then have theirs
    public func setPolicies(_ settings: [PolicySetting]) async throws(RelayError) {
        try await askInParts(settings) { .policy($0) }
    }

    /// Closes queues for good. What waits in them is still delivered.
    /// - Throws: ``RelayError``
    public func close(_ queues: [QueueID]) async throws(RelayError) {
        try await askInParts(queues) { .close($0) }
    }

    // MARK: Everybody

    /// The bundle in force beside a knock queue.
    /// - Throws: ``RelayError``, ``RelayRefusal/noBundle`` in ``RelayError/refused(_:)`` if there is none
    public func fetchBundle(of queue: QueueID) async throws(RelayError) -> [UInt8] {
        guard case .bundle(let bundle) = try await ask(.fetch(queue)) else { throw .unexpectedAnswer }
        return bundle
    }

    /// Leaves a hello, at most 32,768 bytes, for the owner of a knock queue. The same again changes nothing.
    /// - Throws: ``RelayError``
    public func knock(_ knock: Knock, at queue: QueueID, hello: [UInt8]) async throws(RelayError) {
        try await askDone(.knock(queue, knock, hello: hello))
    }

    /// Appends envelopes to queues, in as many frames as it takes.
    ///
    /// Each item is answered after the commit that holds it. An item that needs more than one frame may be stored in
    /// part; its result tells the first part that was not, and with it where the queue stands.
    /// - Returns: One result per item, in order.
    /// - Throws: ``RelayError``; whether anything was stored is then to be asked, by items without envelopes
    public func put(_ items: [PutItem]) async throws(RelayError) -> [PutResult] {
        let parts = try PutParts(items, bytesPerFrame: Self.putBytes)
        guard !parts.frames.isEmpty else { return [] }
        var results: [PutResult?] = Array(repeating: nil, count: items.count)
        let answers = try await askAll(parts.frames.map { .put($0.map(\.item)) })
        for (frame, answer) in zip(parts.frames, answers) {
            guard case .results(let partResults) = answer, partResults.count == frame.count else {
                throw .unexpectedAnswer
            }
            for (part, result) in zip(frame, partResults) where results[part.index].map({ $0.status == .ok }) ?? true {
                results[part.index] = result
            }
        }
        return results.compactMap { $0 }
    }

    /// Returns once the relay has answered.
    /// - Throws: ``RelayError``
    public func ping() async throws(RelayError) {
        try await askDone(.ping)
    }

    // MARK: Asking

    private func ask(_ request: RelayRequest) async throws(RelayError) -> RelayAnswer {
        guard let answer = try await askAll([request]).first else { throw .unexpectedAnswer }
        return answer
    }

    private func askDone(_ request: RelayRequest) async throws(RelayError) {
        guard try await ask(request) == .done else { throw .unexpectedAnswer }
    }

    private func askInParts<Item>(
        _ items: [Item], _ request: ([Item]) -> RelayRequest
    ) async throws(RelayError) {
        let requests = stride(from: 0, to: items.count, by: Self.queuesPerFrame).map { start in
            request(Array(items[start..<min(start + Self.queuesPerFrame, items.count)]))
        }
        guard !requests.isEmpty else { return }
        guard try await askAll(requests).allSatisfy({ $0 == .done }) else { throw .unexpectedAnswer }
    }

    /// Sends requests together and waits for all answers.
    private func askAll(_ requests: [RelayRequest]) async throws(RelayError) -> [RelayAnswer] {
        let (group, ids) = try exchange.begin(requests.count)
        do {
            try await link.send(zip(requests, ids).map { $0.encoded(request: $1) })
        } catch {
            exchange.abandon(group)
            throw .link(error)
        }
        var answers: [RelayAnswer] = []
        for answer in try await exchange.answers(group) {
            switch answer {
            case .success(let answer): answers.append(answer)
            case .failure(let refusal): throw .refused(refusal)
            }
        }
        return answers
    }

    // MARK: The connection

    private static func read(_ link: LinkConnection, _ exchange: RelayExchange) async {
        do {
            while let frames = try await link.nextFrames() { try exchange.receive(frames) }
            exchange.end(.link(.closed))
        } catch let error as LinkError {
            exchange.end(.link(error))
        } catch let error as RelayError {
            exchange.end(error)
        } catch {
            exchange.end(.unexpectedFrame)
        }
        link.abort()
    }

    private static func ping(
        _ link: LinkConnection, _ exchange: RelayExchange, every interval: Duration, _ timeout: Duration,
        _ time: RelayNetwork.Time
    ) async {
        while true {
            do {
                try await time.pause(interval)
                if exchange.hasWaited(longerThan: timeout) {
                    exchange.end(.unanswered)
                    link.abort()
                    return
                }
                let (group, ids) = try exchange.begin(1)
                try await link.send(ids.map { RelayRequest.ping.encoded(request: $0) })
                _ = try await exchange.answers(group)
            } catch {
                // The reader tells everybody how the connection ended.
                return
            }
        }
    }
}
