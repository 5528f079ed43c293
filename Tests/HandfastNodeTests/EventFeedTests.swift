import Handfast
import HandfastNode
import HandfastStore
import Testing

/// The feed points to the ledger for what a record says.
@Suite struct EventFeedTests {
    @Test func tellsWhatRecordsSayPageByPageUntilTheyAreForgotten() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let id = try await meet(vendor, customer)
        let said = (1...7).map { "message \($0)" }
        // In one envelope, and in one each.
        try await customer.node.send(said.prefix(4).map { try .text($0) }, to: id)
        for text in said.dropFirst(4) { try await customer.node.send([.text(text)], to: id) }
        try await vendor.event(.recordReceived) { $0.detail.text == said.last }
        #expect(try await vendor.texts() == said)

        for limit in 1...3 {
            var (paged, position): ([NodeEvent], Int64) = ([], 0)
            while true {
                let page = try await vendor.node.events(after: position, limit: limit)
                guard let last = page.last else { break }
                #expect(page.count <= limit)
                paged += page
                position = last.position
            }
            #expect(paged == (try await vendor.node.events(after: 0, limit: 1_000)))
        }
        await vendor.stop()
        await customer.stop()
        await relay.stop()

        // The process ends; what it had stored reads the same.
        try await vendor.restart()
        #expect(try await vendor.texts() == said)
        let before = try await vendor.events(.recordReceived)
        var forgetting = VaultChange()
        forgetting.forgotten = [id]
        _ = try await vendor.store.commit([forgetting])
        let after = try await vendor.events(.recordReceived)
        #expect(after.map(\.position) == before.map(\.position))
        #expect(after.map(\.detail.sequence) == before.map(\.detail.sequence))
        #expect(after.map(\.detail.type) == before.map(\.detail.type))
        #expect(after.allSatisfy { $0.detail.text == nil })
    }
}
