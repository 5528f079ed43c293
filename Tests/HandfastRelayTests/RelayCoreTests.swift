import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastRelay

struct RelayCoreTests {
    private let now = Timestamp(seconds: 600)
    private let hash = [UInt8](repeating: 5, count: 64)

    @Test func ownersRequestsNeedAnAttachment() {
        var session = RelaySession(handshakeHash: hash, limits: SessionLimits())
        let queue = QueueID(.zero)
        for request: RelayRequest in [
            .open([QueueOpening(id: queue, kind: .knock)]), .admit(queue, []), .publish(queue, []),
            .subscribe(after: 0), .acknowledge(0), .close([queue]),
        ] {
            check(session.take(request, now: now), is: .refuse(.notAttached))
        }
        check(session.take(.ping, now: now), is: .done)
    }

    @Test func anAttachmentHoldsOnItsConnectionAlone() {
        var random = SeededEntropy(seed: 1)
        let service = SigningKey.generate(using: &random)
        let digest = RelayRequest.attachDigest(handshakeHash: hash, service: service.publicKey)
        let request = RelayRequest.attach(service: service.publicKey, signature: service.signature(for: digest.bytes))
        var other = RelaySession(handshakeHash: [UInt8](repeating: 6, count: 64), limits: SessionLimits())
        check(other.take(request, now: now), is: .refuse(.refused))
        check(other.take(.acknowledge(0), now: now), is: .refuse(.notAttached))
        var session = RelaySession(handshakeHash: hash, limits: SessionLimits())
        check(session.take(request, now: now), is: .write([.attach(service: service.publicKey)]))
    }

    @Test func aConnectionSpeaksForOneServiceAndSubscribesOnce() {
        var random = SeededEntropy(seed: 2)
        var session = RelaySession(handshakeHash: hash, limits: SessionLimits())
        func attach(_ service: borrowing SigningKey) -> RelayRequest {
            let digest = RelayRequest.attachDigest(handshakeHash: hash, service: service.publicKey)
            return .attach(service: service.publicKey, signature: service.signature(for: digest.bytes))
        }
        let (first, second) = (attach(.generate(using: &random)), attach(.generate(using: &random)))
        check(session.take(first, now: now), isNot: .refuse(.refused))
        check(session.take(second, now: now), is: .refuse(.refused))
        check(session.take(first, now: now), isNot: .refuse(.refused))
        check(session.take(.subscribe(after: 4), now: now), isNot: .refuse(.refused))
        check(session.take(.subscribe(after: 4), now: now), is: .refuse(.refused))
    }

    @Test func openingsAreCountedByTheAddress() {
        let limiter = AddressLimiter(MessageRate(perHour: 3_600, burst: 1_000))
        #expect(limiter.take(1_000, from: "a", at: now))
        #expect(!limiter.take(1, from: "a", at: now))
        #expect(limiter.take(1_000, from: "b", at: now))
        #expect(!limiter.take(11, from: "a", at: now.adding(seconds: 10)))
        #expect(limiter.take(10, from: "a", at: now.adding(seconds: 10)))
        // A clock that goes back fills nothing.
        #expect(!limiter.take(1, from: "a", at: now))
        #expect(!limiter.take(1_001, from: "c", at: now))
    }

    @Test func onlySoManyAddressesAreKnownAndThoseThatMayDoEverythingAgainMakeRoom() {
        let limiter = AddressLimiter(MessageRate(perHour: 3_600, burst: 2))
        let taken = (0..<AddressLimiter.maximumOrigins).count { number in
            limiter.take(number == 0 ? 2 : 1, from: "\(number)", at: now)
        }
        #expect(taken == AddressLimiter.maximumOrigins)
        #expect(!limiter.take(1, from: "one more", at: now))
        #expect(limiter.take(1, from: "1", at: now))
        #expect(limiter.take(1, from: "one more", at: now.adding(seconds: 1)))
        // Those that had used two, and the new one.
        #expect(limiter.originCount == 3)
    }

    @Test func theWindowClosesAtItsLimitsAndOpensWithAcknowledgements() {
        var window = DeliveryWindow(after: 10)
        let queue = QueueID(.zero)
        window.deliver((11...1010).map { Delivery(position: UInt64($0), queue: queue, bytes: [1]) })
        #expect(window.room == nil)
        window.acknowledge(through: 20)
        #expect(window.room?.messages == 10)
        #expect(window.next == 1010)
        window.acknowledge(through: 2_000)
        #expect(window.room?.messages == 1_000)
        #expect(window.next == 2_000)
        window.deliver([Delivery(position: 2_001, queue: queue, bytes: [UInt8](repeating: 0, count: 4 << 20))])
        #expect(window.room == nil)
        window.acknowledge(through: 2_001)
        #expect(window.room?.bytes == 4 << 20)
    }

    @Test func pushesAreCutByMessagesAndBytes() {
        let queue = QueueID(.zero)
        func counts(_ messages: Int, _ bytes: Int) -> [Int] {
            let envelope = [UInt8](repeating: 0, count: bytes)
            let pushes = DeliveryWindow.pushes(
                (1...messages).map { Delivery(position: UInt64($0), queue: queue, bytes: envelope) })
            return pushes.map { push in
                guard case .push(let deliveries) = push else { return -1 }
                #expect(push.encoded().count < 1 << 20)
                return deliveries.count
            }
        }
        #expect(counts(600, 10) == [256, 256, 88])
        #expect(counts(20, 65_614) == [8, 8, 4])
    }

    @Test func aCancelledTaskDoesNotWaitForWhatOthersMustDo() async {
        let wakeUp = WakeUp()
        let waiting = Task { await wakeUp.wait { false } }
        waiting.cancel()
        await waiting.value
    }

    @Test func putsAreCutToFrames() throws {
        let (queue, capability) = (QueueID(.zero), SendCapability(.zero))
        let envelope = [UInt8](repeating: 1, count: 60_000)
        let items = [
            PutItem(queue: queue, capability: capability, first: 5, envelopes: Array(repeating: envelope, count: 40)),
            PutItem(queue: queue, capability: capability, first: 0, envelopes: []),
        ]
        let parts = try PutParts(items, bytesPerFrame: 900 << 10)
        #expect(parts.frames.map(\.count) == [1, 1, 2])
        var next: UInt64 = 5
        for part in parts.frames.flatMap({ $0 }).dropLast() {
            #expect(part.item.first == next && part.index == 0)
            next += UInt64(part.item.envelopes.count)
        }
        #expect(next == 45)
        #expect(parts.frames.last?.last?.index == 1)
        for frame in parts.frames {
            #expect(RelayRequest.put(frame.map(\.item)).encoded(request: .max).count <= 1 << 20)
        }
        let many = try PutParts(Array(repeating: items[1], count: 600), bytesPerFrame: 900 << 10)
        #expect(many.frames.map(\.count) == [256, 256, 88])
        let tiny = PutItem(
            queue: queue, capability: capability, first: 0, envelopes: Array(repeating: [1], count: 5_000))
        #expect(
            try PutParts([tiny], bytesPerFrame: 900 << 10).frames.map { $0[0].item.envelopes.count } == [4_096, 904])
    }

    @Test(arguments: ["port", "retention", "envelope", "hello", "host", "connections"])
    func refusesSettingsThatCannotBe(name: String) throws {
        var configuration = RelayConfiguration()
        try configuration.validate()
        switch name {
        case "port": configuration.port = 65_536
        case "retention": configuration.retentionSeconds = 0
        case "envelope": configuration.envelopeBytes = 65_615
        case "hello": configuration.helloBytes = 0
        case "host": configuration.host = ""
        default: configuration.link.connections = 0
        }
        do {
            try configuration.validate()
            Issue.record("\(name) was taken")
        } catch {
            guard case .invalidConfiguration(let field, _) = error else { throw error }
            #expect(field.hasPrefix(name))
        }
    }
}

/// Mutating calls cannot stand in an expectation.
private func check<Value: Equatable>(
    _ value: Value, is expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, sourceLocation: sourceLocation)
}

private func check<Value: Equatable>(
    _ value: Value, isNot unexpected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value != unexpected, sourceLocation: sourceLocation)
}
