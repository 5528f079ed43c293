import Handfast
import HandfastCrypto
import HandfastEncoding
import HandfastLink
import HandfastRelay
import HandfastTestSupport
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// Moving to another relay: nothing is lost and nothing comes twice, whoever stops when.
@Suite(.serialized) struct MoveTests {
    /// A vendor at a relay of its own, a customer at another, and a third relay to move to.
    private final class Scene: Sendable {
        let vendorRelay: LoopbackRelay
        let oldRelay: LoopbackRelay
        let newRelay: LoopbackRelay
        let vendor: Person
        let customer: Person
        let id: RelationshipID

        init(oldStore: any RelayStore = MemoryRelayStore(), oldKey: LinkKey = LoopbackRelay.newKey()) async throws {
            vendorRelay = try await LoopbackRelay()
            oldRelay = try await LoopbackRelay(store: oldStore, key: oldKey)
            newRelay = try await LoopbackRelay()
            vendor = try await Person("Vendor", at: vendorRelay.address)
            customer = try await Person("Customer", at: oldRelay.address)
            vendor.start()
            customer.start()
            id = try await HandfastNodeTests.meet(vendor, customer)
            try await customer.event(.peerIntroduced)
            try await vendor.event(.peerIntroduced)
        }

        func say(_ person: Person, _ words: ClosedRange<Int>) async throws {
            for word in words {
                try await until("leave to send", vendor, customer) {
                    try await person.node.send(
                        [.text("\(word)")], to: self.id, idempotencyKey: "\(person.name) \(word)")
                    return true
                }
            }
        }

        /// Everything arrived, once and in order, and both hold the same records.
        func check(_ count: Int) async throws {
            let all = (1...count).map { "\($0)" }
            for person in [vendor, customer] {
                try await until("all texts at \(person.name)", vendor, customer) {
                    try await person.texts().count >= count
                }
                #expect(try await person.texts() == all)
            }
            try await until("agreement", vendor, customer) {
                let (one, other) = (
                    try await self.vendor.node.relationship(self.id), try await self.customer.node.relationship(self.id)
                )
                return one.ownRecords == other.peerRecords && other.ownRecords == one.peerRecords
            }
            _ = try await vendor.node.exportLedger(id).verify()
        }

        func end() async {
            await vendor.stop()
            await customer.stop()
            for relay in [vendorRelay, oldRelay, newRelay] { await relay.stop() }
        }
    }

    @Test func messagesGoOnWhileARelationshipMoves() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        async let fromVendor: Void = scene.say(vendor, 1...60)
        async let fromCustomer: Void = scene.say(customer, 1...60)
        let report = try await customer.node.move(id, to: [scene.newRelay.address])
        #expect(report.began == 1)
        try await vendor.event(.peerMoved)
        try await customer.event(.moveDone)
        try await fromVendor
        try await fromCustomer
        try await scene.check(60)
        let shown = try await customer.node.relationship(id)
        #expect(shown.moving == nil && shown.receivesAt == [scene.newRelay.address.place])
        #expect(try await vendor.node.relationship(id).sendsTo == [scene.newRelay.address.place])
        // Nothing needs the old relay any more.
        await scene.oldRelay.stop()
        try await scene.say(vendor, 61...65)
        try await scene.say(customer, 61...65)
        try await scene.check(65)
        #expect(try await customer.node.move(id, to: [scene.newRelay.address]).already == 1)
        #expect(try await vendor.events(.rejoinAsked).isEmpty)
        #expect(try await customer.events(.rejoinAsked).isEmpty)
        #expect(try await customer.events(.envelopeRefused).isEmpty)
        await scene.end()
    }

    /// Whoever else had the capability can put nothing more: the peer alone is told of the new one.
    @Test func anOldCapabilityOpensNothingOnceQueuesAreRenewed() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        func address() async throws -> Address {
            try #require(try await vendor.node.keeper.kept(id)?.relationship.peerAddresses.first)
        }
        let old = try await address()
        let client = try await RelayClient.connect(to: scene.oldRelay.address)
        func status(_ address: Address) async throws -> PutResult.Status? {
            let item = PutItem(queue: address.queue, capability: address.capability, first: 0, envelopes: [])
            return try await client.put([item]).first?.status
        }
        #expect(try await status(old) == .ok)
        try await scene.say(vendor, 1...3)
        let report = try await customer.node.renewQueues(of: id)
        #expect(report.began == 1 && report.relays == [scene.oldRelay.address.description])
        try await scene.say(customer, 1...6)
        try await scene.say(vendor, 4...6)
        try await customer.event(.moveDone)
        let new = try await address()
        #expect(new.relay == old.relay && new.queue != old.queue && new.capability != old.capability)
        #expect(try await status(new) == .ok)
        #expect(try await status(old) == .closed)
        let forged = PutItem(queue: old.queue, capability: old.capability, first: 0, envelopes: [[1, 2, 3]])
        #expect(try await client.put([forged]).first?.status == .closed)
        // The old leave does not open the new queue.
        let crossed = PutItem(queue: new.queue, capability: old.capability, first: 0, envelopes: [])
        #expect(try await client.put([crossed]).first?.status == .refused)
        try await scene.check(6)
        #expect(try await customer.events(.rejoinAsked).isEmpty)
        await client.shutDown()
        await scene.end()
    }

    @Test func bothSidesMoveAtOnce() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        async let one = vendor.node.move(id, to: [scene.newRelay.address])
        async let other = customer.node.move(id, to: [scene.newRelay.address])
        #expect(try await one.began + other.began == 2)
        try await scene.say(vendor, 1...20)
        try await scene.say(customer, 1...20)
        try await vendor.event(.moveDone)
        try await customer.event(.moveDone)
        try await scene.check(20)
        await scene.end()
    }

    /// The node ends at each step of the move and after each, and goes on with what it has stored.
    @Test(arguments: [NodeEvent.Kind.moveBegan, .moveTold, .moveDone])
    func aNodeThatIsKilledGoesOn(after step: NodeEvent.Kind) async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        try await scene.say(vendor, 1...5)
        if step == .moveBegan { await customer.stop() }
        _ = try await customer.node.move(id, to: [scene.newRelay.address])
        try await customer.event(step)
        try await customer.restart()
        try await vendor.restart()
        vendor.start()
        customer.start()
        try await scene.say(customer, 1...10)
        try await scene.say(vendor, 6...10)
        try await customer.event(.moveDone)
        try await scene.check(10)
        await scene.end()
    }

    @Test func aRelayThatIsGoneIsLeftWithoutLoss() async throws {
        let store = MemoryRelayStore()
        let scene = try await Scene(oldStore: store)
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        try await scene.say(vendor, 1...3)
        try await until("three", customer) { try await customer.texts().count == 3 }
        // The old relay takes some that the customer never gets, and is gone.
        await customer.stop()
        try await scene.say(vendor, 4...6)
        try await until("rest", vendor) { try await vendor.node.waiting(in: id) == 0 }
        await scene.oldRelay.stop()
        try await scene.say(vendor, 7...9)
        customer.start()
        _ = try await customer.node.move(id, to: [scene.newRelay.address])
        try await vendor.event(.peerMoved)
        #expect(try await customer.node.doctor().contains { $0.what.contains("moving") })
        #expect(try await customer.node.giveUpOldRelays(of: id) == 1)
        try await customer.event(.moveDone)
        try await scene.say(customer, 1...9)
        try await scene.check(9)
        await scene.end()
    }

    @Test func aMoveWhileARejoinWaitsIsToldByAnother() async throws {
        let scene = try await Scene()
        let (id, vendor, customer) = (scene.id, scene.vendor, scene.customer)
        await vendor.stop()
        try await customer.node.rejoin(id)
        _ = try await customer.node.move(id, to: [scene.newRelay.address])
        try await until("a second rejoin", customer) { try await customer.events(.rejoinAsked).count == 2 }
        #expect(try await customer.node.relationship(id).moving?.contains("channel") == true)
        #expect(try await customer.events(.moveTold).isEmpty)
        vendor.start()
        try await customer.event(.rejoinDone)
        try await customer.event(.moveDone)
        try await scene.say(vendor, 1...3)
        try await scene.say(customer, 1...3)
        try await scene.check(3)
        await scene.end()
    }

    @Test func aVendorMovesWithAllItsCustomersAndItsInvitationsAreVoid() async throws {
        let relays = (try await LoopbackRelay(), try await LoopbackRelay())
        let vendor = try await Person("Vendor", at: relays.0.address)
        _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
        vendor.start()
        var ids: [RelationshipID] = []
        var customers: [Person] = []
        for name in ["Ann", "Bob", "Cleo"] {
            let customer = try await Person(name, at: relays.0.address)
            customer.start()
            let (invitation, _) = try await vendor.node.invite(label: name)
            try await until("publication", vendor) {
                _ = try await customer.node.accept(invitation.uri, asksDomain: false)
                return true
            }
            try await customer.event(.relationshipLive)
            ids.append(try RelationshipID(text: try #require(try await customer.node.relationships().first).id))
            customers.append(customer)
        }
        let (open, _) = try await vendor.node.invite(label: "Dora")
        let report = try await vendor.node.move(nil, to: [relays.1.address])
        #expect(report.began == 3 && report.voidInvitations == ["Dora"])
        try await until("three that are done", vendor) { try await vendor.events(.moveDone).count == 3 }
        #expect(try await vendor.node.progress(of: report, nil).unfinished == 0)
        for (customer, id) in zip(customers, ids) {
            try await customer.node.send([.text(customer.name)], to: id)
            try await vendor.event(.recordReceived) { $0.detail.text == customer.name }
        }
        await #expect(throws: NodeError.self) {
            _ = try await customers[0].node.accept(open.uri, asksDomain: false)
        }
        // New ones begin at the new relay, after a restart of the process only if the configuration says so.
        let (next, _) = try await vendor.node.invite(label: "Emil")
        #expect(next.relay == relays.1.address)
        for person in customers + [vendor] { await person.stop() }
        await relays.0.stop()
        await relays.1.stop()
    }

    /// What is stored of places reads back as it was, whatever it is.
    @Test func placesReadBackAsTheyWere() throws {
        for seed in UInt64(0)..<200 {
            var random = SeededEntropy(seed: seed)
            func key() -> VerificationKey { SigningKey.generate(using: &random).publicKey }
            func place() -> OwnPlaces.Place { .init(service: key(), queue: .random(using: &random)) }
            func target() throws -> OwnPlaces.Target {
                let relay = try RelayAddress(
                    host: "r\(seed).example", port: 7447, key: AgreementPrivateKey.generate(using: &random).publicKey)
                return .init(
                    service: key(),
                    address: Address(
                        relay: relay, queue: .random(using: &random), capability: .random(using: &random)))
            }
            var places = OwnPlaces()
            places.others = (0..<Int.random(in: 0...3, using: &random)).map { _ in place() }
            places.targets = try (0..<Int.random(in: 0...4, using: &random)).map { _ in try target() }
            places.leaving = (0..<Int.random(in: 0...16, using: &random)).map { number in
                .init(
                    place: place(), sequence: UInt64(number + 1),
                    leftSince: Bool.random(using: &random) ? Timestamp(seconds: 5) : nil)
            }
            places.told = try (0..<Int.random(in: 0...4, using: &random)).map { _ in try target() }
            places.mustTellAgain = Bool.random(using: &random)
            var writer = CBORWriter()
            places.write(to: &writer)
            let bytes = writer.bytes
            var reader = CBORReader(bytes.bytes)
            #expect(try OwnPlaces(reading: &reader) == places, "seed \(seed)")
        }
    }
}
