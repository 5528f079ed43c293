import Foundation
import HandfastTestSupport
import Testing

extension EndToEndTests {
    /// Several node processes over one vault in a database.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct FleetTests {
        /// What `watch --json` tells.
        private struct Event: Decodable {
            struct Detail: Decodable {
                let text: String?
            }
            let position: Int64
            let kind: String
            let relationship: String?
            let detail: Detail
        }

        /// A node process of the fleet.
        private struct Member {
            let place: Party
            let daemon: Daemon

            var delivers: Bool { daemon.log.contains("this one delivers now") }
        }

        private static func lines(_ numbers: Range<Int>, _ name: String) -> [String] {
            numbers.map { "\(name) \($0)" }
        }

        /// Says something by whichever process answers, again under the same name where one ends before it does.
        private static func say(_ texts: [String], to peer: String, by places: [Party]) async throws {
            let key = texts[0]
            for attempt in 0..<60 {
                let result = try await places[attempt % places.count].run(
                    ["send", peer, "--lines", "--idempotency", key, "--wait", "0"], input: texts.joined(separator: "\n")
                )
                if result.status == 0 { return }
                guard [69, 75].contains(result.status) else {
                    throw Tool.UnexpectedEnd(arguments: ["send", peer], result: result)
                }
            }
            throw Party.NeverCame(description: "no process of the fleet said \(key)")
        }

        /// The pitfall of credo-ts#1625, a message that lands on one node while its reader waits on another, and that of a
        /// process that was paused: whatever is killed or wakes too late, everybody has everything once, in order, and no
        /// queue has had two envelopes under one number, since that would begin an epoch.
        @Test func whoeverDeliversEverythingArrivesOnceAndInOrder() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty(
                    "Shop", relay: relay, options: ["--public", "shop.example"],
                    environment: ["HANDFAST_STORE": try PostgresServer.shared.get().newDatabase()])
                let first = Member(place: shop, daemon: try await shop.startNode())
                #expect(!first.daemon.firstLine.contains("stands by"))
                var others: [Member] = []
                for name in ["second", "third"] {
                    let place = try shop.elsewhere(name)
                    others.append(Member(place: place, daemon: try await place.startNode()))
                }
                #expect(others.allSatisfy { $0.daemon.firstLine.contains("stands by") })
                // These run no node, and are not in the way of those that do.
                let desk = try shop.elsewhere("desk")
                let window = try shop.elsewhere("window")
                let places = others.map(\.place) + [desk]

                var customers: [Party] = []
                for (index, name) in ["Ann", "Ben"].enumerated() {
                    let customer = try await scene.makeParty(name, relay: relay)
                    _ = try await customer.startNode()
                    // The invitation is made by a process that stands by.
                    let uri = try await places[index].invite(label: name)
                    try await customer.done(["accept", uri, "--label", "Shop", "--unasked-domain"])
                    try await customer.wait("Shop") { $0.state == "live" }
                    try await desk.wait(name) { $0.state == "live" }
                    customers.append(customer)
                }
                let watch = try await scene.start(
                    ["--vault", window.vault, "watch", "--json", "--after", "0"], environment: window.environment)

                /// Both sides say the next texts.
                func talk(_ numbers: Range<Int>) async throws {
                    for customer in customers {
                        try await Self.say(Self.lines(numbers, customer.name), to: "Shop", by: [customer])
                        try await Self.say(Self.lines(numbers, "to \(customer.name)"), to: customer.name, by: places)
                    }
                }
                try await talk(0..<20)
                await first.daemon.stop(SIGKILL)
                try await talk(20..<40)
                let second = try await Party.until("nobody took the vault over") { others.first(where: \.delivers) }
                try await talk(40..<60)
                kill(second.daemon.processID, SIGSTOP)
                // Its own machine does not know that it is paused: who asks there waits for as long as it is.
                others.removeAll { $0.daemon.processID == second.daemon.processID }
                let third = try #require(others.first)
                for customer in customers {
                    try await Self.say(Self.lines(60..<80, customer.name), to: "Shop", by: [customer])
                    try await Self.say(
                        Self.lines(60..<80, "to \(customer.name)"), to: customer.name, by: [third.place, desk])
                }
                try await Party.until("nobody took the vault over again") { third.delivers ? true : nil }
                kill(second.daemon.processID, SIGCONT)
                #expect(await second.daemon.ended() == 75, "\(second.daemon.log)")
                // Both that are gone come back, and stand by.
                let again = try await shop.startNode()
                let backAgain = try await second.place.startNode()
                #expect([again, backAgain].allSatisfy { $0.firstLine.contains("stands by") })
                try await talk(80..<100)

                for customer in customers {
                    #expect(try await desk.texts(customer.name, count: 100) == Self.lines(0..<100, customer.name))
                    #expect(
                        try await customer.texts("Shop", count: 100) == Self.lines(0..<100, "to \(customer.name)"))
                    for (party, name) in [(desk, customer.name), (customer, "Shop")] {
                        let relationship = try await party.show(name)
                        #expect(relationship.epoch == 0 && !relationship.isRejoining && relationship.trouble == nil)
                    }
                    try await customer.done(["ledger", "verify", try await customer.export("Shop")])
                }
                // Who watched by a process that stands by has seen each once, in order.
                let seen = try await Party.until("the watch did not see everything") { () -> [Event]? in
                    // The last line may not be whole yet.
                    let events = try watch.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                        .map {
                            try JSONDecoder().decode(Event.self, from: Data($0.utf8))
                        }.filter { $0.kind == "record.received" && $0.detail.text != nil }
                    return events.count >= 200 ? events : nil
                }
                #expect(seen.map(\.position) == seen.map(\.position).sorted())
                let heard = Dictionary(grouping: seen, by: \.relationship).values.map { $0.compactMap(\.detail.text) }
                #expect(Set(heard) == Set(customers.map { Self.lines(0..<100, $0.name) }))
                // Who ends politely is followed at once.
                #expect(await backAgain.stop() == 0)
                #expect(await third.daemon.stop() == 0)
                try await Self.say(["at the end"], to: "Ann", by: [desk])
                #expect(try await customers[0].texts("Shop", count: 101).last == "at the end")
            }
        }

        @Test func aCommandWithoutANodeIsCarriedOutByTheProcessThatHasTheVault() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let database = try PostgresServer.shared.get().newDatabase()
                let shop = try await scene.makeParty("Shop", relay: relay, environment: ["HANDFAST_STORE": database])
                let desk = try shop.elsewhere("desk")
                // Nobody has the vault: the command takes it.
                #expect(try await desk.run(["list"]).status == 0)
                let node = try await shop.startNodeOnceFree()
                let ann = try await scene.makeParty("Ann", relay: relay)
                _ = try await ann.startNode()
                try await ann.done(["accept", try await desk.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                let file = scene.newFile("picture")
                try Data(repeating: 7, count: 1_000).write(to: URL(fileURLWithPath: file))
                try await desk.done(["send", "Ann", "--attach", file, "from the desk"])
                #expect(try await ann.texts("Shop", count: 1) == ["from the desk"])
                let unknown = try await desk.run(["send", "Nobody", "text"])
                #expect(unknown.status == 64, "\(unknown.errors)")
                // Where the process that had the vault is gone, the command takes it itself, once the term is over.
                await node.stop(SIGKILL)
                try await PostgresTests.query("UPDATE handfast_vault.feed SET until = 0", database, in: scene)
                try await desk.done(["send", "Ann", "by itself"])
                #expect(try await ann.texts("Shop", count: 2).last == "by itself")
            }
        }
    }
}
