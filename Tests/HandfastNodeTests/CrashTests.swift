import Handfast
import HandfastNode
import HandfastStore
import Testing

/// One scripted conversation, with a crash of one side at each of its commits in turn.
@Suite(.serialized) struct CrashTests {
    enum Side: String, CaseIterable, Sendable { case vendor, customer }
    enum Moment: String, CaseIterable, Sendable { case before, after }

    @Test(arguments: Side.allCases, Moment.allCases)
    func everyMessageArrivesOnceAndInOrderWhereverOneSideCrashes(side: Side, moment: Moment) async throws {
        let relay = try await LoopbackRelay()
        // The script takes fewer commits than this; beyond its end nothing fails, and the test ends there.
        for number in 1...60 {
            var faults = StoreFaults()
            switch moment {
            case .before: faults.failBefore = [number]
            case .after: faults.failAfter = [number]
            }
            let reached = try await converse(at: relay, faults: faults, on: side)
            if reached < number { break }
        }
        await relay.stop()
    }

    /// - Returns: how many commits the side with the fault tried before its crash.
    private func converse(at relay: LoopbackRelay, faults: StoreFaults, on side: Side) async throws -> Int {
        let vendor = try await Person(
            "Vendor", at: relay.address, faults: side == .vendor ? faults : StoreFaults())
        let customer = try await Person(
            "Customer", at: relay.address, faults: side == .customer ? faults : StoreFaults())
        let faulty = side == .vendor ? vendor : customer
        let faultyStore = faulty.store
        vendor.start()
        customer.start()
        let uri = try await insist(vendor) { try await $0.invite().invitation.uri }
        try await until("meeting", vendor, customer) {
            if try await customer.node.relationships().isEmpty { _ = try await customer.node.accept(uri) }
            return try await customer.node.relationships().contains { $0.state == "live" }
        }
        guard let text = try await insist(customer, { try await $0.relationships().first?.id }) else {
            throw Failure("no relationship")
        }
        let id = try RelationshipID(text: text)
        try await until("life at the vendor's", vendor, customer) {
            try await vendor.node.relationship(id).state == "live"
        }
        for number in 1...3 {
            _ = try await insist(customer) {
                try await $0.send([.text("c\(number)")], to: id, idempotencyKey: "c\(number)")
            }
            _ = try await insist(vendor) {
                try await $0.send([.text("v\(number)")], to: id, idempotencyKey: "v\(number)")
            }
        }
        try await until("delivery \(faults)", vendor, customer) {
            let texts = (try await vendor.texts().count, try await customer.texts().count)
            let waiting = (
                try await vendor.node.relationship(id).waiting, try await customer.node.relationship(id).waiting
            )
            return texts == (3, 3) && waiting == (0, 0)
        }
        #expect(try await vendor.texts() == ["c1", "c2", "c3"], "\(faults)")
        #expect(try await customer.texts() == ["v1", "v2", "v3"], "\(faults)")
        #expect(try await vendor.events(.envelopeRefused).isEmpty, "\(faults)")
        #expect(try await customer.events(.envelopeRefused).isEmpty, "\(faults)")
        #expect(try await vendor.events(.rejoinAsked).isEmpty, "\(faults)")
        #expect(try await customer.events(.rejoinAsked).isEmpty, "\(faults)")
        let agreement = try LedgerExport.agree(
            try await vendor.node.exportLedger(id), try await customer.node.exportLedger(id))
        #expect(agreement.isComplete, "\(faults)")
        await vendor.stop()
        await customer.stop()
        return faultyStore.commitCount
    }

    /// Does something, again after a crash.
    private func insist<Result: Sendable>(
        _ person: Person, _ body: @Sendable (Node) async throws -> Result
    ) async throws -> Result {
        let result = Kept<Result>()
        try await until("an operation", person) {
            result.value = try await body(person.node)
            return true
        }
        guard let value = result.value else { throw Failure("no result") }
        return value
    }

    private final class Kept<Value: Sendable>: @unchecked Sendable {
        var value: Value?
    }
}
