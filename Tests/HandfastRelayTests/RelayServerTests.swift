import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastRelay

@Suite(.timeLimit(.minutes(5)))
struct RelayServerTests {
    @Test func carriesEnvelopesFromSenderToOwner() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let sending = try await relay.connect()
            let envelopes = (0..<10).map { [UInt8](repeating: $0, count: 100) }
            let results = try await sending.put([owner.item(0, envelopes)])
            #expect(results == [PutResult(status: .ok, next: 10, digest: chain(envelopes))])
            var received: [Delivery] = []
            while received.count < 10, let batch = try await deliveries.next() { received += batch }
            #expect(received.map(\.bytes) == envelopes)
            #expect(received.map(\.position) == Array(1...10))
            #expect(received.allSatisfy { $0.queue == owner.queue })
            try await receiving.acknowledge(through: 10)
            let again = try await owner.connect(relay)
            let standing = try await again.attach(owner.service)
            #expect(standing == (10, 10))
            await again.shutDown()
            await sending.shutDown()
            await receiving.shutDown()
            #expect(try await deliveries.next() == nil)
        }
    }

    @Test func aRelayOfOneNodeHasNoQueuesForOthers() async throws {
        let owner = Owner()
        let stranger = Owner()
        let own = owner.service.publicKey
        try await RelayHarness.run(admits: { $0 == own }) { relay in
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            await #expect(throws: RelayError.refused(.refused)) { try await sending.attach(stranger.service) }
            await #expect(throws: RelayError.refused(.notAttached)) {
                try await sending.open([QueueOpening(id: stranger.knocks, kind: .knock)])
            }
            #expect(try await sending.put([owner.item(0, [[1]])]).first?.status == .ok)
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func keepsBundlesAndHellos() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            var random = SecureRandom()
            let ticket = Ticket.random(using: &random)
            let receiving = try await owner.connect(relay)
            let knocking = try await relay.connect()
            await #expect(throws: RelayError.refused(.noBundle)) {
                _ = try await knocking.fetchBundle(of: owner.knocks)
            }
            let now = relay.clock.now
            try await receiving.publish(
                [
                    PublishedBundle(notBefore: now, expires: now.adding(seconds: 100), bytes: [1]),
                    PublishedBundle(
                        notBefore: now.adding(seconds: 100), expires: now.adding(seconds: 200), bytes: [2]),
                ], beside: owner.knocks)
            #expect(try await knocking.fetchBundle(of: owner.knocks) == [1])
            relay.clock.advance(seconds: 150)
            #expect(try await knocking.fetchBundle(of: owner.knocks) == [2])
            relay.clock.advance(seconds: 1000)
            #expect(try await knocking.fetchBundle(of: owner.knocks) == [2])

            let hello = [UInt8](repeating: 4, count: 500)
            await #expect(throws: RelayError.refused(.refused)) {
                try await knocking.knock(ticket.knock, at: owner.knocks, hello: hello)
            }
            try await receiving.admit([ticket.knock], to: owner.knocks)
            for _ in 0..<3 { try await knocking.knock(ticket.knock, at: owner.knocks, hello: hello) }
            for filler in UInt8(1)...3 {
                relay.clock.advance(seconds: 60)
                try await knocking.knock(ticket.knock, at: owner.knocks, hello: hello + [filler])
            }
            await #expect(throws: RelayError.refused(.limit)) {
                try await knocking.knock(ticket.knock, at: owner.knocks, hello: hello + [9])
            }
            await #expect(throws: RelayError.refused(.limit)) {
                try await knocking.knock(
                    ticket.knock, at: owner.knocks, hello: [UInt8](repeating: 0, count: 32_769))
            }
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            var received: [Delivery] = []
            while received.count < 4, let batch = try await deliveries.next() { received += batch }
            #expect(received.map(\.bytes) == [hello, hello + [1], hello + [2], hello + [3]])
            await knocking.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func tellsWhereAQueueStands() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            var random = SecureRandom()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            let envelopes: [[UInt8]] = [[1], [2], [3]]
            let stranger = PutItem(
                queue: owner.queue, capability: .random(using: &random), first: 0, envelopes: [[1]])
            let unknown = PutItem(
                queue: .random(using: &random), capability: owner.capability, first: 0, envelopes: [[1]])
            let results = try await sending.put([
                owner.item(1, [[9]]), owner.item(0, envelopes), owner.item(0, [[1]]), owner.item(0, []), stranger,
                unknown, owner.item(3, [[4]]),
            ])
            let nothing = PutResult(status: .refused, next: 0, digest: QueueChain.start)
            #expect(
                results == [
                    PutResult(status: .gap, next: 0, digest: chain([])),
                    PutResult(status: .ok, next: 3, digest: chain(envelopes)),
                    PutResult(status: .behind, next: 3, digest: chain(envelopes)),
                    PutResult(status: .ok, next: 3, digest: chain(envelopes)), nothing, nothing,
                    PutResult(status: .ok, next: 4, digest: chain(envelopes + [[4]])),
                ])
            try await receiving.close([owner.queue])
            #expect(try await sending.put([owner.item(4, [[5]])]).first?.status == .closed)
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func refusesTooLargeEnvelopesAndFullQueues() async throws {
        var limits = RelayLimits()
        limits.queueMessages = 3
        try await RelayHarness.run(store: MemoryRelayStore(limits: limits), { $0.envelopeBytes = 1_000 }) { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            let large = [UInt8](repeating: 0, count: 1_001)
            let results = try await sending.put([
                owner.item(0, [large]), owner.item(0, [[1], [2], [3]]), owner.item(3, [[4]]),
            ])
            #expect(results.map(\.status) == [.tooLarge, .ok, .full])
            await #expect(throws: RelayError.self) {
                _ = try await sending.put([owner.item(0, [[UInt8](repeating: 0, count: 65_615)])])
            }
            // An acknowledgement makes room.
            try await receiving.acknowledge(through: 2)
            #expect(try await sending.put([owner.item(3, [[4], [5]])]).first?.status == .ok)
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func refusesOwnersRequestsOfStrangers() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let stranger = Owner()
            let receiving = try await owner.connect(relay)
            let other = try await stranger.connect(relay)
            let fresh = try await relay.connect()
            await #expect(throws: RelayError.refused(.notAttached)) { try await fresh.acknowledge(through: 0) }
            await #expect(throws: RelayError.refused(.refused)) { try await other.close([owner.queue]) }
            await #expect(throws: RelayError.refused(.refused)) {
                try await other.open([
                    QueueOpening(id: owner.queue, kind: .send(capability: stranger.capability.digest))
                ])
            }
            await #expect(throws: RelayError.refused(.refused)) { try await other.admit([], to: owner.knocks) }
            await #expect(throws: RelayError.refused(.refused)) { try await receiving.acknowledge(through: 1) }
            for client in [receiving, other, fresh] { await client.shutDown() }
        }
    }

    @Test func nothingIsAnsweredBeforeItsCommit() async throws {
        let store = MemoryRelayStore()
        try await RelayHarness.run(store: store) { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            #expect(try await sending.put([owner.item(0, [[1]])]).first?.status == .ok)
            var faults = StoreFaults()
            faults.failBefore = Set(1...1_000)
            store.inject(faults)
            await #expect(throws: RelayError.refused(.storage)) { _ = try await sending.put([owner.item(1, [[2]])]) }
            store.inject(StoreFaults())
            // The connection goes on, and what was refused was not stored.
            #expect(
                try await sending.put([owner.item(0, [])])
                    == [PutResult(status: .ok, next: 1, digest: chain([[1]]))])
            #expect(try await sending.put([owner.item(1, [[2]])]).first?.status == .ok)
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func aLostFlushEndsTheRelay() async throws {
        let store = MemoryRelayStore()
        let ending = try await RelayHarness.run(store: store) { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            var faults = StoreFaults()
            faults.failAfter = Set(1...1_000)
            store.inject(faults)
            await #expect(throws: RelayError.self) { _ = try await receiving.put([owner.item(0, [[1]])]) }
            await receiving.shutDown()
        }
        guard case .store(.syncFailed) = ending else {
            Issue.record("ended with \(String(describing: ending))")
            return
        }
    }

    @Test func deliversAgainWhatWasNotAcknowledged() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let first = try await owner.connect(relay)
            let sending = try await relay.connect()
            let envelopes = (0..<50).map { [UInt8($0)] }
            _ = try await sending.put([owner.item(0, envelopes)])
            var deliveries = try await first.subscribe(after: 0).makeAsyncIterator()
            var received: [Delivery] = []
            while received.count < 50, let batch = try await deliveries.next() { received += batch }
            try await first.acknowledge(through: 20)
            await first.shutDown()

            let second = try await owner.connect(relay)
            let standing = try await second.attach(owner.service)
            #expect(standing == (20, 50))
            deliveries = try await second.subscribe(after: standing.acknowledged).makeAsyncIterator()
            received = []
            while received.count < 30, let batch = try await deliveries.next() { received += batch }
            #expect(received.map(\.position) == Array(21...50))
            #expect(received.map(\.bytes) == Array(envelopes.dropFirst(20)))
            await second.shutDown()
            await sending.shutDown()
        }
    }

    @Test func aSenderThatComesBackLearnsWhatArrived() async throws {
        let store = MemoryRelayStore()
        var random = SecureRandom()
        let key = LinkKey(.generate(using: &random))
        let owner = Owner()
        let envelopes: [[UInt8]] = [[1], [2]]
        let item = owner.item(0, envelopes)
        let probe = owner.item(0, [])
        try await RelayHarness.run(store: store, key: key) { relay in
            let receiving = try await owner.connect(relay)
            await receiving.shutDown()
            let sending = try await relay.connect()
            _ = try await sending.put([item])
            await sending.shutDown()
        }
        // The relay's process dies and comes back with what is on its disk.
        try await RelayHarness.run(store: store.reopened(), key: key) { relay in
            let sending = try await relay.connect()
            #expect(
                try await sending.put([probe]) == [PutResult(status: .ok, next: 2, digest: chain(envelopes))])
            #expect(try await sending.put([item]).first?.status == .behind)
            await sending.shutDown()
        }
    }

    @Test func deliversNoFurtherThanTheWindow() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            let envelopes = (0..<2_500).map { [UInt8($0 & 0xff)] }
            #expect(try await sending.put([owner.item(0, envelopes)]).first?.status == .ok)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            var received: [Delivery] = []
            while received.count < 1_000, let batch = try await deliveries.next() { received += batch }
            #expect(received.count == 1_000)
            // Everything sent before this answer has come by now.
            try await receiving.ping()
            while received.count < 2_500 {
                try await receiving.acknowledge(through: UInt64(received.count))
                guard let batch = try await deliveries.next() else { break }
                received += batch
            }
            #expect(received.map(\.position) == Array(1...2_500))
            #expect(received.map(\.bytes) == envelopes)
            await receiving.shutDown()
            await sending.shutDown()
        }
    }

    @Test func manySendersAtOnceKeepTheOrderOfEachQueue() async throws {
        try await RelayHarness.run { relay in
            var random = SecureRandom()
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let queues = (0..<20).map { _ in QueueID.random(using: &random) }
            let capability = SendCapability.random(using: &random)
            try await receiving.open(
                queues.map { QueueOpening(id: $0, kind: .send(capability: capability.digest)) })
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, queue) in queues.enumerated() {
                    group.addTask {
                        let sending = try await relay.connect()
                        for first in 0..<20 {
                            let result = try await sending.put([
                                PutItem(
                                    queue: queue, capability: capability, first: UInt64(first),
                                    envelopes: [[UInt8(index), UInt8(first)]])
                            ])
                            #expect(result.first?.status == .ok)
                        }
                        await sending.shutDown()
                    }
                }
                try await group.waitForAll()
            }
            var received: [Delivery] = []
            while received.count < 400, let batch = try await deliveries.next() {
                received += batch
                try await receiving.acknowledge(through: received.last?.position ?? 0)
            }
            #expect(received.map(\.position) == Array(1...400))
            for (index, queue) in queues.enumerated() {
                let own = received.filter { $0.queue == queue }.map(\.bytes)
                #expect(own == (0..<20).map { [UInt8(index), UInt8($0)] })
            }
            await receiving.shutDown()
        }
    }

    @Test func oldMessagesExpireAndLeaveGaps() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            _ = try await sending.put([owner.item(0, [[1], [2]])])
            relay.clock.advance(seconds: 21 * 86_400)
            _ = try await sending.put([owner.item(2, [[3]])])
            #expect(try await relay.server.expire() == 0)
            relay.clock.advance(seconds: 1)
            #expect(try await relay.server.expire() == 2)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let delivered = try await deliveries.next()
            #expect(delivered?.map(\.position) == [3, 4])
            #expect(delivered?.last?.content == .notice(QueueNotice(expired: 2, refusal: .none)))
            #expect(
                try await sending.put([owner.item(0, [])]).first
                    == PutResult(status: .ok, next: 3, digest: chain([[1], [2], [3]]), expired: 2))
            await receiving.shutDown()
            await sending.shutDown()
        }
    }

    @Test func aMalformedFrameEndsItsConnectionAlone() async throws {
        try await RelayHarness.run { relay in
            let good = try await relay.connect()
            let frames: [[UInt8]] = [
                [0xff], [0x80], [0x82, 0x0b, 0x00], [0x82, 0x0c, 0x01], [0x82, 0x0b, 0x1a, 1],
                [0x9f, 0x0b, 0x01, 0xff], [1],
                [0x83, 0x0b, 0x01, 0x00],
            ]
            for frame in frames {
                let bad = try await relay.connectBare()
                try await bad.send([RelayRequest.ping.encoded(request: 5), frame])
                var said: [[UInt8]] = []
                while let more = try await bad.nextFrames() { said += more }
                #expect(
                    said == [
                        RelayFrame.answer(request: 5, .done).encoded(),
                        RelayFrame.refusal(request: 0, .malformed).encoded(),
                    ])
                await bad.close()
                try await good.ping()
            }
            await good.shutDown()
        }
    }

    @Test func manyRequestsMayBeUnderWayAtOnce() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let bare = try await relay.connectBare()
            let frames = (0..<500).map {
                RelayRequest.put([owner.item(UInt64($0), [[1]])]).encoded(request: UInt32($0 + 1))
            }
            try await bare.send(frames)
            var answers: [UInt32: RelayFrame] = [:]
            while answers.count < 500, let more = try await bare.nextFrames() {
                for frame in more {
                    let decoded = try RelayFrame.decode(frame.bytes)
                    guard case .answer(let request, .results(let results)) = decoded else { continue }
                    #expect(results.first?.status == .ok)
                    #expect(answers.updateValue(decoded, forKey: request) == nil)
                }
            }
            #expect(answers.count == 500)
            await bare.close()
            await receiving.shutDown()
        }
    }

    @Test func subscribersToldBeforeAndAfterTheirSubscription() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            for number in 0..<20 {
                _ = try await sending.put([owner.item(UInt64(number), [[UInt8(number)]])])
                #expect(try await deliveries.next()?.map(\.bytes) == [[UInt8(number)]])
                try await receiving.acknowledge(through: UInt64(number) + 1)
            }
            await #expect(throws: RelayError.refused(.refused)) { _ = try await receiving.subscribe(after: 0) }
            await receiving.shutDown()
            await sending.shutDown()
        }
    }

    /// Pitfall 12: output to a client that does not read grows without bounds.
    @Test func aSubscriberThatDoesNotReadHoldsUpNobody() async throws {
        try await RelayHarness.run({ $0.link.unsentBytes = 1 << 20 }) { relay in
            let slow = Owner()
            let quick = Owner()
            let opening = try await slow.connect(relay)
            await opening.shutDown()
            let deaf = try await relay.connectBare()
            let digest = RelayRequest.attachDigest(
                handshakeHash: deaf.handshakeHash, service: slow.service.publicKey)
            let signature = slow.service.signature(for: digest.bytes)
            try await deaf.send([
                RelayRequest.attach(service: slow.service.publicKey, signature: signature).encoded(request: 1),
                RelayRequest.subscribe(after: 0).encoded(request: 2),
            ])
            let receiving = try await quick.connect(relay)
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            let sending = try await relay.connect()
            let envelope = [UInt8](repeating: 1, count: 60_000)
            var received = 0
            for number in 0..<200 {
                let results = try await sending.put([
                    slow.item(UInt64(number), [envelope]), quick.item(UInt64(number), [[UInt8(number)]]),
                ])
                #expect(results.map(\.status) == [.ok, .ok])
                while received <= number, let batch = try await deliveries.next() {
                    received += batch.count
                    try await receiving.acknowledge(through: UInt64(received))
                }
            }
            // Of 12 MB no more than the window is on its way to the one who does not read.
            var window = 0
            while window < 4 << 20, let frames = try await deaf.nextFrames() {
                for frame in frames {
                    guard case .push(let messages) = try RelayFrame.decode(frame.bytes) else { continue }
                    window += messages.reduce(0) { $0 + $1.bytes.count }
                }
            }
            #expect(window < (4 << 20) + 65_614)
            deaf.abort()
            await sending.shutDown()
            await receiving.shutDown()
        }
    }

    @Test func clientsThatVanishLeaveNothingBehind() async throws {
        try await RelayHarness.run({ $0.link.connectionsFromLoopback = 3 }) { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            for number in 0..<30 {
                // The place of each is free again once the relay has seen it go.
                var bare: LinkConnection?
                while bare == nil { bare = try? await relay.connectBare() }
                let put = RelayRequest.put([owner.item(UInt64(number), [[UInt8(number)]])])
                try await bare?.send([put.encoded(request: 1)])
                _ = try await bare?.nextFrames()
                bare?.abort()
            }
            #expect(try await receiving.put([owner.item(0, [])]).first?.next == 30)
            await receiving.shutDown()
        }
    }

    @Test func shuttingDownEndsEveryClient() async throws {
        var client: RelayClient?
        try await RelayHarness.run { relay in
            client = try await relay.connect()
            try await client?.ping()
        }
        let left = try #require(client)
        await #expect(throws: RelayError.self) { try await left.ping() }
        await left.shutDown()
    }

    @Test func aCancelledRequestLeavesTheConnectionUsable() async throws {
        try await RelayHarness.run { relay in
            let client = try await relay.connect()
            for _ in 0..<20 {
                let asking = Task { try await client.ping() }
                asking.cancel()
                _ = try? await asking.value
            }
            try await client.ping()
            await client.shutDown()
        }
    }
}
