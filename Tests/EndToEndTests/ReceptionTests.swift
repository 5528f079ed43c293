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
                try await couple.shop.wait("Ann") { $0.heldBack == "paused" && $0.waiting > 0 }
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
                try await couple.shop.wait("Ann") { $0.heldBack == "paused" && $0.waiting > 0 }
                #expect(try await couple.ann.texts("Shop", from: "peer").isEmpty)
                try await couple.ann.done(["resume", "Shop"])
                #expect(try await couple.ann.texts("Shop", count: 4) == ["1", "2", "3", "4"])
                try await couple.shop.wait("Ann") { $0.heldBack == nil && $0.waiting == 0 }

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
                await couple.shopNode.stop()
                let blocked = try await couple.ann.done(["block", "Shop"])
                #expect(blocked.output.contains("is blocked"))
                let lines = (1...500).map { "let me in \($0)" }.joined(separator: "\n")
                try await couple.shop.done(["send", "Ann", "--lines", "--wait", "0"], input: lines)
                let shop = try await couple.shop.startNodeOnceFree()
                try await couple.shop.wait("Ann") { $0.trouble?.contains("closed its queue") == true }
                await couple.annNode.stop(SIGKILL)
                let ann = try await couple.ann.startNodeOnceFree()
                let relationship = try await couple.ann.wait("Shop") { $0.state == "blocked" }
                #expect(relationship.trouble == nil)
                #expect(try await couple.ann.texts("Shop", from: "peer").isEmpty)
                #expect(try await couple.ann.run(["send", "Shop", "no"]).status == 1)
                await shop.stop()
                await ann.stop()
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
                    #expect(help.output.contains("EXAMPLES"))
                }
                for daemon in [couple.shopNode, couple.annNode, couple.relay] { await daemon.stop() }
            }
        }
    }
}
