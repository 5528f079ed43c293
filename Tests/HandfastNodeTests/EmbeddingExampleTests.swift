import Handfast
import HandfastNode
import HandfastStore
import Testing

/// What a vendor's engineer would copy: a node in a process of one's own, with one's own database beside it.
@Suite struct EmbeddingExampleTests {
    /// A table of the vendor's, with the position of the last event whose effect is in it.
    actor OrderBook {
        private(set) var lines: [String] = []
        private(set) var position: Int64 = 0

        /// One transaction: the effect and the position together, so that a restart repeats nothing.
        func store(_ line: String?, at position: Int64) {
            if let line { lines.append(line) }
            self.position = position
        }
    }

    @Test func theExampleRuns() async throws {
        let relay = try await LoopbackRelay()
        let vault = MemoryVaultStore()  // SQLiteVaultStore.open(VaultFolder(path: "…"), unlocking: …) outside of tests
        let orders = OrderBook()

        // 1. Open the node and let it run.
        let node = try await Node.open(NodeConfiguration(relay: relay.address, name: "Shop"), store: vault)
        let running = Task { try await node.run() }

        // 2. Read the feed from where the own database stands.
        let reading = Task {
            for try await event in node.events(following: await orders.position) {
                let line = event.kind == .recordReceived ? event.detail.text : nil
                await orders.store(line, at: event.position)
                if let line, let id = event.relationship {
                    // 3. Answer; the key makes a repeat after a crash harmless.
                    let answer = try OutgoingMessage.text("We have your order: \(line)")
                    try await node.send(
                        [answer], to: try await node.find(id), idempotencyKey: "order-\(event.position)")
                }
            }
        }

        // 4. Invite a customer.
        let (invitation, _) = try await node.invite(label: "customer 4711")

        let customer = try await Person("Ann", at: relay.address)
        customer.start()
        try await until("acceptance", customer) {
            _ = try await customer.node.accept(invitation.uri)
            return true
        }
        try await customer.event(.relationshipLive)
        let shop = try await customer.node.find("Shop")
        try await customer.node.send([.text("two loaves")], to: shop)
        try await customer.event(.recordReceived) { $0.detail.text == "We have your order: two loaves" }
        #expect(await orders.lines == ["two loaves"])

        reading.cancel()
        running.cancel()
        await customer.stop()
        await relay.stop()
    }
}
