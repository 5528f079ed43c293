import Handfast
import HandfastNode
import Testing

@Suite struct RevocationTests {
    @Test func listsWhatBothSidesTookBack() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let executor = CommandExecutor(node: vendor.node)
        guard case .invitation(let invitation) = await executor.execute(.invite(label: "Ann", wait: 120)) else {
            throw Failure("no invitation")
        }
        let id = try await customer.node.accept(invitation.uri)
        try await customer.event(.relationshipLive)
        try await vendor.event(.relationshipLive)
        #expect(try await customer.node.revocations(of: id).isEmpty)
        let spent = try await vendor.node.revocations()
        #expect(spent.map(\.subject) == ["invitation"] && spent.map(\.kind) == ["spent"])
        #expect(spent.first?.label == "Ann" && spent.first?.relationship == id.description)

        try await customer.node.rotate(id)
        try await vendor.event(.peerRotated)
        let identity = try await customer.node.relationship(id).ownIdentity
        for (person, party) in [(vendor, "peer"), (customer, "own")] {
            let key = try #require(try await person.node.revocations(of: id).first { $0.subject == "key" })
            #expect(key.id == identity && key.number == 0 && key.kind == "replaced" && key.party == party)
            #expect(key.time != nil)
        }

        try await vendor.node.end(id, reason: "done")
        try await customer.event(.relationshipEnded)
        try await vendor.event(.relationshipEnded)
        guard case .revocations(let all) = await executor.execute(.revocations(relationship: id.description)) else {
            throw Failure("no revocations")
        }
        let ended = all.filter { $0.subject == "relationship" }
        #expect(Set(ended.map(\.party)) == ["own", "peer"] && ended.allSatisfy { $0.kind == "ended" })
        #expect(ended.first { $0.party == "own" }?.reason == "done")
        #expect(all.contains { $0.subject == "queue" && $0.kind == "closed" && $0.party == "own" })
        #expect(zip(all, all.dropFirst()).allSatisfy { ($0.time ?? 0) >= ($1.time ?? 0) })
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }
}
