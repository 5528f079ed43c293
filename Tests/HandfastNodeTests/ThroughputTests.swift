import Handfast
import HandfastNode
import HandfastStore
import Testing

@Suite struct ThroughputTests {
    @Test func thousandsArriveOnceAndInOrder() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let id = try await meet(vendor, customer)
        let before = customer.store.commitCount
        let count = 4_000
        let clock = ContinuousClock()
        let time = try await clock.measure {
            // Single messages, as programs send them, then many in one call.
            for start in stride(from: 0, to: count, by: 100) {
                let messages = try (start..<start + 100).map { try OutgoingMessage.text("\($0)") }
                if start % 1_000 == 0 {
                    for message in messages { try await vendor.node.send([message], to: id) }
                } else {
                    try await vendor.node.send(messages, to: id)
                }
            }
            try await customer.event(.recordReceived) { $0.detail.text == "\(count - 1)" }
        }
        #expect(try await customer.texts() == (0..<count).map(String.init))
        // Far fewer commits than messages: what gathers while one runs goes with the next.
        #expect(customer.store.commitCount - before < count / 2)
        print("delivered \(count) messages in \(time)")
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }
}
