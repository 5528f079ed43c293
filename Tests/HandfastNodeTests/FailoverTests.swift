import Handfast
import HandfastCrypto
import HandfastLink
import HandfastRelay
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// Several addresses of one side: what cannot leave by the first leaves by another, once and in order.
@Suite(.serialized) struct FailoverTests {
    private final class Scene: Sendable {
        let vendorRelay: LoopbackRelay
        let first: LoopbackRelay
        let second: LoopbackRelay
        let store: MemoryRelayStore
        let key: LinkKey
        let vendor: Person
        let customer: Person
        let id: RelationshipID

        /// - Parameter redirectedBytes: How much of what waits the vendor takes over to another address.
        init(redirectedBytes: Int? = nil) async throws {
            vendorRelay = try await LoopbackRelay()
            store = MemoryRelayStore()
            key = LoopbackRelay.newKey()
            first = try await LoopbackRelay(store: store, key: key)
            second = try await LoopbackRelay()
            vendor = try await Person("Vendor", at: vendorRelay.address, redirectedBytes: redirectedBytes)
            customer = try await Person("Customer", at: first.address, alternatives: [second.address])
            vendor.start()
            customer.start()
            id = try await HandfastNodeTests.meet(vendor, customer)
            try await customer.event(.peerIntroduced)
            try await vendor.event(.peerIntroduced)
        }

        /// The first relay again, with what it has on its disk.
        func firstAgain() async throws -> LoopbackRelay {
            try await LoopbackRelay(store: store.reopened(), key: key, port: Int(first.address.port))
        }

        func say(_ words: ClosedRange<Int>) async throws {
            for word in words { try await vendor.node.send([.text("\(word)")], to: id) }
        }

        func arrived(_ count: Int) async throws {
            try await until("\(count) texts", vendor, customer) { try await customer.texts().count >= count }
            #expect(try await customer.texts() == (1...count).map { "\($0)" })
        }

        func end() async {
            await vendor.stop()
            await customer.stop()
            for relay in [vendorRelay, first, second] { await relay.stop() }
        }
    }

    /// The queues of relationships that a node's services look at each time.
    private static func tended(by person: Person) async throws -> [QueueID] {
        var tended: [QueueID] = []
        for service in try await person.store.services(after: 0, limit: 10) {
            let queues = try await person.store.queues(tendedBy: service.key, after: 0, limit: 100)
            tended += queues.filter { $0.relationship != nil }.map(\.id)
        }
        return tended
    }

    /// What a relay says of a queue to whoever may put there.
    private static func status(of address: Address, at relay: LoopbackRelay) async throws -> PutResult.Status? {
        let client = try await RelayClient.connect(to: relay.address)
        let item = PutItem(queue: address.queue, capability: address.capability, first: 0, envelopes: [])
        let status = try await client.put([item]).first?.status
        await client.shutDown()
        return status
    }

    /// A vendor has a million of them: each is looked at until its own relay has opened it, and no longer.
    @Test func aVendorLooksAtAQueueUntilItsRelayHasOpenedIt() async throws {
        let (first, second, third) = (try await LoopbackRelay(), try await LoopbackRelay(), try await LoopbackRelay())
        let key = LoopbackRelay.newKey()
        let absent = try await LoopbackRelay(key: key)
        let vendor = try await Person("Vendor", at: first.address, alternatives: [second.address])
        let customer = try await Person("Customer", at: first.address)
        _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
        vendor.start()
        customer.start()
        let id = try await HandfastNodeTests.meet(vendor, customer)
        try await until("both addresses", customer) {
            try await customer.node.keeper.kept(id)?.relationship.peerAddresses.count == 2
        }
        try await until("nothing to look at", vendor) { try await Self.tended(by: vendor).isEmpty }
        let addresses = try await customer.node.keeper.kept(id)?.relationship.peerAddresses ?? []
        #expect(try await Self.status(of: addresses[0], at: first) == .ok)
        #expect(try await Self.status(of: addresses[1], at: second) == .ok)

        await absent.stop()
        _ = try await vendor.node.move(id, to: [third.address, absent.address])
        try await vendor.event(.moveDone)
        let told = try #require(try await vendor.node.keeper.kept(id)).places.told.map(\.address)
        #expect(try await Self.tended(by: vendor) == [told[1].queue])
        let present = try await LoopbackRelay(key: key, port: Int(absent.address.port))
        try await until("nothing to look at", vendor) { try await Self.tended(by: vendor).isEmpty }
        #expect(try await Self.status(of: told[1], at: present) == .ok)
        await vendor.stop()
        await customer.stop()
        for relay in [first, second, third, present] { await relay.stop() }
    }

    @Test func aSenderUsesTheSecondRelayAndReturnsToTheFirst() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        #expect(
            try await vendor.node.relationship(id).sendsTo == [scene.first.address.place, scene.second.address.place])
        #expect(
            try await customer.node.relationship(id).receivesAt == [
                scene.first.address.place, scene.second.address.place,
            ])
        try await scene.say(1...10)
        try await scene.arrived(10)
        await scene.first.stop()
        try await scene.say(11...40)
        try await vendor.event(.deliveryFailedOver)
        try await scene.arrived(40)
        #expect(try await vendor.node.relationship(id).sendingTo == 1)
        #expect(try await vendor.node.doctor().contains { $0.what.contains("could not be reached") })
        // What is in use is known after a restart, too.
        try await vendor.restart()
        vendor.start()
        try await scene.say(41...45)
        try await scene.arrived(45)
        let again = try await scene.firstAgain()
        try await vendor.event(.deliveryReturned)
        try await scene.say(46...60)
        try await scene.arrived(60)
        #expect(try await vendor.node.relationship(id).sendingTo == 0)
        #expect(try await vendor.events(.rejoinAsked).isEmpty)
        #expect(try await customer.events(.rejoinAsked).isEmpty)
        #expect(try await customer.events(.envelopeRefused).isEmpty)
        await again.stop()
        await scene.end()
    }

    /// The first relay holds what it took while the recipient was away; what came after it lies at the second.
    @Test func whatComesByTheSecondRelayWaitsForWhatIsAtTheFirst() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        await customer.stop()
        try await scene.say(1...5)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        await scene.first.stop()
        try await scene.say(6...10)
        try await vendor.event(.deliveryFailedOver)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        // Held: nothing of it is accepted before what is missing, and nothing is lost when the node ends meanwhile.
        customer.start()
        try await until("envelopes that wait", customer) {
            try await customer.node.keeper.kept(id)?.aheadSince != nil
        }
        try await customer.restart()
        #expect(try await customer.texts().isEmpty)
        let again = try await scene.firstAgain()
        customer.start()
        try await scene.arrived(10)
        #expect(try await customer.events(.rejoinAsked).isEmpty)
        #expect(try await customer.events(.recordsMissing).isEmpty)
        await again.stop()
        await scene.end()
    }

    /// A relay that never comes back takes with it what it had confirmed: after a while it is asked for anew.
    @Test func whatIsMissingForLongIsAskedForAnew() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        await customer.stop()
        try await scene.say(1...5)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        await scene.first.stop()
        try await scene.say(6...10)
        try await vendor.event(.deliveryFailedOver)
        customer.start()
        try await until("envelopes that wait", customer) {
            try await customer.node.keeper.kept(id)?.aheadSince != nil
        }
        try await customer.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            draft.touch(relationship)
            relationship.kept.aheadSince = Timestamp(seconds: 1)
        }
        try await customer.node.keeper.rejoinWhatIsDue()
        try await customer.event(.rejoinDone)
        try await scene.arrived(10)
        await scene.end()
    }

    /// More than a store gives in one read, and more than the relay's queue holds at once.
    @Test func tenThousandAndOneEnvelopesThatWaitAllLeaveByTheSecondRelay() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        await vendor.stop()
        await scene.first.stop()
        let count = 10_001
        var messages = try (0..<count).map { try OutgoingMessage.text("\($0)") }
        // Each has an envelope of its own; records would share them.
        for index in messages.indices { messages[index].isEphemeral = true }
        for start in stride(from: 0, to: count, by: 1_000) {
            try await vendor.node.send(Array(messages[start..<min(start + 1_000, count)]), to: id)
        }
        #expect(try await vendor.node.waiting(in: id) >= count)
        let start = customer.node.lastEvent
        vendor.start()
        try await vendor.event(.deliveryFailedOver)
        try await until("an empty outbox", vendor, customer) { try await vendor.node.waiting(in: id) == 0 }
        var (bodies, position) = ([[UInt8]?](), start)
        while bodies.count < count {
            let read = position
            try await until("more of them", vendor, customer) { customer.node.lastEvent > read }
            let page = try await customer.node.events(after: position, limit: 10_000)
            bodies += page.filter { $0.kind == .ephemeralReceived }.map(\.detail.body)
            position = page.last?.position ?? position
        }
        // Ten thousand of them in a message would help nobody.
        let isSame = bodies == messages.map(\.body)
        #expect(isSame)
        #expect(try await vendor.events(.rejoinAsked).isEmpty)
        await scene.end()
    }

    /// What waits is more than is taken over at once: a new epoch sends it again, as records, by the second relay.
    @Test func moreThanIsTakenOverAtOnceIsSentAgainInANewEpoch() async throws {
        let scene = try await Scene(redirectedBytes: 10_000)
        let (id, vendor) = (scene.id, scene.vendor)
        try await scene.say(1...5)
        try await scene.arrived(5)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        await vendor.stop()
        await scene.first.stop()
        // An envelope has 334 bytes at least.
        try await scene.say(6...36)
        #expect(try await vendor.node.waiting(in: id) == 31)
        vendor.start()
        try await vendor.event(.deliveryFailedOver)
        let asked = try await vendor.event(.rejoinAsked)
        #expect(asked.detail.reason == RejoinCause.queueWentBack.description)
        try await vendor.event(.rejoinDone)
        try await scene.arrived(36)
        try await scene.say(37...40)
        try await scene.arrived(40)
        #expect(try await vendor.events(.recordVoided).isEmpty)
        #expect(try await vendor.node.relationship(id).sendingTo == 1)
        await scene.end()
    }

    /// As much as is taken over at once begins no epoch.
    @Test func whatIsTakenOverAtOnceBeginsNoEpoch() async throws {
        let scene = try await Scene(redirectedBytes: 20_000)
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        await vendor.stop()
        await scene.first.stop()
        try await scene.say(1...31)
        vendor.start()
        try await vendor.event(.deliveryFailedOver)
        try await scene.arrived(31)
        #expect(try await vendor.events(.rejoinAsked).isEmpty)
        #expect(try await customer.events(.rejoinAnswered).isEmpty)
        await scene.end()
    }

    @Test func anInvitationIsAnsweredAtTheRelayThatItNames() async throws {
        let scene = try await Scene()
        let second = scene.second.address
        #expect(throws: NodeError.self) { try scene.customer.node.ownRelay(named: scene.vendorRelay.address.place) }
        #expect(try scene.customer.node.ownRelay(named: second.place) == second)
        await scene.first.stop()
        let (invitation, _) = try await scene.customer.node.invite(label: "Vendor", at: second)
        #expect(invitation.relay == second)
        try await until("publication", scene.customer) {
            _ = try await scene.vendor.node.accept(invitation.uri, label: "again", asksDomain: false)
            return true
        }
        try await until("a live relationship", scene.vendor, scene.customer) {
            let id = try await scene.vendor.node.find("again")
            let report = try await scene.vendor.node.relationship(id)
            return report.state == "live" && report.sendsTo == [second.place, scene.first.address.place]
        }
        await scene.end()
    }
}
