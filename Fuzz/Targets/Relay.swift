@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding
@testable import HandfastRelay
@testable import HandfastStore

extension FuzzTarget {
    static let relay = [
        FuzzTarget(name: "relay-request", seeds: requestSeeds, run: request),
        FuzzTarget(name: "relay-frame", seeds: frameSeeds, run: frame),
    ]

    @Sendable private static func request(_ input: [UInt8]) throws {
        guard let (number, request) = accepted({ try RelayRequest.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(request.encoded(request: number), as: input, "request to a relay")
    }

    @Sendable private static func requestSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy(11)
        let key = SigningKey.generate(using: &entropy)
        let queue = QueueID.random(using: &entropy)
        let digest = Digest(FixedBytes(random: &entropy))
        let item = PutItem(
            queue: queue, capability: .random(using: &entropy), first: 7, envelopes: [[1, 2, 3], [4]])
        var policy = QueuePolicy()
        (policy.isPaused, policy.messagesPerHour, policy.burst) = (true, 60, 5)
        let requests: [RelayRequest] = [
            .attach(service: key.publicKey, signature: key.signature(for: [UInt8]().bytes)),
            .open([QueueOpening(id: queue, kind: .knock), QueueOpening(id: queue, kind: .send(capability: digest))]),
            .admit(queue, [Knock(digest)]),
            .publish(queue, [PublishedBundle(notBefore: Fixture.now, expires: Fixture.now, bytes: [1])]),
            .fetch(queue), .knock(queue, Knock(digest), hello: [1, 2, 3]), .put([item]), .subscribe(after: 1 << 40),
            .acknowledge(3), .close([queue, queue]), .ping, .policy([PolicySetting(id: queue, policy: policy)]),
        ]
        return requests.enumerated().map { $1.encoded(request: UInt32($0) + 1) }
    }

    @Sendable private static func frame(_ input: [UInt8]) throws {
        guard let frame = accepted({ try RelayFrame.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(frame.encoded(), as: input, "frame of a relay")
    }

    @Sendable private static func frameSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy(12)
        let queue = QueueID.random(using: &entropy)
        let digest = Digest(FixedBytes(random: &entropy))
        let result = PutResult.Status(rawValue: 0).map {
            PutResult(status: $0, next: 9, digest: digest)
        }
        let refusal = (0...UInt8.max).lazy.compactMap(RelayRefusal.init(rawValue:)).first
        let frames: [RelayFrame?] = [
            .answer(request: 1, .done), .answer(request: 2, .attached(acknowledged: 4, last: 9)),
            .answer(request: 3, .bundle([1, 2])), result.map { .answer(request: 4, .results([$0, $0])) },
            refusal.map { .refusal(request: 5, $0) },
            .answer(
                request: 6,
                .results([PutResult(status: .throttled, next: 9, digest: digest, expired: 1, room: 2, wait: 300)])),
            .push([
                Delivery(position: 3, queue: queue, bytes: [1, 2, 3]),
                Delivery(position: 4, queue: queue, .notice(QueueNotice(expired: 7, refusal: .full))),
            ]),
        ]
        return frames.compactMap { $0?.encoded() }
    }
}
