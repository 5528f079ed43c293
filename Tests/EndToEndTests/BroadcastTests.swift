import Foundation
import Testing

extension EndToEndTests {
    /// One message of a shop to all of its customers.
    @Suite(.serialized)
    struct BroadcastTests {
        /// What `broadcast` tells.
        private struct Report: Decodable {
            struct Sent: Decodable {
                let relationship: String
                let isRepeat: Bool
            }
            struct Refusal: Decodable {
                let relationship: String
                let reason: String
            }
            let sent: [Sent]
            let refused: [Refusal]
            let waiting: Int
        }

        @Test func aShopTellsAllItsCustomersAndEachCanProveIt() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty("Shop", relay: relay, options: ["--public", "shop.example"])
                _ = try await shop.startNode()
                var customers: [Party] = []
                for name in ["Ann", "Ben"] {
                    let customer = try await scene.makeParty(name, relay: relay)
                    _ = try await customer.startNode()
                    try await customer.done([
                        "accept", try await shop.invite(label: name), "--label", "Shop", "--unasked-domain",
                    ])
                    try await customer.wait("Shop") { $0.state == "live" }
                    try await shop.wait(name) { $0.state == "live" }
                    customers.append(customer)
                }
                let report = try await shop.ask(
                    Report.self, "broadcast", "--all", "--idempotency", "sunday", "We open on Sunday")
                #expect(report.sent.count == 2 && report.sent.allSatisfy { !$0.isRepeat } && report.refused.isEmpty)
                let again = try await shop.ask(
                    Report.self, "broadcast", "--to", "Ann", "--idempotency", "sunday", "We open on Sunday")
                #expect(again.sent.map(\.isRepeat) == [true])
                for customer in customers {
                    #expect(try await customer.texts("Shop", count: 1) == ["We open on Sunday"])
                    try await customer.done(["ledger", "verify", customer.export("Shop")])
                }
                let said = try await shop.done(["broadcast", "--to", "Ben", "Only", "you"])
                #expect(said.output == "Said in 1 relationship.\n")

                let refused = try await customers[0].run(["broadcast", "--all", "x"])
                #expect(refused.status == 1 && refused.errors.contains("public identity"))
                #expect(refused.errors.contains("same person's"))
                #expect(try await shop.run(["broadcast", "x"]).status == 64)
                #expect(try await shop.run(["broadcast", "--all", "--to", "Ann", "x"]).status == 64)
                #expect(try await shop.run(["broadcast", "--to", "Nobody", "x"]).status == 64)
                try await shop.done(["end", "Ann"])
                let gone = try await shop.run(["broadcast", "--to", "Ann", "x", "--json"])
                #expect(gone.status == 1 && gone.output.contains("nobody got it"))
            }
        }
    }
}
