import Handfast
import HandfastNode
import Testing

@Suite struct MeetingTests {
    @Test func twoNodesMeetAndTalkBothWays() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()

        let executor = CommandExecutor(node: vendor.node)
        guard case .invitation(let invitation) = await executor.execute(.invite(label: "Ann", wait: 5)) else {
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

        try await customer.node.rotate(id)
        try await vendor.event(.peerRotated)
        try await vendor.node.end(id, reason: "done")
        try await customer.event(.relationshipEnded)
        try await vendor.event(.relationshipEnded)
        let mine = try await vendor.node.exportLedger(id)
        let theirs = try await customer.node.exportLedger(id)
        let agreement = try LedgerExport.agree(mine, theirs)
        #expect(agreement.isComplete)
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }
}
