internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// What a relay decides about the requests of one connection, before its store is asked.
/// - Source: Spec/07
struct RelaySession: Sendable {
    /// What is to be done about a request.
    enum Step: Equatable, Sendable {
        /// To refuse it.
        case refuse(RelayRefusal)
        /// To say that it is done.
        case done
        /// To commit these writes and answer by their outcomes. `results` has a place for each item of a put; the
        /// places that are nil come from the outcomes, in order.
        case write([RelayWrite], results: [PutResult?]? = nil)
        /// To read the bundle of a queue.
        case fetch(QueueID)
        /// To deliver to the service from now on.
        case subscribe(VerificationKey, after: UInt64)
    }

    private let handshakeHash: [UInt8]
    private let limits: SessionLimits
    private let admits: @Sendable (VerificationKey) -> Bool
    private var service: VerificationKey?
    private var hasSubscribed = false
    /// The client has everything up to it.
    private var position: UInt64 = 0
    private let mayAdd: @Sendable (Int, Timestamp) -> Bool

    /// - Parameters:
    ///   - admits: whether a service, once it has proved itself, may have queues here.
    ///   - mayAdd: whether so many more queues may be opened now from where the client is; it counts them.
    init(
        handshakeHash: [UInt8], limits: SessionLimits,
        admits: @escaping @Sendable (VerificationKey) -> Bool = { _ in true },
        mayAdd: @escaping @Sendable (Int, Timestamp) -> Bool = { _, _ in true }
    ) {
        self.handshakeHash = handshakeHash
        self.limits = limits
        self.admits = admits
        self.mayAdd = mayAdd
    }

    mutating func take(_ request: RelayRequest, now: Timestamp) -> Step {
        switch request {
        case .attach(let key, let signature): return attach(key, signature)
        case .fetch(let queue): return .fetch(queue)
        case .knock(let queue, let knock, let hello):
            guard hello.count <= limits.helloBytes else { return .refuse(.limit) }
            return .write([.knock(queue: queue, knock: knock, hash: Self.hash(of: hello), hello: hello, at: now)])
        case .put(let items): return put(items, now)
        case .ping: return .done
        case .open, .admit, .publish, .subscribe, .acknowledge, .policy, .close:
            guard let service else { return .refuse(.notAttached) }
            return takeOwner(request, service, now: now)
        }
    }

    private mutating func takeOwner(_ request: RelayRequest, _ service: VerificationKey, now: Timestamp) -> Step {
        switch request {
        case .open(let queues):
            // Who has opened enough may still open what is there: an address is shared by many.
            let mayAdd = mayAdd(queues.count, now)
            return .write([.open(service: service, queues: queues, after: position, mayAdd: mayAdd)])
        case .admit(let queue, let knocks):
            return .write([.admit(service: service, queue: queue, knocks: knocks)])
        case .publish(let queue, let bundles):
            return .write([.publish(service: service, queue: queue, bundles: bundles)])
        case .subscribe(let position):
            guard !hasSubscribed else { return .refuse(.refused) }
            hasSubscribed = true
            self.position = max(self.position, position)
            return .subscribe(service, after: position)
        case .acknowledge(let position):
            self.position = max(self.position, position)
            return .write([.acknowledge(service: service, position: position)])
        case .policy(let settings):
            return .write([.policy(service: service, settings: settings, at: now)])
        case .close(let queues):
            return .write([.close(service: service, queues: queues, at: now)])
        case .attach, .fetch, .knock, .put, .ping:
            return .refuse(.refused)
        }
    }

    private mutating func attach(_ key: VerificationKey, _ signature: FixedBytes<64>) -> Step {
        // A connection speaks for one service, so that a subscription never changes its owner.
        guard service == nil || service == key else { return .refuse(.refused) }
        let digest = RelayRequest.attachDigest(handshakeHash: handshakeHash, service: key)
        guard (try? key.verify(signature.bytes, of: digest.bytes)) != nil, admits(key) else {
            return .refuse(.refused)
        }
        service = key
        return .write([.attach(service: key)])
    }

    private func put(_ items: [PutItem], _ now: Timestamp) -> Step {
        var writes: [RelayWrite] = []
        writes.reserveCapacity(items.count)
        var results = [PutResult?](repeating: nil, count: items.count)
        for (index, item) in items.enumerated() {
            guard item.envelopes.allSatisfy({ $0.count <= limits.envelopeBytes }) else {
                results[index] = PutResult(status: .tooLarge, next: 0, digest: QueueChain.start)
                continue
            }
            writes.append(
                .put(
                    queue: item.queue, capability: item.capability.digest, first: item.first,
                    envelopes: item.envelopes, at: now))
        }
        return .write(writes, results: results)
    }

    private static let helloLabel = Label("hello")

    /// The hello hash of Spec/03.
    private static func hash(of hello: [UInt8]) -> Digest {
        Digest.of(helloLabel, hello)
    }
}

/// The bounds of one connection's requests.
struct SessionLimits: Equatable, Sendable {
    /// The largest envelope, in bytes.
    var envelopeBytes = RelayLimit.envelopeCount
    /// The largest hello, in bytes.
    var helloBytes = RelayLimit.helloCount
}

extension RelaySession.Step {
    /// The frame that answers a request whose writes were committed.
    static func answer(_ request: UInt32, results: [PutResult?]?, outcomes: ArraySlice<RelayOutcome>) -> RelayFrame {
        guard let results else {
            return answer(request, outcomes.first)
        }
        var left = outcomes
        let merged = results.map { result -> PutResult in
            if let result { return result }
            guard case .put(let result, _)? = left.popFirst() else {
                return PutResult(status: .refused, next: 0, digest: QueueChain.start)
            }
            return result
        }
        return .answer(request: request, .results(merged))
    }

    private static func answer(_ request: UInt32, _ outcome: RelayOutcome?) -> RelayFrame {
        switch outcome {
        case .attached(let acknowledged, let last):
            .answer(request: request, .attached(acknowledged: acknowledged, last: last))
        case .done, .knocked, .repeated: .answer(request: request, .done)
        case .put(let result, _): .answer(request: request, .results([result]))
        case .refused: .refusal(request: request, .refused)
        case .limit: .refusal(request: request, .limit)
        case .serviceFull: .refusal(request: request, .serviceFull)
        case .relayFull: .refusal(request: request, .relayFull)
        case .closed: .refusal(request: request, .closed)
        case .busy: .refusal(request: request, .busy)
        case nil: .refusal(request: request, .storage)
        }
    }
}
