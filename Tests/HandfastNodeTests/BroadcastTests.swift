import Handfast
import HandfastEncoding
import HandfastNode
import HandfastStore
import Testing

/// A vendor with a public identity says one thing to several customers.
@Suite(.serialized) struct BroadcastTests {
    private struct Market: Sendable {
        let relay: LoopbackRelay
        let vendor: Person
        let customers: [Person]
        let ids: [RelationshipID]

        init(faults: StoreFaults = StoreFaults()) async throws {
            relay = try await LoopbackRelay()
            vendor = try await Person("Vendor", at: relay.address, faults: faults)
            _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
            vendor.start()
            var (people, met): ([Person], [RelationshipID]) = ([], [])
            for name in ["Ann", "Ben", "Cem"] {
                let customer = try await Person(name, at: relay.address)
                customer.start()
                met.append(try await meet(vendor, customer))
                people.append(customer)
            }
            (customers, ids) = (people, met)
            for id in met { try await vendor.event(.relationshipLive) { $0.relationship == id.description } }
        }

        func end() async {
            await vendor.stop()
            for customer in customers { await customer.stop() }
            await relay.stop()
        }

        /// How often each customer has the text.
        func counts(of text: String) async throws -> [Int] {
            var counts: [Int] = []
            for customer in customers { counts.append(try await customer.texts().count { $0 == text }) }
            return counts
        }
    }

    @Test func everyCustomerGetsItOnceAndCanProveIt() async throws {
        let market = try await Market()
        let report = try await market.vendor.node.broadcast(.text("open on Sunday"), to: market.ids + market.ids)
        #expect(report.sent.map(\.relationship) == market.ids.map(\.description) && report.refused.isEmpty)
        try await until("arrival", market.vendor) { try await market.counts(of: "open on Sunday") == [1, 1, 1] }
        for (customer, id) in zip(market.customers, market.ids) {
            let export = try await customer.node.exportLedger(id)
            let signed = try #require(export.inviterEntries.last).signed
            #expect(signed.proof?.treeSize == 6)
            #expect(try export.verify().inviter.head == export.inviterEntries.last?.reference)
        }
        // Alone and together again: the chain goes on.
        _ = try await market.vendor.node.send([.text("one"), .text("two")], to: market.ids[0])
        _ = try await market.vendor.node.broadcast(.text("closed on Monday"), to: market.ids)
        try await until("the next", market.vendor) { try await market.counts(of: "closed on Monday") == [1, 1, 1] }
        await market.end()
    }

    @Test func aRepeatReachesOnlyThoseWhoLackIt() async throws {
        let market = try await Market()
        let node = market.vendor.node
        _ = try await node.broadcast(.text("hello"), to: Array(market.ids[..<2]), idempotencyKey: "greeting")
        let report = try await node.broadcast(.text("hello"), to: market.ids, idempotencyKey: "greeting")
        #expect(report.sent.map(\.isRepeat).sorted { $0 && !$1 } == [true, true, false])
        try await until("arrival", market.vendor) { try await market.counts(of: "hello") == [1, 1, 1] }
        await market.end()
    }

    @Test func oneWhoCannotBeReachedDoesNotHoldUpTheOthers() async throws {
        let market = try await Market()
        let node = market.vendor.node
        try await node.end(market.ids[1])
        let report = try await node.broadcast(.text("hello"), to: market.ids)
        #expect(report.sent.map(\.relationship) == [market.ids[0].description, market.ids[2].description])
        #expect(report.refused.map(\.relationship) == [market.ids[1].description])
        #expect(report.refused.first?.reason.contains("you cannot sign a record") == true)
        try await until("arrival", market.vendor) { try await market.counts(of: "hello") == [1, 0, 1] }
        await market.end()
    }

    @Test func aPersonCannotBroadcastNorAVendorToWhomItJoined() async throws {
        let market = try await Market()
        await #expect {
            _ = try await market.customers[0].node.broadcast(.text("x"), to: [market.ids[0]])
        } throws: { error in
            if case NodeError.notConfigured(let text) = error { text.contains("public identity") } else { false }
        }
        let other = try await Person("Other", at: market.relay.address)
        other.start()
        let (invitation, _) = try await other.node.invite(label: "Vendor")
        try await until("publication", other) {
            _ = try await market.vendor.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        let event = try await other.event(.relationshipLive)
        let id = try RelationshipID(text: try #require(event.relationship))
        try await until("life", market.vendor) { try await market.vendor.node.relationship(id).state == "live" }
        let report = try await market.vendor.node.broadcast(.text("x"), to: [id])
        #expect(report.sent.isEmpty && report.refused.first?.reason.contains("whom it invited") == true)
        await other.stop()
        await market.end()
    }

    @Test(arguments: [true, false])
    func aCrashAtAnyCommitLeavesEachWithOneOrNone(before: Bool) async throws {
        // The restarted vendor takes fewer commits than this; beyond its last nothing fails.
        for number in 1...12 {
            var faults = StoreFaults()
            if before { faults.failBefore = [number] } else { faults.failAfter = [number] }
            let relay = try await LoopbackRelay()
            let vendor = try await Person("Vendor", at: relay.address)
            _ = try await vendor.node.makePublicIdentity(domain: "shop.example")
            vendor.start()
            var (people, ids): ([Person], [RelationshipID]) = ([], [])
            for name in ["Ann", "Ben"] {
                let customer = try await Person(name, at: relay.address)
                customer.start()
                ids.append(try await meet(vendor, customer))
                people.append(customer)
            }
            let (customers, met) = (people, ids)
            try await until("life", vendor) {
                for id in met where try await vendor.node.relationship(id).state != "live" { return false }
                return true
            }
            try await vendor.restart(faults: faults)
            let store = vendor.store
            vendor.start()
            try await until("broadcast", vendor) {
                let report = try await vendor.node.broadcast(.text("once"), to: met, idempotencyKey: "b")
                return report.sent.count == met.count
            }
            try await until("arrival", vendor) {
                for customer in customers where try await customer.texts() != ["once"] { return false }
                return true
            }
            let reached = store.commitCount
            await vendor.stop()
            for customer in customers { await customer.stop() }
            await relay.stop()
            if reached < number { break }
        }
    }
}
