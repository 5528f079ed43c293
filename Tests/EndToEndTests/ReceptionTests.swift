import Foundation
import Testing

extension EndToEndTests {
    /// `throttle`, `pause`, `resume` and `block`, by real processes.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct ReceptionTests {
        private static func say(_ texts: [String], to peer: String, from party: Party) async throws {
            for text in texts { try await party.done(["send", peer, text, "--wait", "0"]) }
        }

        @Test func whatIsHeldBackWaitsAndComesOnceInOrder() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                try await couple.ann.done(["pause", "Shop"])
                try await Self.say(["1", "2", "3"], to: "Ann", from: couple.shop)
                let held = try await couple.shop.wait("Ann") { $0.heldBack == "paused" && $0.waiting > 0 }
                #expect(held.heldBackSince != nil)
                #expect(try await couple.shop.done(["list"]).output.contains("paused by them for "))
                #expect(try await couple.shop.done(["show", "Ann"]).output.contains("paused by the other side since "))
                let listed = try await couple.ann.done(["list"])
                #expect(listed.output.contains("paused by you"))
                let doctor = try await couple.shop.done(["doctor"])
                #expect(doctor.output.contains("paused by the other side"))
                // Killed on both sides and at the relay: the pause stands, and nothing is lost.
                await couple.shopNode.stop(SIGKILL)
                await couple.annNode.stop(SIGKILL)
                await couple.relay.stop(SIGKILL)
                let relay = try await scene.startRelay(at: couple.relayAddress).daemon
                let shop = try await couple.shop.startNodeOnceFree()
                let ann = try await couple.ann.startNodeOnceFree()
                try await Self.say(["4"], to: "Ann", from: couple.shop)
                let still = try await couple.shop.wait("Ann") { $0.heldBack == "paused" && $0.waiting > 0 }
                #expect(still.heldBackSince == held.heldBackSince)
                #expect(try await couple.ann.texts("Shop", from: "peer").isEmpty)
                try await couple.ann.done(["resume", "Shop"])
                #expect(try await couple.ann.texts("Shop", count: 4) == ["1", "2", "3", "4"])
                try await couple.shop.wait("Ann") { $0.heldBack == nil && $0.heldBackSince == nil && $0.waiting == 0 }

                try await couple.ann.done(["throttle", "Shop", "--rate", "1/hour", "--burst", "2"])
                try await Self.say(["5", "6", "7"], to: "Ann", from: couple.shop)
                try await couple.shop.wait("Ann") { $0.heldBack == "throttled" && $0.waiting > 0 }
                #expect(try await couple.ann.texts("Shop", count: 6) == ["1", "2", "3", "4", "5", "6"])
                try await couple.ann.done(["throttle", "Shop", "--off"])
                // A sender asks once its time is over, or when it is started anew.
                await shop.stop()
                let again = try await couple.shop.startNodeOnceFree()
                #expect(try await couple.ann.texts("Shop", count: 7) == ["1", "2", "3", "4", "5", "6", "7"])
                await again.stop()
                await ann.stop()
                await relay.stop()
            }
        }

        @Test func whoIsBlockedAddsNothingToTheRelay() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                // The same relay, which tells what it stores.
                await couple.relay.stop()
                let place = try #require(couple.relayAddress.split(separator: "/").first)
                let relay = try await scene.start([
                    "relay", "run", "--json", "--listen", String(place), "--folder", "\(scene.folder)/relay",
                    "--metrics", "127.0.0.1:0",
                ])
                let metrics = try JSONDecoder().decode(MetricsTests.Started.self, from: Data(relay.firstLine.utf8))
                func figure(_ name: String) async throws -> Double {
                    let page = try await MetricsTests().page("/metrics", at: metrics.metrics, in: scene)
                    let line = page.body.split(separator: "\n").first { $0.hasPrefix("handfast_relay_\(name) ") }
                    let text = try #require(line?.split(separator: " ").last)
                    return try #require(Double(text))
                }
                try await couple.shop.done(["send", "Ann", "before", "--wait", "0"])
                #expect(try await couple.ann.texts("Shop", count: 1) == ["before"])
                await couple.shopNode.stop()
                let blocked = try await couple.ann.done(["block", "Shop"])
                #expect(blocked.output.contains("is blocked"))
                let stored = (try await figure("stored_messages_total"), try await figure("stored_bytes_total"))
                #expect(stored.0 >= 1 && stored.1 >= 1)
                let lines = (1...500).map { "let me in \($0)" }.joined(separator: "\n")
                try await couple.shop.done(["send", "Ann", "--lines", "--wait", "0"], input: lines)
                let shop = try await couple.shop.startNodeOnceFree()
                try await couple.shop.wait("Ann") { $0.trouble?.contains("closed its queue") == true }
                await couple.annNode.stop(SIGKILL)
                let ann = try await couple.ann.startNodeOnceFree()
                let relationship = try await couple.ann.wait("Shop") { $0.state == "blocked" }
                #expect(relationship.trouble == nil)
                #expect(try await couple.ann.texts("Shop", from: "peer") == ["before"])
                #expect(try await couple.ann.run(["send", "Shop", "no"]).status == 1)
                #expect(try await figure(#"puts_total{outcome="closed"}"#) >= 1)
                #expect(try await figure("stored_messages_total") == stored.0)
                #expect(try await figure("stored_bytes_total") == stored.1)
                for daemon in [shop, ann, relay] { await daemon.stop() }
            }
        }

        @Test func strangersBeyondTheLimitAreTurnedAwayByTheRelay() async throws {
            try await Scene.play { scene in
                let (_, relay) = try await scene.startRelay()
                let shop = try await scene.makeParty("Shop", relay: relay, options: ["--public", "shop.example"])
                var node = try await shop.startNode()
                func stranger(_ name: String) async throws -> (party: Party, node: Daemon) {
                    let party = try await scene.makeParty(name, relay: relay)
                    let node = try await party.startNode()
                    let uri = try await shop.invite(label: name)
                    try await party.done(["accept", uri, "--label", "Shop", "--unasked-domain", "--wait", "0"])
                    return (party, node)
                }
                /// Has a node knock at once that was turned away, and by now waits for longer and longer.
                func again(_ stranger: (party: Party, node: Daemon)) async throws {
                    await stranger.node.stop()
                    _ = try await stranger.party.startNodeOnceFree()
                }
                let set = try await shop.done(["throttle", "--strangers", "--rate", "1/hour", "--burst", "1"])
                #expect(set.output.contains("Of strangers you let come: 1 an hour, 1 at once."))
                #expect(try await shop.done(["show", "--strangers"]).output.contains("1 an hour, 1 at once"))
                // It holds for the queue that the first invitation opens.
                let ann = try await stranger("Ann").party
                try await ann.wait("Shop") { $0.state == "live" }
                let cem = try await stranger("Cem")
                await node.stop(SIGKILL)
                node = try await shop.startNodeOnceFree()
                // Whoever is in a relationship does not notice.
                try await Self.say(["still here"], to: "Shop", from: ann)
                #expect(try await shop.texts("Ann", count: 1) == ["still here"])
                #expect(try await cem.party.show("Shop").state == "greeted")
                #expect(try await shop.run(["show", "Cem"]).status == 64)
                try await shop.done(["throttle", "--strangers", "--off"])
                try await again(cem)
                try await cem.party.wait("Shop") { $0.state == "live" }
                try await shop.done(["pause", "--strangers"])
                let notice = try await shop.done(["invite", "--label", "Dan"])
                #expect(notice.errors.contains("handfast resume --strangers"))
                let dan = try await stranger("Dan")
                #expect(try await shop.done(["doctor"]).output.contains("strangers"))
                #expect(try await dan.party.show("Shop").state == "greeted")
                try await shop.done(["resume", "--strangers"])
                try await again(dan)
                try await dan.party.wait("Shop") { $0.state == "live" }
                let open = try await shop.invite(label: "Eve")
                let blocked = try await shop.done(["block", "--strangers"])
                #expect(blocked.output.contains("Void: ") && blocked.output.contains("Eve"))
                let eve = try await scene.makeParty("Eve", relay: relay)
                #expect(try await eve.run(["accept", open, "--unasked-domain"]).status != 0)
                try await stranger("Fay").party.wait("Shop") { $0.state == "live" }
                #expect(try await dan.party.show("Shop").state == "live")
                await node.stop()
            }
        }

        @Test func aNodeTellsSinceWhenItDoesNotReceive() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let connected = try await couple.ann.wait("Shop") { $0.receiving.first?.isConnected == true }
                #expect(connected.receiving.map(\.relay) == connected.receivesAt)
                #expect(connected.receiving.first?.disconnectedSince == nil)
                #expect(try await couple.ann.done(["show", "Shop"]).output.contains(", nothing behind"))
                await couple.relay.stop(SIGKILL)
                let lost = try await couple.ann.wait("Shop") { $0.receiving.first?.isConnected == false }
                #expect(lost.receiving.first?.disconnectedSince != nil)
                #expect(try await couple.ann.done(["list"]).output.contains("not receiving for "))
                #expect(try await couple.ann.done(["show", "Shop"]).output.contains("not connected to "))
                let relay = try await scene.startRelay(at: couple.relayAddress).daemon
                try await couple.ann.wait("Shop") { $0.receiving.first?.isConnected == true }
                await couple.annNode.stop()
                #expect(try await couple.ann.show("Shop").receiving.isEmpty)
                #expect(try await couple.ann.done(["show", "Shop"]).output.contains("no node runs here"))
                await relay.stop()
                await couple.shopNode.stop()
            }
        }

        @Test func saysWhatIsWrongWithALimit() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                for wrong in [
                    [], ["--off", "--rate", "5"], ["--burst", "3"], ["--rate", "5/fortnight"], ["--rate", "0"],
                ] {
                    #expect(try await couple.ann.run(["throttle", "Shop"] + wrong).status == 64, "\(wrong)")
                }
                #expect(try await couple.ann.run(["throttle", "Shop", "--rate", "5", "--burst", "10001"]).status == 65)
                for command in ["throttle", "pause", "resume", "block"] {
                    let help = try await couple.ann.done([command, "--help"])
                    #expect(help.output.contains("EXAMPLES") && help.output.contains("--strangers"))
                    #expect(try await couple.ann.run([command]).status == 64)
                    #expect(try await couple.ann.run([command, "Shop", "--strangers", "--rate", "1"]).status == 64)
                }
                for daemon in [couple.shopNode, couple.annNode, couple.relay] { await daemon.stop() }
            }
        }
    }
}
