import Handfast
import HandfastRelay
import HandfastStore
import Testing

@testable import HandfastNode

/// What a node does at a relay that opens no more queues.
@Suite(.timeLimit(.minutes(5))) struct FullRelayTests {
    /// A hello needs a queue for its answer. While the relay opens none, everybody else's messages are received all the
    /// same, and the queue is opened once it can be.
    @Test func aHelloForWhichThereIsNoRoomHoldsUpNobody() async throws {
        let (store, key) = (MemoryRelayStore(), LoopbackRelay.newKey())
        let world = try await World(relay: LoopbackRelay(store: store, key: key))
        let port = Int(world.relay.address.port)
        _ = try await world.vendor.node.makePublicIdentity(domain: "shop.example")
        let id = try await world.meet()
        try await world.settle(id)
        let elsewhere = try await LoopbackRelay()
        let new = try await Person("New", at: elsewhere.address)
        let (invitation, _) = try await world.vendor.node.invite(label: "New")
        try await until("publication", world.vendor) {
            _ = try await new.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        await world.relay.stop()
        let queues = try await store.kept().queues

        var limits = RelayLimits()
        limits.reservedPerQueue = 1 << 20
        limits.totalBytes = 2 * queues << 20
        #expect(limits.openQueues == queues)
        let narrow = store.reopened(limits: limits)
        let full = try await LoopbackRelay(store: narrow, key: key, port: port)
        new.start()
        try await until("the hello", world.vendor, new) {
            try await world.vendor.node.relationships().count == 2
        }
        for number in 1...3 {
            try await world.customer.node.send([.text("meanwhile \(number)")], to: id)
            try await world.vendor.event(.recordReceived) { $0.detail.text == "meanwhile \(number)" }
        }
        #expect(try await narrow.kept().queues == queues)
        await full.stop()

        let wide = narrow.reopened(limits: .standard)
        let roomy = try await LoopbackRelay(store: wide, key: key, port: port)
        try await new.event(.relationshipLive)
        let report = try #require(try await new.node.relationships().first)
        try await new.node.send([.text("new")], to: RelationshipID(text: report.id))
        try await world.vendor.event(.recordReceived) { $0.detail.text == "new" }
        #expect(try await wide.kept().queues == queues + 1)
        try await world.agree(id)
        await new.stop()
        await world.end()
        await roomy.stop()
        await elsewhere.stop()
    }
}
