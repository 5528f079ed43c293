import Handfast
import HandfastCrypto
import HandfastRelay

@testable import HandfastNode
@testable import HandfastStore

/// A relay, a vendor whose node runs, and a customer whose node does not run yet.
final class World: Sendable {
    let relay: LoopbackRelay
    let vendor: Person
    let customer: Person

    init(relay: LoopbackRelay? = nil) async throws {
        if let relay { self.relay = relay } else { self.relay = try await LoopbackRelay() }
        vendor = try await Person("Vendor", at: self.relay.address, introduces: true)
        customer = try await Person("Customer", at: self.relay.address)
        vendor.start()
    }

    func end() async {
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }

    /// Both nodes run and hold a relationship.
    func meet() async throws -> RelationshipID {
        customer.start()
        let id = try await HandfastNodeTests.meet(vendor, customer)
        try await customer.event(.peerIntroduced)
        try await vendor.event(.peerIntroduced)
        return id
    }

    /// Waits until nothing is on its way.
    func settle(_ id: RelationshipID) async throws {
        try await until("rest", vendor, customer) {
            let waiting = (try await self.vendor.node.waiting(in: id), try await self.customer.node.waiting(in: id))
            return waiting == (0, 0)
        }
    }

    /// Waits until both sides hold the same records, and checks that the ledgers verify and agree.
    func agree(_ id: RelationshipID, epoch: UInt64 = 0) async throws {
        try await until("agreement", vendor, customer) {
            let (one, other) = (
                try await self.vendor.node.relationship(id), try await self.customer.node.relationship(id)
            )
            return one.ownRecords == other.peerRecords && other.ownRecords == one.peerRecords
                && one.epoch == other.epoch && one.epoch >= epoch && !one.isRejoining && !other.isRejoining
        }
        let exports = (try await vendor.node.exportLedger(id), try await customer.node.exportLedger(id))
        let ledgers = (try exports.0.verify(), try exports.1.verify())
        guard ledgers.0.invitee.head == ledgers.1.invitee.head, ledgers.0.inviter.head == ledgers.1.inviter.head else {
            throw Failure("the ledgers differ")
        }
    }

    /// The hello that the customer made for an invitation; its node does not run yet.
    func hello(for invitation: Invitation) async throws -> [UInt8] {
        try await until("publication", vendor) {
            _ = try await self.customer.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        let reports = try await customer.node.relationships()
        guard let report = reports.first else { throw Failure("no relationship") }
        guard let item = try await customer.store.outbox(of: RelationshipID(text: report.id), limit: 1).first else {
            throw Failure("no hello")
        }
        return item.envelope
    }

    /// Leaves a hello at the relay.
    func knock(_ hello: [UInt8], _ invitation: Invitation) async throws {
        let client = try await RelayClient.connect(to: relay.address)
        try await client.knock(invitation.ticket.knock, at: invitation.knockQueue, hello: hello)
        await client.shutDown()
    }

    /// The queue in which a person receives for a relationship.
    func queue(of person: Person, _ id: RelationshipID) async throws -> QueueID {
        guard let kept = try await person.node.keeper.kept(id) else { throw Failure("no relationship") }
        return kept.queue
    }

    /// Gives the vendor's node a delivery of the test's own making, as a relay that lies could.
    func inject(_ bytes: [UInt8], by queue: QueueID) async throws {
        for service in try await vendor.store.services(after: 0, limit: 100) {
            guard let kept = try await vendor.store.queue(queue) else { throw Failure("no queue") }
            guard try Row.decode(KeptQueue.self, kept.bytes).service == service.key.array else { continue }
            let opening = await vendor.node.keeper.newQueue(at: relay.address, service: service.key, isTended: false)
            // At a position of its own, and with a cursor that stays behind the real one.
            let delivery = Delivery(position: 1, queue: queue, bytes: bytes)
            _ = try await vendor.node.keeper.receive(
                [delivery], by: service.key, after: 0, committed: 0, openings: [1: [opening]], following: nil
            ).value
        }
    }

    /// The last envelope that the customer makes while it does something, taken before it is delivered.
    func lastEnvelope(_ body: (Node) async throws -> Void) async throws -> [UInt8] {
        await customer.stop()
        try await body(customer.node)
        guard let report = try await customer.node.relationships().first,
            let item = try await customer.store.outbox(of: RelationshipID(text: report.id), limit: 100).last
        else { throw Failure("no envelope") }
        customer.start()
        return item.envelope
    }
}
