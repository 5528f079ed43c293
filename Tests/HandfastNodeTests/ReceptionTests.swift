import Handfast
import HandfastCrypto
import HandfastEncoding
import HandfastRelay
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// What one side lets come: pause, throttle, block, whatever the other side does.
@Suite(.serialized) struct ReceptionTests {
    private static func pause(_ isPaused: Bool) -> ReceptionChange {
        var change = ReceptionChange()
        change.isPaused = isPaused
        return change
    }

    private static func change(_ change: ReceptionChange, in world: World, _ id: RelationshipID) async throws {
        try await world.customer.node.change(change, of: id)
        try await until("a relay that knows", world.customer) {
            try await world.customer.node.hasToldRelay(id)
        }
    }

    private static func kept(_ store: MemoryRelayStore, of world: World, _ id: RelationshipID) async throws
        -> [Delivery]
    {
        guard let kept = try await world.customer.node.keeper.kept(id) else { throw Failure("no relationship") }
        return try await store.deliveries(to: kept.service, after: 0, limit: 10_000, bytes: 1 << 30)
    }

    @Test func whatIsSentDuringAPauseComesAfterItInOrder() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        try await Self.change(Self.pause(true), in: world, id)
        for number in 1...3 { try await world.vendor.node.send([.text("\(number)")], to: id) }
        try await world.vendor.event(.deliveryHeld)
        let held = try await world.vendor.node.relationship(id)
        #expect(held.heldBack == "paused")
        let since = try #require(held.heldBackSince)
        // Both are killed; neither the pause nor what waits is lost.
        try await world.vendor.restart()
        try await world.customer.restart()
        world.vendor.start()
        world.customer.start()
        try await world.vendor.node.send([.text("4")], to: id)
        // The paused side can speak.
        try await world.customer.node.send([.text("from the customer")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "from the customer" }
        #expect(try await world.customer.texts().isEmpty)
        #expect(try await world.customer.node.relationship(id).reception.isPaused)
        #expect(try await world.vendor.node.relationship(id).heldBackSince == since)
        try await Self.change(Self.pause(false), in: world, id)
        try await world.settle(id)
        try await until("all that was said", world.customer) { try await world.customer.texts().count == 4 }
        #expect(try await world.customer.texts() == ["1", "2", "3", "4"])
        let free = try await world.vendor.node.relationship(id)
        #expect(free.heldBack == nil && free.heldBackSince == nil)
        try await world.agree(id)
        await world.end()
    }

    @Test func aThrottledSenderKeepsWhatIsTooMuch() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        var change = ReceptionChange()
        (change.messagesPerHour, change.burst) = (1, 2)
        try await Self.change(change, in: world, id)
        for number in 1...5 { try await world.vendor.node.send([.text("\(number)")], to: id) }
        try await until("two of them", world.customer) { try await world.customer.texts().count == 2 }
        try await until("a sender that knows", world.vendor) {
            let report = try await world.vendor.node.relationship(id)
            return report.heldBack == "throttled" && report.waiting == 3
        }
        #expect(try await world.customer.node.relationship(id).reception.text == "1 an hour, 2 at once")
        #expect(try await world.customer.texts() == ["1", "2"])
        try await world.customer.event(.messagesHeldBack)
        // A sender asks once its time is over, which is in a quarter of an hour, or when it hears of the other side.
        try await Self.change(.unthrottled, in: world, id)
        try await until("all that was said", world.customer) { try await world.customer.texts().count == 5 }
        #expect(try await world.customer.texts() == ["1", "2", "3", "4", "5"])
        try await world.agree(id)
        await world.end()
    }

    @Test(arguments: ["too-large", "full"])
    func whatIsTooLargeWaitsAndWhatItHoldsUpIsToldOnce(word: String) async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        var change = ReceptionChange()
        if word == "full" { change.waitingBytes = 1_000 } else { change.messageBytes = 1_000 }
        try await Self.change(change, in: world, id)
        try await world.vendor.node.send([.text("small")], to: id)
        try await world.settle(id)
        let large = String(repeating: "large", count: 1_000)
        try await world.vendor.node.send([.text(large)], to: id)
        // Both ends are told, the sender and who set the limit.
        try await world.vendor.event(.deliveryHeld)
        let reason = word == "full" ? "the own queue was full" : "a message was larger than you let come"
        try await world.customer.event(.messagesHeldBack) { $0.detail.reason == reason }
        try await world.vendor.node.send([.text("after it")], to: id)
        // Whatever the other side says makes the queue be asked again, and nothing has changed.
        for number in 1...3 {
            try await world.customer.node.send([.text("\(number)")], to: id)
            try await world.vendor.event(.recordReceived) { $0.detail.text == "\(number)" }
        }
        let report = try await world.vendor.node.relationship(id)
        #expect(report.heldBack == word && report.waiting == 2)
        try await world.vendor.restart()
        world.vendor.start()
        #expect(try await world.vendor.node.relationship(id).heldBack == word)
        #expect(try await world.customer.texts() == ["small"])
        try await Self.change(.unthrottled, in: world, id)
        try await until("all that was said", world.customer) { try await world.customer.texts().count == 3 }
        #expect(try await world.customer.texts() == ["small", large, "after it"])
        try await world.settle(id)
        try await until("no hold", world.vendor) { try await world.vendor.node.relationship(id).heldBack == nil }
        #expect(try await world.vendor.events(.deliveryHeld).count == 1)
        #expect(try await world.customer.events(.messagesHeldBack).count == 1)
        #expect(try await world.vendor.events(.deliveryResumed).count == 1)
        try await world.agree(id)
        await world.end()
    }

    @Test func whoIsBlockedPlacesNotOneByteMore() async throws {
        let store = MemoryRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store))
        let id = try await world.meet()
        try await world.settle(id)
        let address = try #require(try await world.vendor.node.keeper.kept(id)?.relationship.peerAddresses.first)
        let head = try #require(
            try await world.vendor.store.outboxHeads(of: id).first { $0.queue == address.queue })
        try await world.customer.node.block(id)
        try await until("a closed queue", world.customer) { try await world.customer.node.hasToldRelay(id) }
        let before = try await Self.kept(store, of: world, id)
        // A raw client with the capability that held, and a node that goes on talking.
        let client = try await RelayClient.connect(to: world.relay.address)
        for first in [head.next, head.next + 1, 0] {
            let envelopes = [[UInt8]](repeating: [UInt8](repeating: 1, count: 300), count: 20)
            let item = PutItem(
                queue: address.queue, capability: address.capability, first: first, envelopes: envelopes)
            #expect(try await client.put([item]).first?.status == .closed)
        }
        await client.shutDown()
        try await world.vendor.node.send([.text("let me in")], to: id)
        try await world.vendor.event(.deliveryRefused)
        #expect(try await Self.kept(store, of: world, id) == before)
        try await world.customer.restart()
        world.customer.start()
        let report = try await world.customer.node.relationship(id)
        #expect(report.state == "blocked" && report.trouble == nil)
        let revoked = try await world.customer.node.revocations(of: id).filter { $0.time != nil && $0.party == "own" }
        #expect(Set(revoked.map { "\($0.subject) \($0.kind)" }) == ["relationship blocked", "queue closed"])
        await #expect(throws: NodeError.self) { try await world.customer.node.send([.text("no")], to: id) }
        await #expect(throws: NodeError.self) { try await world.customer.node.change(Self.pause(false), of: id) }
        #expect(try await world.customer.texts().isEmpty)
        await world.end()
    }

    @Test func theOtherSideNeedNotBeThere() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.vendor.stop()
        try await Self.change(Self.pause(true), in: world, id)
        try await world.customer.node.block(id)
        try await until("a closed queue", world.customer) { try await world.customer.node.hasToldRelay(id) }
        #expect(try await world.customer.node.relationship(id).state == "blocked")
        await world.end()
    }

    @Test func aVendorPausesOneOfItsCustomers() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        try await world.vendor.node.change(Self.pause(true), of: id)
        try await until("a relay that knows", world.vendor) { try await world.vendor.node.hasToldRelay(id) }
        try await world.customer.node.send([.text("later")], to: id)
        try await world.customer.event(.deliveryHeld)
        #expect(try await world.vendor.texts().isEmpty)
        try await world.vendor.node.change(Self.pause(false), of: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "later" }
        await world.end()
    }

    /// What each of these relays says of putting into its queue.
    private static func statuses(_ addresses: [Address], _ relays: [LoopbackRelay]) async throws -> [PutResult.Status?]
    {
        var statuses: [PutResult.Status?] = []
        for (address, relay) in zip(addresses, relays) {
            let client = try await RelayClient.connect(to: relay.address)
            let item = PutItem(queue: address.queue, capability: address.capability, first: 0, envelopes: [])
            statuses.append(try await client.put([item]).first?.status)
            await client.shutDown()
        }
        return statuses
    }

    /// Each of two relays has to hold what was decided, whichever of them is there first.
    @Test(arguments: [false, true])
    func bothRelaysArePausedAlthoughOneIsAway(isPublic: Bool) async throws {
        let (store, key) = (MemoryRelayStore(), LoopbackRelay.newKey())
        let (others, first) = (try await LoopbackRelay(), try await LoopbackRelay())
        let second = try await LoopbackRelay(store: store, key: key)
        let owner = try await Person("Owner", at: first.address, alternatives: [second.address])
        let peer = try await Person("Peer", at: others.address)
        if isPublic { _ = try await owner.node.makePublicIdentity(domain: "owner.example") }
        owner.start()
        peer.start()
        let id = try await meet(owner, peer)
        try await until("both addresses", peer) {
            try await peer.node.keeper.kept(id)?.relationship.peerAddresses.count == 2
        }
        let addresses = try await peer.node.keeper.kept(id)?.relationship.peerAddresses ?? []
        try await until("open queues", owner) { try await Self.statuses(addresses, [first, second]) == [.ok, .ok] }
        await second.stop()
        try await owner.node.change(Self.pause(true), of: id)
        try await until("a pause at the first", owner) { try await Self.statuses(addresses, [first]) == [.paused] }
        #expect(try await !owner.node.hasToldRelay(id))
        try await owner.restart()
        owner.start()
        let again = try await LoopbackRelay(
            store: store.reopened(), key: key, port: Int(second.address.port))
        try await until("a pause at both", owner) {
            try await Self.statuses(addresses, [first, again]) == [.paused, .paused]
        }
        try await until("an owner who knows", owner) { try await owner.node.hasToldRelay(id) }
        try await owner.node.change(Self.pause(false), of: id)
        try await until("no pause at either", owner) {
            try await Self.statuses(addresses, [first, again]) == [.ok, .ok]
        }
        try await until("an owner who knows", owner) { try await owner.node.hasToldRelay(id) }
        await owner.stop()
        await peer.stop()
        for relay in [others, first, again] { await relay.stop() }
    }

    @Test func aRelayThatLostItsStoreIsToldAgain() async throws {
        let store = ForgetfulRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store))
        let id = try await world.meet()
        try await world.settle(id)
        store.loseWhatComes()
        try await Self.change(Self.pause(true), in: world, id)
        await world.customer.stop()
        store.goBack()
        world.customer.start()
        let address = try #require(try await world.vendor.node.keeper.kept(id)?.relationship.peerAddresses.first)
        let client = try await RelayClient.connect(to: world.relay.address)
        try await until("a pause once more") {
            let item = PutItem(queue: address.queue, capability: address.capability, first: 0, envelopes: [])
            return try await client.put([item]).first?.status == .paused
        }
        await client.shutDown()
        await world.end()
    }

    @Test func strangersAreHeldBackByTheRelay() async throws {
        let world = try await World()
        let (vendor, relay) = (world.vendor, world.relay)
        // Whose invitations are all answered in one queue.
        _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
        /// A program that has an invitation and asks no node's leave.
        func knock(_ invitation: Invitation, _ hello: UInt8) async throws -> RelayRefusal? {
            let client = try await RelayClient.connect(to: relay.address)
            defer { Task { await client.shutDown() } }
            do {
                let bytes = [UInt8](repeating: hello, count: 2_000)
                try await client.knock(invitation.ticket.knock, at: invitation.knockQueue, hello: bytes)
                return nil
            } catch RelayError.refused(let refusal) {
                return refusal
            }
        }
        func invite(_ label: String) async throws -> Invitation {
            let invitation = try await vendor.node.invite(label: label).invitation
            try await until("publication", vendor) { try await vendor.node.isPublished(invitation) }
            return invitation
        }
        func change(_ body: (inout ReceptionChange) -> Void) async throws {
            var change = ReceptionChange()
            body(&change)
            try await vendor.node.changeStrangers(change)
            try await until("a relay that knows", vendor) { try await vendor.node.hasToldOfStrangers() }
        }
        try await change { ($0.messagesPerHour, $0.burst) = (1, 2) }
        // The queue is opened after the policy was set.
        let first = try await invite("first")
        let (second, third) = (try await invite("second"), try await invite("third"))
        try await until("a relay that knows", vendor) { try await vendor.node.hasToldOfStrangers() }
        #expect(try await knock(first, 1) == nil)
        #expect(try await knock(second, 2) == nil)
        #expect(try await knock(third, 3) == .busy)
        // It holds after a restart, and who is in a relationship does not notice.
        try await vendor.restart()
        vendor.start()
        #expect(try await knock(third, 3) == .busy)
        try await change { $0 = .unthrottled }
        #expect(try await knock(third, 3) == nil)
        try await change { $0.messageBytes = 1_000 }
        #expect(try await knock(third, 4) == .limit)
        try await change { ($0.messageBytes, $0.isPaused) = (0, true) }
        let fourth = try await invite("fourth")
        #expect(try await knock(fourth, 5) == .busy)
        #expect(try await vendor.node.strangers().reception.isPaused)
        try await change { $0.isPaused = false }
        #expect(try await knock(fourth, 5) == nil)

        let fifth = try await invite("fifth")
        let (report, queues) = try await vendor.node.blockStrangers()
        #expect(report.voidInvitations.contains("fifth") && queues.count == 1)
        try await until("a closed queue", vendor) { try await vendor.node.haveClosed(queues) }
        let refusal = try await knock(fifth, 6)
        #expect(refusal == .closed || refusal == .refused)
        #expect(try await vendor.node.strangers().invitations == 0)
        // A new invitation opens another queue, by the same service.
        let services = try await vendor.node.steward.services().count
        let sixth = try await invite("sixth")
        #expect(sixth.knockQueue != fifth.knockQueue)
        #expect(try await vendor.node.steward.services().count == services)
        #expect(try await knock(sixth, 7) == nil)
        await world.end()
    }

    @Test func refusesWhatNoRelayKnows() throws {
        func applied(_ body: (inout ReceptionChange) -> Void) throws -> QueuePolicy {
            var change = ReceptionChange()
            body(&change)
            return try change.applied(to: .standard)
        }
        #expect(try applied { $0.messagesPerHour = 600 }.burst == 10)
        #expect(try applied { $0.messagesPerHour = 5 }.burst == 1)
        for wrong: (inout ReceptionChange) -> Void in [
            { $0.messagesPerHour = -1 }, { $0.messagesPerHour = 3_600_001 }, { $0.burst = 3 },
            { ($0.messagesPerHour, $0.burst) = (1, 10_001) }, { $0.waitingBytes = 1 << 32 }, { $0.messageBytes = -1 },
            { $0.retentionSeconds = 1 << 32 },
        ] {
            #expect(throws: NodeError.self) { _ = try applied(wrong) }
        }
        var random = SystemRandomNumberGenerator()
        var kept = Reception()
        kept.policy = try applied { ($0.messagesPerHour, $0.isPaused) = (60, true) }
        (kept.lost, kept.unread) = (7, .max)
        kept.untold = [.random(using: &random)]
        kept.hold(.full, since: Timestamp(seconds: 5))
        var writer = CBORWriter()
        kept.write(to: &writer)
        let bytes = writer.bytes
        var reader = CBORReader(bytes.bytes)
        #expect(try Reception(reading: &reader) == kept)
        // The same again is no news, another reason is, and no reason ends it.
        kept.hold(.full, since: Timestamp(seconds: 9))
        #expect(kept.heldSince == Timestamp(seconds: 5))
        kept.hold(.paused, since: Timestamp(seconds: 9))
        #expect(kept.heldSince == Timestamp(seconds: 9))
        kept.hold(nil, since: Timestamp(seconds: 11))
        #expect(kept.heldSince == nil)
    }
}
