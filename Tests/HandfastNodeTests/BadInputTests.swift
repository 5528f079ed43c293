import Handfast
import HandfastCrypto
import HandfastRelay
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// What the user sees when somebody lies, a machine fails or a clock is wrong; and that nothing is lost by it.
@Suite struct BadInputTests {
    // MARK: Hellos

    /// The pitfall of element-ios#7480: a key or ticket for one use that is consumed before what claims it authenticates.
    @Test func aGarbledHelloIsReportedAndChangesNothing() async throws {
        let world = try await World()
        let (invitation, _) = try await world.vendor.node.invite()
        let hello = try await world.hello(for: invitation)
        var garbled = hello
        garbled[hello.count - 1] ^= 1
        try await world.knock(garbled, invitation)
        let refused = try await world.vendor.event(.helloRefused)
        #expect(refused.detail.reason?.contains("authenticate") == true, "\(refused)")
        #expect(try await world.vendor.node.relationships().isEmpty)
        // The ticket is not spent by it.
        world.customer.start()
        try await world.customer.event(.relationshipLive)
        await world.end()
    }

    @Test func aReplayedHelloChangesNothing() async throws {
        let world = try await World()
        let (invitation, _) = try await world.vendor.node.invite()
        let hello = try await world.hello(for: invitation)
        world.customer.start()
        try await world.vendor.event(.relationshipLive)
        let before = try await world.vendor.node.relationships()
        // A relay that gives out the same hello again.
        try await world.inject(hello, by: invitation.knockQueue)
        #expect(try await world.vendor.node.relationships() == before)
        #expect(try await world.vendor.events(.helloRefused).isEmpty)
        await world.end()
    }

    @Test func theSecondUserOfATicketIsRefusedAndReported() async throws {
        let world = try await World()
        let (invitation, _) = try await world.vendor.node.invite(label: "Ann")
        let thief = try await Person("Thief", at: world.relay.address)
        try await until("publication", world.vendor) {
            _ = try await thief.node.accept(invitation.uri)
            return true
        }
        thief.start()
        try await thief.event(.relationshipLive)
        _ = try await world.customer.node.accept(invitation.uri)
        world.customer.start()
        let refused = try await world.vendor.event(.helloRefused)
        #expect(refused.detail.reason?.contains("a second party showed the ticket") == true)
        #expect(refused.detail.reason?.contains("Ann") == true)
        #expect(try await world.vendor.node.relationships().count == 1)
        #expect(try await world.customer.node.relationships().first?.state == "greeted")
        #expect(try await world.vendor.node.doctor().contains { $0.what.contains("second party") })
        await thief.stop()
        await world.end()
    }

    // MARK: Envelopes

    @Test func spoiledEnvelopesAreCountedAndTheQueueGoesOn() async throws {
        let world = try await World()
        let id = try await world.meet()
        let seen = try await world.lastEnvelope { try await $0.send([.text("first")], to: id) }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "first" }
        let queue = try await world.queue(of: world.vendor, id)
        var flipped = seen
        flipped[30] ^= 0x10
        for spoiled in [seen, flipped, Array(seen.prefix(60)), [], [UInt8](repeating: 7, count: 300)] {
            try await world.inject(spoiled, by: queue)
        }
        #expect(try await world.vendor.events(.envelopeRefused).count == 5)
        try await world.customer.node.send([.text("second")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "second" }
        #expect(try await world.vendor.texts() == ["first", "second"])
        #expect(try await world.vendor.node.doctor().contains { $0.what.hasPrefix("5 envelopes could not be used") })
        await world.end()
    }

    @Test func aForkInTheLedgerFreezesTheRelationship() async throws {
        let world = try await World()
        let id = try await world.meet()
        // A peer that signs two different records under one number.
        try await world.customer.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let before = relationship.kept.relationship
            for text in ["one story", "another story"] {
                relationship.kept.relationship = before
                let entry = try relationship.kept.relationship.append(
                    TextMessage(text: text), at: draft.now, with: relationship.identity, using: &keeper.entropy)
                try keeper.seal(.records, try RecordContent.encode([entry]), in: relationship, draft)
            }
        }
        let frozen = try await world.vendor.event(.relationshipFrozen)
        #expect(frozen.detail.reason?.contains("two different records") == true)
        let report = try await world.vendor.node.relationship(id)
        #expect(report.state == "frozen")
        #expect(report.trouble != nil)
        await #expect(throws: NodeError.self) { try await world.vendor.node.send([.text("no")], to: id) }
        #expect(try await world.vendor.texts() == ["one story"])
        await world.end()
    }

    // MARK: Machines

    @Test func messagesWaitWhileTheRelayIsDown() async throws {
        let store = MemoryRelayStore()
        let key = LoopbackRelay.newKey()
        let world = try await World(relay: LoopbackRelay(store: store, key: key))
        try await world.settle(try await world.meet())
        await world.customer.stop()
        await world.relay.stop()
        let commands = CommandExecutor(node: world.customer.node)
        let reply = await commands.execute(
            .send(relationship: "Vendor", messages: [try .text("later")], idempotencyKey: nil, wait: 5))
        guard case .sent(let report) = reply else { throw Failure("\(reply)") }
        #expect(report.waiting == 1)
        #expect(report.notice?.contains("not delivered yet") == true, "\(report)")
        #expect(report.notice?.contains("127.0.0.1") == true, "\(report)")
        #expect(try await world.customer.node.doctor().first?.severity == .error)
        let again = try await LoopbackRelay(store: store, key: key, port: Int(world.relay.address.port))
        world.customer.start()
        try await world.vendor.event(.recordReceived) { $0.detail.text == "later" }
        await world.end()
        await again.stop()
    }

    @Test func aDatabaseCopiedBackIsFoundOutByItsRelayAndGetsBackWhatItForgot() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        // From here on the customer's disk keeps nothing: what is opened later is the state of now.
        var faults = StoreFaults()
        faults.loseFrom = world.customer.store.commitCount + 1
        world.customer.store.inject(faults)
        try await world.customer.node.send([.text("known to the relay")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "known to the relay" }
        try await world.vendor.node.send([.text("and back")], to: id)
        try await world.customer.event(.recordReceived) { $0.detail.text == "and back" }
        try await world.settle(id)
        try await world.customer.restart()
        world.customer.start()
        let asked = try await world.customer.event(.rejoinAsked)
        #expect(asked.detail.reason?.contains("older copy") == true, "\(asked)")
        try await world.customer.event(.recordReturned) { $0.detail.text == "known to the relay" }
        try await world.customer.event(.recordReceived) { $0.detail.text == "and back" }
        try await world.settle(id)
        try await world.customer.node.send([.text("goes on")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "goes on" }
        #expect(try await world.vendor.texts() == ["known to the relay", "goes on"])
        #expect(try await world.customer.texts() == ["and back"])
        #expect(try await world.customer.node.relationship(id).trouble == nil)
        try await world.agree(id)
        await world.end()
    }

    @Test func aDatabaseCopiedBackIsFoundOutByThePeersQueueAndWhatItSignedAgainIsVoid() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        var faults = StoreFaults()
        faults.loseFrom = world.customer.store.commitCount + 1
        world.customer.store.inject(faults)
        // Only sent, nothing received: the own relay cannot know, the peer's does.
        try await world.customer.node.send([.text("one")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "one" }
        try await world.customer.restart()
        try await world.customer.node.send([.text("another one")], to: id)
        world.customer.start()
        let void = try await world.customer.event(.recordVoided)
        #expect(void.detail.text == "another one" && void.detail.type == "message/text")
        try await world.settle(id)
        try await world.customer.node.send([.text("another one")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "another one" }
        #expect(try await world.vendor.texts() == ["one", "another one"])
        #expect(try await world.vendor.events(.envelopeRefused).isEmpty)
        try await world.agree(id)
        await world.end()
    }

    // MARK: Clocks

    @Test(arguments: [-86_400, 3 * 86_400])
    func aClockThatIsOffIsNamedAtAcceptance(seconds: Int) async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        vendor.start()
        let invited = await CommandExecutor(node: vendor.node).execute(.invite(label: nil, wait: 120))
        guard case .invitation(let invitation) = invited else { throw Failure("\(invited)") }
        let customer = try await Person("Customer", at: relay.address, time: .off(by: seconds))
        let reply = await CommandExecutor(node: customer.node).execute(
            .accept(invitation: invitation.uri, label: nil, wait: 5))
        guard case .failed(let failure) = reply else { throw Failure("\(reply)") }
        #expect(failure.kind == .badData)
        #expect(failure.message.contains("clock"), "\(failure)")
        #expect(try await customer.node.relationships().isEmpty)
        await vendor.stop()
        await relay.stop()
    }

    @Test func aClockThatIsADayAheadDoesNotKeepTwoFromTalking() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address, time: .off(by: 86_400))
        vendor.start()
        customer.start()
        let id = try await meet(vendor, customer)
        try await customer.node.send([.text("tomorrow")], to: id)
        try await vendor.event(.recordReceived) { $0.detail.text == "tomorrow" }
        try await vendor.node.send([.text("yesterday")], to: id)
        try await customer.event(.recordReceived) { $0.detail.text == "yesterday" }
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }

    // MARK: Words

    @Test func namesThatFitNobodyOrSeveralAreRefused() async throws {
        let relay = try await LoopbackRelay()
        let person = try await Person("Ann", at: relay.address)
        let commands = CommandExecutor(node: person.node)
        for command in [
            Command.show(relationship: "nobody"), .rotate(relationship: "", wait: 0),
            .exportLedger(relationship: "x"), .keyLog,
            .accept(invitation: "handfast:garbage", label: nil, wait: 1),
            .accept(invitation: "https://example.org", label: nil, wait: 1),
        ] {
            guard case .failed(let failure) = await commands.execute(command) else {
                Issue.record("\(command) was carried out")
                continue
            }
            #expect(!failure.message.isEmpty)
        }
        await relay.stop()
    }
}

extension TimeSource {
    /// This machine's clock, wrong by some seconds.
    static func off(by seconds: Int) -> TimeSource {
        TimeSource(now: {
            let now = TimeSource.system.now()
            return seconds < 0
                ? now.subtracting(seconds: UInt64(-seconds)) : now.adding(seconds: UInt64(seconds))
        })
    }
}
