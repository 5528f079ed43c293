import HandfastChannel
import HandfastCrypto
import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastRelay

struct RecentMessagesTests {
    private let queue = QueueID(.zero)

    private func service(_ seed: UInt64) -> VerificationKey {
        var random = SeededEntropy(seed: seed)
        return SigningKey.generate(using: &random).publicKey
    }

    private func messages(_ positions: ClosedRange<UInt64>, bytes: Int = 1) -> [Delivery] {
        positions.map { position in
            let content = [UInt8](repeating: UInt8(position & 0xff), count: bytes)
            return Delivery(position: position, queue: queue, bytes: content)
        }
    }

    @Test func givesWhatIsRightAboveAPosition() {
        let (recent, owner) = (RecentMessages(), service(1))
        recent.append(messages(5...7), of: owner)
        recent.append(messages(8...9), of: owner)
        func positions(_ after: UInt64, limit: Int = 100, bytes: Int = 100) -> [UInt64] {
            recent.deliveries(to: owner, after: after, limit: limit, bytes: bytes).map(\.position)
        }
        #expect(positions(4) == [5, 6, 7, 8, 9])
        #expect(positions(6) == [7, 8, 9])
        #expect(positions(6, limit: 2) == [7, 8])
        #expect(positions(6, bytes: 1) == [7])
        // The store has to be asked for what was before, and nothing is behind.
        #expect(positions(3) == [])
        #expect(positions(9) == [])
        #expect(positions(.max) == [])
        #expect(recent.deliveries(to: service(2), after: 4, limit: 100, bytes: 100) == [])
        #expect(recent.deliveries(to: owner, after: 4, limit: 9, bytes: 9) == messages(5...9))
    }

    @Test func nothingIsPassedOverWhereANoticeStands() {
        let (recent, owner) = (RecentMessages(), service(1))
        recent.append(messages(1...3), of: owner)
        recent.append(messages(5...6), of: owner)
        // Position 4 is a notice: it and what is before come from the store.
        #expect(recent.deliveries(to: owner, after: 3, limit: 9, bytes: 9) == [])
        #expect(recent.deliveries(to: owner, after: 4, limit: 9, bytes: 9) == messages(5...6))
        recent.append(messages(7...7) + messages(9...9), of: owner)
        #expect(recent.deliveries(to: owner, after: 4, limit: 9, bytes: 9) == [])
        #expect(recent.deliveries(to: owner, after: 8, limit: 9, bytes: 9) == messages(9...9))
    }

    @Test func whatIsAcknowledgedOrDeletedIsForgotten() {
        let (recent, owner) = (RecentMessages(), service(1))
        recent.append(messages(1...9), of: owner)
        recent.acknowledge(owner, through: 4)
        #expect(recent.deliveries(to: owner, after: 3, limit: 9, bytes: 9) == [])
        #expect(recent.deliveries(to: owner, after: 4, limit: 9, bytes: 9) == messages(5...9))
        recent.acknowledge(owner, through: 100)
        #expect(recent.deliveries(to: owner, after: 4, limit: 9, bytes: 9) == [])
        recent.append(messages(101...102), of: owner)
        #expect(recent.deliveries(to: owner, after: 100, limit: 9, bytes: 9) == messages(101...102))
        recent.forget(owner)
        #expect(recent.deliveries(to: owner, after: 100, limit: 9, bytes: 9) == [])
    }

    @Test func theOldestAreForgottenWhereThereAreTooMany() {
        let (recent, quiet, busy) = (RecentMessages(), service(1), service(2))
        recent.append(messages(1...10, bytes: 60_000), of: quiet)
        // Three times what is kept.
        for first in stride(from: UInt64(1), to: 3_200, by: 100) {
            recent.append(messages(first...first + 99, bytes: 60_000), of: busy)
        }
        #expect(recent.deliveries(to: quiet, after: 0, limit: 9, bytes: 9) == [])
        #expect(recent.deliveries(to: busy, after: 0, limit: 9, bytes: 9) == [])
        #expect(recent.deliveries(to: busy, after: 3_199, limit: 9, bytes: 9) == messages(3_200...3_200, bytes: 60_000))
        let kept = (0..<UInt64(3_200)).filter {
            !recent.deliveries(to: busy, after: $0, limit: 1, bytes: 1).isEmpty
        }
        #expect((500...1_200).contains(kept.count))
    }

    @Test func whatWasJustStoredIsDeliveredWithoutReadingIt() async throws {
        try await RelayHarness.run { relay in
            let owner = Owner()
            let receiving = try await owner.connect(relay)
            let sending = try await relay.connect()
            var deliveries = try await receiving.subscribe(after: 0).makeAsyncIterator()
            #expect(try await sending.put([owner.item(0, [[0]])]).first?.status == .ok)
            #expect(try await deliveries.next()?.map(\.bytes) == [[0]])
            for number in 1..<100 {
                let envelope = [UInt8(number)]
                #expect(try await sending.put([owner.item(UInt64(number), [envelope])]).first?.status == .ok)
                #expect(try await deliveries.next()?.map(\.bytes) == [envelope])
                try await receiving.acknowledge(through: UInt64(number + 1))
            }
            // What was there when it subscribed, and whether there was more.
            #expect(relay.store.readingCount <= 3)
            await receiving.shutDown()
            await sending.shutDown()
        }
    }
}
