internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastStore
internal import Logging
internal import Synchronization

/// Serves one connection of a relay.
final class ConnectionService: Sendable {
    /// What a relay's connections have in common.
    struct Shared: Sendable {
        let store: any RelayStore
        let commit: GroupCommit
        let metrics: RelayMetrics
        let subscriptions: Subscriptions
        let limits: SessionLimits
        let openings: AddressLimiter
        let admits: @Sendable (VerificationKey) -> Bool
        let now: @Sendable () -> Timestamp
        let logger: Logger
    }

    /// Beyond so many bytes of one connection under way nothing more is read from it.
    private static let bytesUnderWay = 4 << 20

    private struct UnderWay {
        var requests = 0
        var bytes = 0
    }

    private let shared: Shared
    private let link: LinkConnection
    private let underWay = Mutex(UnderWay())
    private let wakeUp = WakeUp()

    init(_ link: LinkConnection, _ shared: Shared) {
        self.link = link
        self.shared = shared
    }

    /// Serves until the client goes, misbehaves, or the relay shuts down.
    func run() async {
        await withDiscardingTaskGroup { group in
            do {
                try await serve(&group)
                await drain()
            } catch {
                shared.logger.debug("connection ended", metadata: ["reason": "\(error)"])
            }
            group.cancelAll()
        }
    }

    private func serve(_ group: inout DiscardingTaskGroup) async throws {
        var session = RelaySession(
            handshakeHash: link.handshakeHash, limits: shared.limits, admits: shared.admits,
            mayAdd: { [openings = shared.openings, origin = link.remoteAddress] count, now in
                openings.take(count, from: origin, at: now)
            })
        while let frames = try await link.nextFrames() {
            var batch = Batch()
            for frame in frames {
                let (request, asked): (UInt32, RelayRequest)
                do {
                    (request, asked) = try RelayRequest.decode(frame.bytes)
                } catch {
                    submit(&batch)
                    await drain()
                    try? link.enqueue([RelayFrame.refusal(request: 0, .malformed).encoded()])
                    throw error
                }
                switch session.take(asked, now: shared.now()) {
                case .refuse(let refusal):
                    batch.answers.append(RelayFrame.refusal(request: request, refusal).encoded())
                case .done:
                    batch.answers.append(RelayFrame.answer(request: request, .done).encoded())
                case .write(let writes, let results):
                    if case .acknowledge(let service, let position)? = writes.first {
                        // What the client has need not be durable before more is sent to it.
                        shared.subscriptions.openWindow(service, through: position)
                    }
                    batch.add(request, writes, results, bytes: frame.count)
                case .fetch(let queue):
                    submit(&batch)
                    batch.answers.append(await fetch(queue, request).encoded())
                case .subscribe(let service, let position):
                    try link.enqueue([RelayFrame.answer(request: request, .done).encoded()])
                    start(Subscription(service: service, after: position), &group)
                }
                if batch.requests.count >= RelayLimit.requestsUnderWay || batch.bytes >= Self.bytesUnderWay {
                    submit(&batch)
                    await room()
                }
            }
            submit(&batch)
            await room()
            try await link.room()
        }
    }

    // MARK: Writes

    /// Requests of one connection that go to the store together.
    private struct Batch {
        var requests: [(request: UInt32, count: Int, results: [PutResult?]?)] = []
        var writes: [RelayWrite] = []
        var bytes = 0
        var answers: [[UInt8]] = []

        mutating func add(_ request: UInt32, _ writes: [RelayWrite], _ results: [PutResult?]?, bytes: Int) {
            requests.append((request, writes.count, results))
            self.writes += writes
            self.bytes += bytes
        }
    }

    private func submit(_ batch: inout Batch) {
        defer { batch = Batch() }
        if !batch.answers.isEmpty { try? link.enqueue(batch.answers) }
        guard !batch.requests.isEmpty else { return }
        let (requests, writes, bytes) = (batch.requests, batch.writes, batch.bytes)
        underWay.withLock { state in
            state.requests += requests.count
            state.bytes += bytes
        }
        shared.commit.submit(writes, bytes: bytes) { [self] result in
            answer(requests, writes, result)
            underWay.withLock { state in
                state.requests -= requests.count
                state.bytes -= bytes
            }
            wakeUp.call()
        }
    }

    private func answer(
        _ requests: [(request: UInt32, count: Int, results: [PutResult?]?)], _ writes: [RelayWrite],
        _ result: Result<ArraySlice<RelayOutcome>, StoreError>
    ) {
        let answers: [RelayFrame]
        switch result {
        case .failure(let error):
            shared.logger.error("commit failed", metadata: ["reason": "\(error)"])
            answers = requests.map { .refusal(request: $0.request, .storage) }
        case .success(let outcomes):
            shared.metrics.answered(writes, outcomes)
            tellSubscribers(writes, outcomes)
            var rest = outcomes
            answers = requests.map { request in
                defer { rest = rest.dropFirst(request.count) }
                return RelaySession.Step.answer(
                    request.request, results: request.results, outcomes: rest.prefix(request.count))
            }
        }
        // The client may be gone by now; what was stored stays stored.
        try? link.enqueue(answers.map { $0.encoded() })
    }

    private func tellSubscribers(_ writes: [RelayWrite], _ outcomes: ArraySlice<RelayOutcome>) {
        // Messages of one service, in order.
        var stored: (service: VerificationKey, messages: [Delivery])?
        func note(_ contents: [[UInt8]], in queue: QueueID, _ arrival: Arrival) {
            if let other = stored, other.service != arrival.service {
                shared.subscriptions.store(other.messages, of: other.service)
                stored = nil
            }
            let before = arrival.last - UInt64(contents.count)
            stored = stored ?? (arrival.service, [])
            for (index, content) in contents.enumerated() {
                stored?.messages.append(Delivery(position: before + 1 + UInt64(index), queue: queue, bytes: content))
            }
        }
        for (write, outcome) in zip(writes, outcomes) {
            switch (write, outcome) {
            case (.put(let queue, _, _, let envelopes, _), .put(let result, let arrival?)) where result.status == .ok:
                note(envelopes, in: queue, arrival)
            case (_, .put(_, let arrival?)):
                shared.subscriptions.reach(arrival.service, arrival.last)
            case (.knock(let queue, _, _, let hello, _), .knocked(let arrival)):
                note([hello], in: queue, arrival)
            case (.acknowledge(let service, let position), .done):
                shared.subscriptions.acknowledge(service, through: position)
            default:
                break
            }
        }
        if let stored { shared.subscriptions.store(stored.messages, of: stored.service) }
    }

    /// Waits until few enough requests are under way here, and few enough bytes altogether.
    private func room() async {
        await wakeUp.wait {
            underWay.withLock { $0.requests < RelayLimit.requestsUnderWay && $0.bytes < Self.bytesUnderWay }
        }
        await shared.commit.room()
    }

    /// Waits until nothing is under way.
    private func drain() async {
        await wakeUp.wait { underWay.withLock { $0.requests == 0 } }
    }

    // MARK: Reads

    private func fetch(_ queue: QueueID, _ request: UInt32) async -> RelayFrame {
        // What this connection wrote before is there to be read.
        await drain()
        do {
            guard let bundle = try await shared.store.bundle(of: queue, at: shared.now()) else {
                return .refusal(request: request, .noBundle)
            }
            return .answer(request: request, .bundle(bundle))
        } catch {
            shared.metrics.storageFailed()
            shared.logger.error("reading failed", metadata: ["reason": "\(error)"])
            return .refusal(request: request, .storage)
        }
    }

    private func start(_ subscription: Subscription, _ group: inout DiscardingTaskGroup) {
        shared.subscriptions.add(subscription)
        group.addTask { [self] in
            do {
                try await subscription.run(
                    from: shared.store, and: shared.subscriptions, metrics: shared.metrics
                ) { try await self.link.send($0) }
            } catch {
                if !Task.isCancelled {
                    // Without deliveries the connection is of no use; the client connects again.
                    shared.logger.debug("deliveries ended", metadata: ["reason": "\(error)"])
                    link.abort()
                }
            }
            shared.subscriptions.remove(subscription)
        }
    }
}
