import ForwardingStores
import Handfast
import HandfastCrypto
import Synchronization
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// Ways in which other systems lose messages, by the numbers of the list that this project keeps of them.
@Suite(.serialized) struct PitfallTests {
    /// Pitfall 2: a socket write taken for delivery (aries-rfcs#760).
    @Test func pitfall2WhatARelayReadAndDidNotStoreIsNotDelivered() async throws {
        let store = MemoryRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store))
        let id = try await world.meet()
        try await world.settle(id)
        var faults = StoreFaults()
        faults.failBefore = Set(store.commitCount + 1...store.commitCount + 100_000)
        store.inject(faults)
        try await world.customer.node.send([.text("written, not stored")], to: id)
        try await until("a relay that read it", world.customer) {
            await world.customer.node.exchange.trouble(of: id) != nil
        }
        #expect(try await world.customer.node.waiting(in: id) == 1)
        #expect(try await world.vendor.texts().isEmpty)
        store.inject(StoreFaults())
        try await world.vendor.event(.recordReceived) { $0.detail.text == "written, not stored" }
        try await world.settle(id)
        #expect(try await world.vendor.texts() == ["written, not stored"])
        try await world.agree(id)
        await world.end()
    }

    /// Pitfall 4: a hidden queue in memory (acapy-plugins#2671).
    @Test func pitfall4WhatWaitsIsInTheVaultAndShown() async throws {
        let key = LoopbackRelay.newKey()
        let store = MemoryRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store, key: key))
        let id = try await world.meet()
        try await world.settle(id)
        await world.relay.stop()
        for number in 1...30 { try await world.customer.node.send([.text("\(number)")], to: id) }
        #expect(try await world.customer.node.relationship(id).waiting == 30)
        try await world.customer.restart()
        #expect(try await world.customer.node.relationship(id).waiting == 30)
        #expect(try await world.customer.node.doctor().contains { $0.what.contains("30 waiting") })
        world.customer.start()
        let again = try await LoopbackRelay(
            store: store.reopened(), key: key, port: Int(world.relay.address.port))
        try await until("all of them", world.vendor) { try await world.vendor.texts().count == 30 }
        #expect(try await world.vendor.texts() == (1...30).map { "\($0)" })
        await world.end()
        await again.stop()
    }

    /// Pitfall 5: a silently dead subscription (simplexmq#1834): the connection answers, and nothing is delivered.
    @Test func pitfall5ADeadSubscriptionIsSeenAndBegunAnew() async throws {
        let store = MuteRelayStore()
        let relay = try await LoopbackRelay(store: store)
        let vendor = try await Person("Vendor", at: relay.address, watchPause: .milliseconds(40))
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let id = try await meet(vendor, customer)
        try await vendor.event(.peerIntroduced)
        try await until("rest", customer) { try await customer.node.waiting(in: id) == 0 }
        store.isMute = true
        try await customer.node.send([.text("not delivered")], to: id)
        // The lag is shown, and the subscription is begun anew until it lives.
        try await until("a lag", vendor) {
            try await vendor.node.doctor().contains { $0.what.contains("not received yet") }
        }
        let service = try #require(try await vendor.node.keeper.kept(id)?.service)
        let session = try #require(await vendor.node.exchange.session(of: service))
        try await until("another subscription", vendor) { await session.failures > 0 }
        #expect(try await vendor.texts().isEmpty)
        store.isMute = false
        try await vendor.event(.recordReceived) { $0.detail.text == "not delivered" }
        try await until("no lag", vendor) { await session.behind == 0 }
        #expect(try await vendor.texts() == ["not delivered"])
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }
}

/// A relay's store that stores and, for a time, shows nothing of it to subscriptions.
private final class MuteRelayStore: ForwardingRelayStore {
    let behind = MemoryRelayStore()
    private let mute = Mutex(false)

    var isMute: Bool {
        get { mute.withLock { $0 } }
        set { mute.withLock { $0 = newValue } }
    }

    /// As a store of several relays has it, so that nothing is delivered from what this one remembers.
    var pollInterval: Duration? { .seconds(3_600) }

    func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        isMute ? [] : try await behind.deliveries(to: service, after: position, limit: limit, bytes: bytes)
    }
}
