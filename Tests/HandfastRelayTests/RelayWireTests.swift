import HandfastChannel
import HandfastCrypto
import HandfastEncoding
import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastRelay

struct RelayWireTests {
    static func requests() throws -> [RelayRequest] {
        var random = SeededEntropy(seed: 1)
        let key = SigningKey.generate(using: &random)
        let queue = QueueID.random(using: &random)
        let capability = SendCapability.random(using: &random)
        let knock = Ticket.random(using: &random).knock
        let bundle = PublishedBundle(
            notBefore: Timestamp(seconds: 1), expires: Timestamp(seconds: 2), bytes: random.bytes(300))
        let hello = random.bytes(700)
        let envelopes = [random.bytes(1), random.bytes(500)]
        return [
            .attach(service: key.publicKey, signature: FixedBytes(random: &random)),
            .open([
                QueueOpening(id: queue, kind: .knock),
                QueueOpening(id: queue, kind: .send(capability: capability.digest)),
            ]),
            .admit(queue, [knock]), .admit(queue, []), .publish(queue, [bundle, bundle]), .fetch(queue),
            .knock(queue, knock, hello: hello),
            .put([
                PutItem(queue: queue, capability: capability, first: 7, envelopes: envelopes),
                PutItem(queue: queue, capability: capability, first: 0, envelopes: []),
            ]),
            .subscribe(after: .max), .acknowledge(3), .close([queue, queue]), .ping,
            .policy([
                PolicySetting(id: queue, policy: .standard), PolicySetting(id: queue, policy: Self.largestPolicy),
            ]),
        ]
    }

    private static let largestPolicy: QueuePolicy = {
        var policy = QueuePolicy()
        policy.isPaused = true
        (policy.messagesPerHour, policy.burst) = (QueuePolicy.largestRate, QueuePolicy.largestBurst)
        policy.waitingBytes = QueuePolicy.largestValue
        policy.messageBytes = QueuePolicy.largestValue
        policy.retentionSeconds = QueuePolicy.largestValue
        return policy
    }()

    static func frames() -> [RelayFrame] {
        var random = SeededEntropy(seed: 2)
        let queue = QueueID.random(using: &random)
        let result = PutResult(status: .gap, next: 9, digest: Digest(FixedBytes(random: &random)))
        return [
            .answer(request: 1, .done), .answer(request: .max, .attached(acknowledged: 3, last: 5)),
            .answer(request: 2, .bundle(random.bytes(100))), .answer(request: 3, .results([result, result])),
            .refusal(request: 5, .storage),
            .push([
                Delivery(position: 1, queue: queue, bytes: random.bytes(20)),
                Delivery(position: 900, queue: queue, bytes: random.bytes(30)),
                Delivery(position: 901, queue: queue, .notice(QueueNotice(expired: 70_000, refusal: .throttled))),
            ]),
            .answer(
                request: 6,
                .results([
                    PutResult(status: .throttled, next: 9, digest: result.digest, expired: 1, room: 10_000, wait: 0),
                    PutResult(status: .paused, next: 9, digest: result.digest, expired: 300),
                ])),
        ]
    }

    @Test func everyRequestReadsBackAsWritten() throws {
        for (index, request) in try Self.requests().enumerated() {
            let frame = request.encoded(request: UInt32(index + 1))
            let (id, decoded) = try RelayRequest.decode(frame.bytes)
            #expect(id == UInt32(index + 1))
            #expect(decoded == request)
            #expect(request.sizeEstimate + 64 >= frame.count)
        }
    }

    @Test func everyFrameOfTheRelayReadsBackAsWritten() throws {
        for frame in Self.frames() {
            let bytes = frame.encoded()
            #expect(try RelayFrame.decode(bytes.bytes) == frame)
        }
    }

    @Test func theBytesOfAPingAreFixed() {
        #expect(RelayRequest.ping.encoded(request: 7) == [0x82, 0x0b, 0x07])
        #expect(RelayFrame.refusal(request: 7, .limit).encoded() == [0x83, 0x18, 0x41, 0x07, 0x04])
    }

    @Test func refusesEveryTruncation() throws {
        for request in try Self.requests() {
            let frame = request.encoded(request: 1)
            for count in 0..<frame.count {
                let part = Array(frame.prefix(count))
                #expect(throws: RelayError.self) { _ = try RelayRequest.decode(part.bytes) }
            }
        }
        for frame in Self.frames() {
            let bytes = frame.encoded()
            for count in 0..<bytes.count {
                let part = Array(bytes.prefix(count))
                #expect(throws: RelayError.self) { _ = try RelayFrame.decode(part.bytes) }
            }
        }
    }

    @Test func refusesBytesAfterTheEnd() throws {
        for request in try Self.requests() {
            let frame = request.encoded(request: 1) + [0]
            #expect(throws: RelayError.self) { _ = try RelayRequest.decode(frame.bytes) }
        }
    }

    /// A changed frame is refused, or is another valid frame that is written exactly as it was read.
    @Test func changedFramesAreRefusedOrMeanExactlyWhatTheySay() throws {
        for request in try Self.requests() {
            let frame = request.encoded(request: 1)
            for bit in 0..<min(frame.count, 120) * 8 {
                var changed = frame
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                if let (id, decoded) = try? RelayRequest.decode(changed.bytes) {
                    #expect(decoded.encoded(request: id) == changed)
                }
            }
        }
        for frame in Self.frames() {
            let bytes = frame.encoded()
            for bit in 0..<bytes.count * 8 {
                var changed = bytes
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                if let decoded = try? RelayFrame.decode(changed.bytes) {
                    #expect(decoded.encoded() == changed)
                }
            }
        }
    }

    @Test func survivesRandomBytes() {
        for seed in UInt64(1)...3000 {
            var random = SeededEntropy(seed: seed)
            var bytes = random.bytes(Int.random(in: 1...60, using: &random))
            bytes[0] = 0x80 | UInt8.random(in: 1...6, using: &random)
            _ = try? RelayRequest.decode(bytes.bytes)
            _ = try? RelayFrame.decode(bytes.bytes)
        }
    }

    @Test func refusesMoreThanOneRequestMayHold() {
        let queue = QueueID(.zero)
        let capability = SendCapability(.zero)
        let item = PutItem(queue: queue, capability: capability, first: 0, envelopes: [])
        let tiny = PutItem(
            queue: queue, capability: capability, first: 0,
            envelopes: Array(repeating: [1], count: RelayLimit.putEnvelopes))
        let oneMore = PutItem(queue: queue, capability: capability, first: 0, envelopes: [[1]])
        for request: RelayRequest in [
            .put([]), .put(Array(repeating: item, count: 257)), .put([tiny, oneMore]), .open([]), .close([]),
            .close(Array(repeating: queue, count: 1_001)), .publish(queue, []),
            .admit(queue, Array(repeating: Knock(QueueChain.start), count: 10_001)),
            .put([PutItem(queue: queue, capability: capability, first: 0, envelopes: [[]])]),
        ] {
            let frame = request.encoded(request: 1)
            #expect(throws: RelayError.self) { _ = try RelayRequest.decode(frame.bytes) }
        }
        let frame = RelayRequest.put([tiny]).encoded(request: 1)
        #expect(throws: Never.self) { _ = try RelayRequest.decode(frame.bytes) }
    }
}
