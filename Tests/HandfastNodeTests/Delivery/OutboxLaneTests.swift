import Handfast
import HandfastCrypto
import HandfastStore
import Testing

@testable import HandfastNode

@Suite struct OutboxLaneTests {
    /// Envelopes 0 to `count` - 1 with their chain.
    private static func items(_ count: Int) -> [OutboxLane.Item] {
        var chain = QueueChain.start
        return (0..<count).map { number in
            let envelope = [UInt8](repeating: UInt8(number & 0xff), count: 10)
            chain = QueueChain.digest(chain, extendedBy: envelope)
            return OutboxLane.Item(number: UInt64(number), envelope: envelope, digest: chain)
        }
    }

    private static func lane(_ items: [OutboxLane.Item]) -> OutboxLane {
        var lane = OutboxLane(confirmed: 0, confirmedDigest: QueueChain.start, end: 0)
        lane.appended(items)
        lane.connected()
        return lane
    }

    @Test func putsNothingBeforeTheQueueWasCompared() {
        let items = Self.items(3)
        var lane = Self.lane(items)
        #expect(lane.next == .probe)
        lane.probing()
        #expect(lane.next == .rest)
        #expect(lane.probed(next: 0, digest: QueueChain.start) == .nothing)
        #expect(lane.next == .put)
        #expect(lane.take(envelopes: 2, bytes: 1_000).map(\.number) == [0, 1])
        #expect(lane.next == .rest, "one put at a time")
        #expect(lane.stored(next: 2, digest: items[1].digest) == .confirmed(below: 2))
        #expect(lane.take(envelopes: 2, bytes: 1_000).map(\.number) == [2])
        #expect(lane.stored(next: 3, digest: items[2].digest) == .confirmed(below: 3))
        #expect(lane.isEmpty)
        #expect(lane.next == .rest)
    }

    @Test func confirmsWhatArrivedBeforeTheConnectionBroke() {
        let items = Self.items(5)
        var lane = Self.lane(items)
        lane.probing()
        _ = lane.probed(next: 0, digest: QueueChain.start)
        _ = lane.take(envelopes: 5, bytes: 1_000)
        lane.disconnected(hasFailed: true)
        #expect(lane.next == .rest)
        lane.connected()
        lane.probing()
        #expect(lane.probed(next: 3, digest: items[2].digest) == .confirmed(below: 3))
        #expect(lane.take(envelopes: 5, bytes: 1_000).map(\.number) == [3, 4])
    }

    /// A lane begins while the one before it, at another courier, stores its last confirmation.
    @Test func goesOnBehindWhatAnotherLaneHasConfirmedSince() {
        let items = Self.items(4)
        var lane = OutboxLane(confirmed: 0, confirmedDigest: QueueChain.start, end: 3)
        lane.connected()
        lane.load(Array(items[2...]))
        #expect(lane.next == .load, "what it would begin with is gone from the store")
        let wasBehind = lane.overtaken(confirmed: 2, digest: items[1].digest)
        #expect(wasBehind)
        lane.load(Array(items[2...]))
        #expect(lane.next == .probe)
        lane.probing()
        #expect(lane.probed(next: 2, digest: items[1].digest) == .nothing)
        #expect(lane.take(envelopes: 9, bytes: 1_000).map(\.number) == [2, 3])
        let isBehind = lane.overtaken(confirmed: 2, digest: items[1].digest)
        #expect(!isBehind)
    }

    @Test func handsOnThatTheRelayIsAheadAndPutsNothing() {
        var lane = Self.lane(Self.items(2))
        lane.probing()
        let digest = Self.items(9).last?.digest ?? QueueChain.start
        #expect(
            lane.probed(next: 9, digest: digest)
                == .diverged(Divergence(cause: .ownStoreWentBack, next: 9, digest: digest)))
        #expect(lane.next == .rest)
        // Whoever should have taken over could not: it is asked again.
        lane.disconnected(hasFailed: true)
        lane.connected()
        #expect(lane.next == .probe)
    }

    @Test func handsOnThatTheRelayForgot() {
        let items = Self.items(2)
        var lane = OutboxLane(confirmed: 2, confirmedDigest: items[1].digest, end: 3)
        lane.load([
            OutboxLane.Item(number: 2, envelope: [1], digest: QueueChain.digest(items[1].digest, extendedBy: [1]))
        ])
        lane.connected()
        lane.probing()
        #expect(
            lane.probed(next: 1, digest: items[0].digest)
                == .diverged(Divergence(cause: .queueWentBack, next: 1, digest: items[0].digest)))
        #expect(lane.next == .rest)
    }

    @Test func handsOnThatTheQueueHoldsSomethingElse() {
        let items = Self.items(3)
        var lane = Self.lane(items)
        lane.probing()
        #expect(
            lane.probed(next: 2, digest: items[0].digest)
                == .diverged(Divergence(cause: .queueDiffers, next: 2, digest: items[0].digest)))
        #expect(lane.next == .rest)
    }

    @Test func handsOnThatAnotherSentAfterTheQueueWasAsItWasLeft() {
        let items = Self.items(3)
        let digest = Self.items(9).last?.digest ?? QueueChain.start
        let divergences = [
            Divergence(cause: .ownStoreWentBack, next: 9, digest: digest, isOfAnother: true),
            Divergence(cause: .queueDiffers, next: 3, digest: digest, isOfAnother: true),
            Divergence(cause: .queueWentBack, next: 0, digest: QueueChain.start),
        ]
        for divergence in divergences {
            var lane = Self.lane(items)
            lane.probing()
            #expect(lane.probed(next: 2, digest: items[1].digest) == .confirmed(below: 2))
            #expect(lane.probed(next: divergence.next, digest: divergence.digest) == .diverged(divergence))
        }
    }

    @Test func asksWhetherARejoinThatWaitsIsStillThere() {
        let items = Self.items(2)
        var lane = OutboxLane(confirmed: 2, confirmedDigest: items[1].digest, end: 2, awaitsAnswer: true)
        lane.connected()
        #expect(lane.next == .probe)
        lane.probing()
        #expect(lane.probed(next: 2, digest: items[1].digest) == .nothing)
        #expect(lane.next == .rest)
        lane.disconnected(hasFailed: false)
        lane.connected()
        #expect(lane.next == .rest, "asked once")
        lane.disconnected(hasFailed: true)
        lane.connected()
        #expect(lane.next == .probe, "the relay may have started anew")
        // What is sealed again shows that the answer came.
        let next = QueueChain.digest(items[1].digest, extendedBy: [1])
        lane.appended([OutboxLane.Item(number: 2, envelope: [1], digest: next)])
        lane.probing()
        _ = lane.probed(next: 3, digest: next)
        lane.disconnected(hasFailed: true)
        lane.connected()
        #expect(lane.next == .rest)
    }

    @Test func asksAgainWhenToldWhileARejoinWaits() {
        let items = Self.items(2)
        var lane = OutboxLane(confirmed: 2, confirmedDigest: items[1].digest, end: 2, awaitsAnswer: true)
        lane.connected()
        lane.probing()
        #expect(lane.probed(next: 2, digest: items[1].digest) == .nothing)
        lane.askAgain()
        #expect(lane.next == .probe, "on the same connection")
        lane.probing()
        lane.askAgain()
        #expect(lane.next == .rest, "it is asked already")
        #expect(
            lane.probed(next: 1, digest: items[0].digest)
                == .diverged(Divergence(cause: .queueWentBack, next: 1, digest: items[0].digest)))
        lane.askAgain()
        #expect(lane.next == .rest, "another lane takes over")
        var other = Self.lane(items)
        other.probing()
        _ = other.probed(next: 2, digest: items[1].digest)
        other.askAgain()
        #expect(other.next == .rest)
    }

    @Test func asksAgainAfterTheRelayDidNotKnowTheQueue() {
        var lane = Self.lane(Self.items(1))
        lane.probing()
        #expect(lane.refused() == .refused)
        #expect(lane.next == .probe)
    }

    @Test func stopsForGoodWhereTheQueueIsClosed() {
        var lane = Self.lane(Self.items(1))
        lane.probing()
        #expect(lane.stopped(.closed) == .stopped(.closed))
        lane.connected()
        #expect(lane.next == .rest)
    }

    @Test func readsTheStoreForWhatItWasNotTold() {
        let items = Self.items(10)
        var lane = OutboxLane(confirmed: 0, confirmedDigest: QueueChain.start, end: 0)
        // A gap: the envelopes between were committed before the lane was looked after.
        lane.appended([items[9]])
        lane.connected()
        #expect(lane.next == .load)
        lane.load(Array(items[0..<10]))
        #expect(lane.next == .probe)
        lane.probing()
        _ = lane.probed(next: 0, digest: QueueChain.start)
        #expect(lane.take(envelopes: 256, bytes: 45).map(\.number) == [0, 1, 2, 3], "bounded by bytes")
    }

    @Test func keepsItsMemoryBounded() {
        let items = Self.items(OutboxLane.bufferLimit + 100)
        var lane = Self.lane(items)
        lane.probing()
        _ = lane.probed(next: 0, digest: QueueChain.start)
        var taken: [UInt64] = []
        while lane.next != .rest {
            switch lane.next {
            case .put:
                let part = lane.take(envelopes: 256, bytes: 1 << 20)
                taken += part.map(\.number)
                if let last = part.last { _ = lane.stored(next: last.number + 1, digest: last.digest) }
            case .load:
                lane.load(items.filter { $0.number >= lane.confirmed })
            case .probe, .rest:
                Issue.record("nothing to probe")
            }
        }
        #expect(taken == items.map(\.number))
    }

    @Test func restsWhileTheQueueIsFullAndAsksAgain() {
        var lane = Self.lane(Self.items(1))
        lane.probing()
        _ = lane.probed(next: 0, digest: QueueChain.start)
        _ = lane.take(envelopes: 1, bytes: 100)
        #expect(lane.held(.full) == .held(.full))
        #expect(lane.next == .probe)
    }

    @Test func cutsABatchThatDoesNotFitAtOnceAndGrowsAgain() {
        let items = Self.items(10)
        var lane = Self.lane(items)
        func digest(_ number: UInt64) -> Digest { number == 0 ? QueueChain.start : items[Int(number) - 1].digest }
        func probe() {
            lane.probing()
            _ = lane.probed(next: lane.confirmed, digest: digest(lane.confirmed))
        }
        func put() -> Int {
            let taken = lane.take(envelopes: 64, bytes: 1 << 20)
            return taken.count
        }
        func stored() { _ = lane.stored(next: lane.confirmed + 1, digest: digest(lane.confirmed + 1)) }
        probe()
        #expect(put() == 10)
        // Three fit now: nothing is to be waited for.
        #expect(lane.held(.throttled, room: 3) == .nothing)
        probe()
        #expect(put() == 3)
        _ = lane.stored(next: 3, digest: digest(3))
        #expect(put() == 6)
        #expect(lane.held(.throttled, room: 0) == .held(.throttled))
        probe()
        #expect(put() == 1)
        stored()
        #expect(put() == 2)
        // Of two, one may fit a full queue.
        #expect(lane.held(.full) == .nothing)
        probe()
        #expect(put() == 1)
        #expect(lane.held(.full) == .held(.full))
        probe()
        #expect(put() == 1)
        stored()
        #expect(put() == 2)
        // Nor may both be too large.
        #expect(lane.held(.tooLarge) == .nothing)
        probe()
        #expect(put() == 1)
        #expect(lane.held(.tooLarge) == .held(.tooLarge))
        probe()
        #expect(put() == 1)
        #expect(lane.held(.paused) == .held(.paused))
        #expect(lane.confirmed == 5)
    }
}

@Suite struct BackoffTests {
    @Test func pausesGrowToTheLongestAndBeginAnew() {
        var random = SystemRandomNumberGenerator()
        var backoff = Backoff(first: .milliseconds(100), longest: .seconds(10))
        var before = Duration.zero
        for attempt in 0..<6 {
            let pause = backoff.next(using: &random)
            let whole = Duration.milliseconds(100) * (1 << attempt)
            #expect(pause >= whole / 2 && pause <= whole)
            #expect(pause >= before / 2)
            before = pause
        }
        for _ in 0..<100 { #expect(backoff.next(using: &random) <= .seconds(10)) }
        backoff.succeeded()
        #expect(backoff.next(using: &random) <= .milliseconds(100))
    }
}

@Suite struct RecencyTests {
    @Test func keepsWhatIsUsedAndStaysBounded() {
        var cache = Recency<Int, Int>(capacity: 10)
        for key in 0..<1_000 {
            cache.insert(key, for: key)
            #expect(cache.value(for: 0) == 0, "used all the time")
            #expect(cache.count <= 11)
        }
        #expect(cache.value(for: 1) == nil)
        cache.remove(0)
        #expect(cache.value(for: 0) == nil)
    }
}

@Suite struct AddressVettingTests {
    @Test(arguments: [
        "127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "172.31.255.255", "169.254.1.1", "100.64.0.1", "0.0.0.0",
        "localhost", "a.localhost", "::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "224.0.0.1",
        "255.255.255.255",
    ])
    func privateAddressesAreKnown(host: String) {
        #expect(AddressVetting.isPrivate(host))
    }

    @Test(arguments: ["example.org", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "10.example.org", "1.2.3"])
    func publicAddressesAreNot(host: String) {
        #expect(!AddressVetting.isPrivate(host))
    }
}
