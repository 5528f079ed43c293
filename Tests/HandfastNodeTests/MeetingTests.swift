import Handfast
import HandfastNode
import HandfastStore
import Synchronization
import Testing

@Suite struct MeetingTests {
    private final class Clock: Sendable {
        let isADayLater = Atomic(false)
    }

    @Test func twoNodesMeetAndTalkBothWays() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()

        let executor = CommandExecutor(node: vendor.node)
        guard case .invitation(let invitation) = await executor.execute(.invite(label: "Ann", wait: 120)) else {
            throw Failure("no invitation")
        }
        #expect(invitation.isPublished)
        let id = try await customer.node.accept(invitation.uri)
        try await customer.event(.relationshipLive)
        try await vendor.event(.relationshipLive)
        #expect(try await vendor.node.relationship(id).label == "Ann")
        #expect(try await vendor.node.relationship(id).words == customer.node.relationship(id).words)

        try await customer.node.send([.text("Hello"), .text("Are you there?")], to: id)
        try await vendor.event(.recordReceived) { $0.detail.text == "Are you there?" }
        try await vendor.node.send([.text("Yes")], to: id)
        try await customer.event(.recordReceived) { $0.detail.text == "Yes" }
        #expect(try await vendor.texts() == ["Hello", "Are you there?"])
        #expect(try await customer.node.relationship(id).name == "Vendor")
        #expect(try await vendor.node.relationship(id).name == "Customer")

        try await customer.node.rotate(id)
        try await vendor.event(.peerRotated)
        try await customer.node.send([.text("with new keys")], to: id)
        try await vendor.event(.recordReceived) { $0.detail.text == "with new keys" }
        try await vendor.node.end(id, reason: "done")
        try await customer.event(.relationshipEnded) { $0.detail.text == "done" }
        try await vendor.event(.relationshipEnded)
        let agreement = try LedgerExport.agree(
            try await vendor.node.exportLedger(id), try await customer.node.exportLedger(id))
        #expect(agreement.isComplete)
        await #expect(throws: NodeError.self) { try await customer.node.send([.text("late")], to: id) }
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }

    @Test func theInviterMayBeOffline() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        let vendorCommands = CommandExecutor(node: vendor.node)
        let customerCommands = CommandExecutor(node: customer.node)
        // No node runs: each command does its own work on the network.
        guard case .invitation(let invitation) = await vendorCommands.execute(.invite(label: nil, wait: 120)) else {
            throw Failure("no invitation")
        }
        #expect(invitation.isPublished)
        #expect(invitation.notice == nil)
        let accepted = await customerCommands.execute(.accept(invitation: invitation.uri, label: "Shop", wait: 120))
        guard case .relationship(let report) = accepted else { throw Failure("\(accepted)") }
        #expect(report.state == "greeted")
        #expect(report.notice?.contains("has not been online") == true, "\(report.notice ?? "")")

        let read = await vendorCommands.execute(.events(after: 0, limit: 10))
        #expect(read == .events([]))
        vendor.start()
        try await vendor.event(.relationshipWelcomed)
        try await until("the welcome's delivery", vendor) { try await vendor.node.status().waiting == 0 }
        await vendor.stop()
        let sent = await customerCommands.execute(
            .send(relationship: "Shop", messages: [try .text("Hi")], idempotencyKey: nil, wait: 0))
        guard case .failed(let failure) = sent else { throw Failure("\(sent)") }
        #expect(failure.kind == .failed)
        // Reading fetches first: the welcome is there.
        _ = await customerCommands.execute(
            .read(relationship: "Shop", sender: nil, after: 0, limit: 10, wait: 120))
        try await customer.event(.relationshipLive)
        let again = await customerCommands.execute(
            .send(relationship: "Shop", messages: [try .text("Hi")], idempotencyKey: nil, wait: 120))
        guard case .sent(let sending) = again else { throw Failure("\(again)") }
        #expect(sending.waiting == 0, "\(sending)")
        vendor.start()
        try await vendor.event(.recordReceived) { $0.detail.text == "Hi" }
        await vendor.stop()
        await relay.stop()
    }

    /// The relay has the bundles of earlier invitations, and learns of the ticket after the invitee has knocked.
    @Test func whoKnocksBeforeTheRelayKnowsTheTicketIsLetIn() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
        vendor.start()
        let first = try await Person("First", at: relay.address)
        first.start()
        _ = try await meet(vendor, first)
        await vendor.stop()
        let (invitation, _) = try await vendor.node.invite()
        let early = try await Person("Early", at: relay.address)
        early.start()
        let id = try await early.node.accept(invitation.uri, asksDomain: false)
        let told = try await early.event(.deliveryRefused)
        #expect(told.detail.reason?.contains("has not told it yet") == true)
        #expect(try await early.node.relationship(id).trouble == nil)
        vendor.start()
        try await early.event(.relationshipLive)
        #expect(try await early.events(.deliveryRefused).count == 1)
        for person in [vendor, first, early] { await person.stop() }
        await relay.stop()
    }

    @Test func anInvitationThatNobodyKnowsIsGivenUpAfterADay() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
        vendor.start()
        let first = try await Person("First", at: relay.address)
        first.start()
        _ = try await meet(vendor, first)
        await vendor.stop()
        let (invitation, _) = try await vendor.node.invite()
        let clock = Clock()
        let late = try await Person(
            "Late", at: relay.address,
            time: TimeSource(now: {
                TimeSource.system.now().adding(seconds: clock.isADayLater.load(ordering: .relaxed) ? 86_400 : 0)
            }))
        late.start()
        let id = try await late.node.accept(invitation.uri, asksDomain: false)
        try await late.event(.deliveryRefused)
        clock.isADayLater.store(true, ordering: .relaxed)
        try await until("an end", late) {
            try await late.node.relationship(id).trouble?.contains("ask the inviter for a new one") == true
        }
        for person in [first, late] { await person.stop() }
        await relay.stop()
    }

    @Test func aPublicIdentityHasOneServiceForAll() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let log = try await vendor.node.makePublicIdentity(domain: "shop.example")
        vendor.start()
        var ids: Set<RelationshipID> = []
        var customers: [Person] = []
        for number in 0..<3 {
            let customer = try await Person("Customer \(number)", at: relay.address)
            customer.start()
            let (invitation, _) = try await vendor.node.invite(label: "customer \(number)")
            #expect(invitation.signer == log.id)
            let before = vendor.node.lastEvent
            try await until("acceptance", vendor, customer) {
                _ = try await customer.node.accept(invitation.uri, asksDomain: false)
                return true
            }
            let live = try await vendor.event(.relationshipLive, after: before)
            let id = try RelationshipID(text: live.relationship ?? "")
            try await vendor.node.send([.text("Welcome, number \(number)")], to: id)
            try await customer.event(.recordReceived) { $0.detail.text == "Welcome, number \(number)" }
            #expect(try await customer.node.relationship(id).domain == "shop.example")
            ids.insert(id)
            customers.append(customer)
        }
        #expect(ids.count == 3)
        #expect(try await vendor.store.services(after: 0, limit: 10).count == 1)
        for customer in customers { await customer.stop() }
        await vendor.stop()
        await relay.stop()
    }

    @Test func aRepeatedIdempotencyKeySendsNothing() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let id = try await meet(vendor, customer)
        let first = try await vendor.node.send([.text("once")], to: id, idempotencyKey: "order 7")
        let second = try await vendor.node.send([.text("once")], to: id, idempotencyKey: "order 7")
        #expect(!first.isRepeat)
        #expect(second.isRepeat)
        #expect(first.sequences == second.sequences)
        // Together in one commit, too.
        async let third = vendor.node.send([.text("twice?")], to: id, idempotencyKey: "order 8")
        async let fourth = vendor.node.send([.text("twice?")], to: id, idempotencyKey: "order 8")
        let both = try await [third, fourth]
        #expect(both[0].sequences == both[1].sequences)
        try await vendor.node.send([.text("end")], to: id)
        try await customer.event(.recordReceived) { $0.detail.text == "end" }
        #expect(try await customer.texts() == ["once", "twice?", "end"])
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }

    @Test func ephemeralMessagesArriveAndAreNotKept() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let id = try await meet(vendor, customer)
        let before = try await vendor.node.relationship(id).ownRecords
        let typing = try OutgoingMessage(type: "message/typing", body: ["now": true], isEphemeral: true)
        try await vendor.node.send([typing], to: id)
        let event = try await customer.event(.ephemeralReceived)
        #expect(event.detail.type == "message/typing")
        #expect(try await vendor.node.relationship(id).ownRecords == before)
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }
}
