import HandfastCrypto
import HandfastRelay
import Testing

@testable import Handfast
@testable import HandfastNode
@testable import HandfastStore

/// What is lost for good, who may not come in, and that either is said in plain words.
@Suite struct LossTests {
    @Test func aRelayTakenBackDeliversWhatComesAfter() async throws {
        let store = MemoryRelayStore()
        let key = LoopbackRelay.newKey()
        let world = try await World(relay: LoopbackRelay(store: store, key: key))
        _ = try await world.vendor.node.makePublicIdentity(domain: "shop.example")
        let id = try await world.meet()
        let other = try await Person("Other", at: world.relay.address)
        other.start()
        let before = world.vendor.node.lastEvent
        let (invitation, _) = try await world.vendor.node.invite()
        try await until("acceptance", world.vendor, other) {
            _ = try await other.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        try await world.vendor.event(.peerIntroduced, after: before)
        try await other.event(.peerIntroduced)
        try await world.settle(id)
        let otherID = try RelationshipID(text: try #require(try await other.node.relationships().first).id)
        try await until("rest", other) { try await other.node.waiting(in: otherID) == 0 }

        // From here on the relay's disk keeps nothing.
        var faults = StoreFaults()
        faults.loseFrom = store.commitCount + 1
        store.inject(faults)
        for number in 0..<5 { try await world.customer.node.send([.text("lost \(number)")], to: id) }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "lost 4" }
        try await world.settle(id)
        await world.customer.stop()
        await world.relay.stop()
        let again = try await LoopbackRelay(store: store.reopened(), key: key, port: Int(world.relay.address.port))
        try await world.vendor.event(.relayRolledBack)
        // It comes at a position that the vendor had acknowledged before; while a new epoch begins, it has to wait.
        try await until("leave to send", other) {
            try await other.node.send([.text("after")], to: otherID)
            return true
        }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "after" }
        #expect(try await world.vendor.events(.relayRolledBack).count == 1)
        #expect(try await world.vendor.node.doctor().contains { $0.what.contains("own relay was taken back") })
        // The sender whose messages the relay forgot finds out, too, and both go on.
        world.customer.start()
        // Either side may have found out first, so that one epoch or two begin.
        try await until("leave to send", world.customer) {
            guard try await world.customer.node.relationship(id).epoch > 0 else { return false }
            try await world.customer.node.send([.text("more")], to: id)
            return true
        }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "more" }
        try await world.agree(id)
        await other.stop()
        await world.end()
        await again.stop()
    }

    /// Once the first loss is dealt with, the empty relay and the cursor agree: nothing tells the second loss.
    @Test func aRelayThatLosesItsStoreTwiceIsGivenItsQueuesAgain() async throws {
        let key = LoopbackRelay.newKey()
        let world = try await World(relay: LoopbackRelay(key: key))
        _ = try await world.vendor.node.makePublicIdentity(domain: "shop.example")
        let id = try await world.meet()
        try await world.settle(id)
        await world.customer.stop()
        await world.relay.stop()
        let second = try await LoopbackRelay(key: key, port: Int(world.relay.address.port))
        try await world.vendor.event(.relayRolledBack)
        await second.stop()
        let third = try await LoopbackRelay(key: key, port: Int(world.relay.address.port))
        world.customer.start()
        try await until("leave to send", world.customer) {
            guard try await world.customer.node.relationship(id).epoch > 0 else { return false }
            try await world.customer.node.send([.text("after")], to: id)
            return true
        }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "after" }
        try await world.agree(id)
        await world.end()
        await third.stop()
    }

    /// A million queues take an hour and more to be opened again; whoever comes meanwhile is not kept waiting, and what
    /// is left is opened although the node stops in between.
    @Test func aVendorReceivesWhileItsQueuesAreOpenedAgain() async throws {
        let (store, key) = (MemoryRelayStore(), LoopbackRelay.newKey())
        let world = try await World(relay: LoopbackRelay(key: key))
        _ = try await world.vendor.node.makePublicIdentity(domain: "shop.example")
        let id = try await world.meet()
        for number in 1...20 {
            let other = try await Person("Other \(number)", at: world.relay.address)
            other.start()
            _ = try await HandfastNodeTests.meet(world.vendor, other)
            await other.stop()
        }
        @Sendable func reopening() async throws -> KeptService.Reopening? {
            for stored in try await world.vendor.store.services(after: 0, limit: 10) {
                if let left = try Row.decode(KeptService.self, stored.bytes).reopening { return left }
            }
            return nil
        }
        try await world.settle(id)
        await world.customer.stop()
        await world.relay.stop()
        // It has lost everything, and an address may open fewer queues than the vendor has.
        let port = Int(world.relay.address.port)
        let slow = try await LoopbackRelay(store: store, key: key, port: port, openings: 20)
        try await world.vendor.event(.relayRolledBack)
        let new = try await Person("New", at: slow.address)
        new.start()
        let newID = try await HandfastNodeTests.meet(world.vendor, new)
        try await new.node.send([.text("new")], to: newID)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "new" }
        #expect(try await reopening() == .init(rejoins: true))
        await slow.stop()
        try await world.vendor.restart()
        #expect(try await reopening() == .init(rejoins: true))
        let fast = try await LoopbackRelay(store: store.reopened(), key: key, port: port)
        world.vendor.start()
        world.customer.start()
        try await until("leave to send", world.vendor, world.customer) {
            guard try await world.customer.node.relationship(id).epoch > 0 else { return false }
            try await world.customer.node.send([.text("after")], to: id)
            return true
        }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "after" }
        try await until("the rest", world.vendor) { try await reopening() == nil }
        #expect(try await world.vendor.events(.relayRolledBack).count == 1)
        try await world.agree(id)
        await new.stop()
        await world.end()
        await fast.stop()
    }

    @Test func aRecordThatNeverCameIsAskedForAnew() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        try await world.customer.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            // Signed and sealed, and then lost by the relay.
            let entry = try relationship.kept.relationship.append(
                TextMessage(text: "lost"), at: draft.now, with: relationship.identity, using: &keeper.entropy)
            keeper.keep(own: [entry], in: relationship, draft)
        }
        try await world.customer.node.send([.text("one"), .text("two")], to: id)
        let missing = try await world.vendor.event(.recordsMissing)
        #expect(missing.detail.sequence == 2)
        let asked = try await world.vendor.event(.rejoinAsked)
        #expect(asked.detail.reason?.contains("is missing") == true)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "two" }
        #expect(try await world.vendor.texts() == ["lost", "one", "two"])
        #expect(try await world.vendor.events(.recordsMissing).count == 1)
        #expect(try await world.vendor.node.relationship(id).trouble == nil)
        try await world.agree(id)
        await world.end()
    }

    /// A tail that was lost, and tags that no longer agree, heal without a person.
    @Test func moreLostEnvelopesThanAChannelCanSkipAreSentAnew() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        try await world.customer.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            draft.touch(relationship)
            for _ in 0..<257 {
                try relationship.channel?.seal(
                    .turn, [UInt8]().bytes, now: draft.now, into: &keeper.envelope, using: &keeper.entropy)
            }
        }
        await world.vendor.stop()
        for number in 0..<40 { try await world.customer.node.send([.text("\(number)")], to: id) }
        world.vendor.start()
        try await world.vendor.event(.rejoinDone)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "39" }
        #expect(try await world.vendor.texts() == (0..<40).map { "\($0)" })
        #expect(try await world.vendor.events(.rejoinAsked).count == 1)
        try await world.agree(id)
        await world.end()
    }

    @Test func nothingIsTakenOrTurnedOnceARelationshipIsFrozenOrEnded() async throws {
        let world = try await World()
        let id = try await world.meet()
        let typing = try OutgoingMessage(type: "message/typing", body: ["now": true], isEphemeral: true)
        let queue = try await world.queue(of: world.vendor, id)
        let seen = try await world.lastEnvelope { try await $0.send([typing], to: id) }
        try await world.vendor.event(.ephemeralReceived)
        try await world.settle(id)
        await world.customer.stop()
        try await world.customer.node.send([typing], to: id)
        let item = try #require(try await world.customer.store.outbox(of: id, limit: 10).last)
        #expect(item.envelope != seen)
        for state in [RelationshipState.frozen, .ended] {
            try await world.vendor.node.keeper.perform { keeper, draft in
                let relationship = try await keeper.load(id)
                draft.touch(relationship)
                relationship.kept.relationship.state = state
            }
            let last = world.vendor.node.lastEvent
            let numbers = try await world.vendor.store.outboxHeads(of: id).map(\.next)
            try await world.inject(item.envelope, by: queue)
            #expect(world.vendor.node.lastEvent == last)
            #expect(try await world.vendor.store.outboxHeads(of: id).map(\.next) == numbers)
        }
        await world.end()
    }

    // MARK: Strangers and addresses

    @Test func theOwnRelayOfANodeIsNoRelayForStrangers() async throws {
        let relay = try await OwnRelay.listen(
            NodeConfiguration.Listen(port: 0), key: LoopbackRelay.newKey(),
            store: MemoryRelayStore(limits: .ofOneNode))
        let vendor = try await Node.open(
            NodeConfiguration(name: "Vendor"), store: MemoryVaultStore(), ownRelay: relay)
        let running = Task { try await vendor.run() }
        let elsewhere = try await LoopbackRelay()
        let customer = try await Person("Customer", at: elsewhere.address)
        customer.start()
        let (invitation, _) = try await vendor.invite()
        try await until("acceptance", customer) {
            _ = try await customer.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        try await customer.event(.peerIntroduced)

        let client = try await RelayClient.connect(to: relay.address)
        var random = SecureRandom()
        await #expect(throws: RelayError.refused(.refused)) {
            try await client.attach(SigningKey.generate(using: &random))
        }
        await client.shutDown()
        running.cancel()
        _ = await running.result
        await customer.stop()
        await elsewhere.stop()
    }

    @Test(arguments: ["127.0.0.1", "localhost", "127.1", "0177.0.0.1", "2130706433"])
    func aRelayInOurOwnNetworkIsNotConnectedTo(host: String) async throws {
        let world = try await World()
        let (made, _) = try await world.vendor.node.invite()
        let relay = try RelayAddress(host: host, port: world.relay.address.port, key: world.relay.address.key)
        let invitation = try Invitation(
            relay: relay, knockQueue: made.knockQueue, signer: made.signer, eventCount: made.eventCount,
            ticket: made.ticket)
        let node = try await Node.open(
            NodeConfiguration(relay: world.relay.address, allowsPrivateAddresses: false), store: MemoryVaultStore())
        do {
            _ = try await node.accept(invitation.uri, asksDomain: false)
            Issue.record("connected to \(host)")
        } catch {
            #expect(error.description.contains("\(host) leads to 127.0.0.1"), "\(error)")
        }
        await world.end()
    }
}
