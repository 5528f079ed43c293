import Foundation
import Testing

extension EndToEndTests {
    /// From the first meeting to the end.
    @Suite(.serialized)
    struct JourneyTests {
        @Test func demoHoldsWhatItSays() async throws {
            try await Scene.play { scene in
                let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .appendingPathComponent("../../Scripts/demo").standardizedFileURL
                let result = try await Tool.run(
                    [], program: script, in: scene,
                    environment: ["HANDFAST": Tool.url.path, "MESSAGES": "300", "TMPDIR": scene.folder])
                #expect(result.status == 0, "\(result.output)\(result.errors)")
                #expect(result.output.contains("Everything held"))
                #expect(result.output.contains("All 300 messages are there, each once, in order."))
                let left = try FileManager.default.contentsOfDirectory(atPath: scene.folder)
                #expect(!left.contains { $0.hasPrefix("handfast.") }, "the demo left its folder behind")
            }
        }

        @Test func nodesThatServeTheirOwnRelaysMeetWithoutAnyOther() async throws {
            try await Scene.play { scene in
                let shop = Party(name: "Shop", vault: "\(scene.folder)/s", scene: scene)
                let ann = Party(name: "Ann", vault: "\(scene.folder)/a", scene: scene)
                try await shop.done(["init"])
                try await ann.done(["init"])
                _ = try await shop.startNode()
                _ = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await ann.done(["send", "Shop", "hello"])
                #expect(try await shop.texts("Ann", count: 1) == ["hello"])
            }
        }

        @Test func commandsWorkWithoutARunningNode() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty("Shop", relay: relay)
                let ann = try await scene.makeParty("Ann", relay: relay)
                let uri = try await shop.invite(label: "Ann")
                let accepted = try await ann.ask(
                    Party.Relationship.self, "accept", uri, "--label", "Shop", "--wait", "1")
                #expect(accepted.state == "greeted")
                // Each of these opens the vault, fetches and delivers what it needs, and leaves.
                let watch = try await scene.start(["--vault", shop.vault, "watch", "--after", "0"])
                while try await ann.show("Shop").state != "live" {
                    try await ann.done(["read", "Shop", "--wait", "1"])
                }
                #expect(await watch.stop(SIGINT) == 0)
                try await ann.done(["send", "Shop", "to a node that is not there"])
                try await shop.done(["read", "Ann"])
                #expect(try await shop.texts("Ann", from: "peer") == ["to a node that is not there"])
            }
        }

        @Test func repeatedSendHasOneEffect() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let lines = (1...250).map { "line \($0)" }
                let arguments = ["send", "Shop", "--lines", "--idempotency", "import", "--json"]
                let first = try await couple.ann.done(arguments, input: lines.joined(separator: "\n"))
                    .json(Party.Sent.self)
                let second = try await couple.ann.done(arguments, input: lines.joined(separator: "\n"))
                    .json(Party.Sent.self)
                #expect(!first.isRepeat && second.isRepeat)
                #expect(first.sequences == second.sequences && first.sequences.count == 250)
                try await couple.ann.done(["send", "Shop", "last"])
                #expect(try await couple.shop.texts("Ann", count: 251) == lines + ["last"])
                let other = try await couple.ann.run(arguments, input: "something else")
                #expect(other.status == 65)
            }
        }

        @Test func watchTellsEachEventOnceAndGoesOnFromAPosition() async throws {
            struct Event: Decodable {
                struct Detail: Decodable { let text: String? }
                let position: Int64
                let kind: String
                let detail: Detail
            }
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                try await couple.ann.done(["send", "Shop", "one"])
                try await couple.ann.done(["send", "Shop", "two"])
                _ = try await couple.shop.texts("Ann", count: 2)
                let watch = try await scene.start(["--vault", couple.shop.vault, "watch", "--after", "0", "--json"])
                let first = try JSONDecoder().decode(Event.self, from: Data(watch.firstLine.utf8))
                #expect(first.position == 1)
                #expect(await watch.stop(SIGINT) == 0)
                struct Status: Decodable {
                    struct Fields: Decodable { let lastEvent: Int64 }
                    let status: Fields
                }
                let last = try await couple.shop.ask(Status.self, "doctor").status.lastEvent
                let tail = try await scene.start(
                    ["--vault", couple.shop.vault, "watch", "Ann", "--after", "\(last - 1)", "--json"])
                let event = try JSONDecoder().decode(Event.self, from: Data(tail.firstLine.utf8))
                #expect(event.position == last)
                await tail.stop()
            }
        }

        @Test func ephemeralMessageReachesOnlyWhoWatches() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                async let watching = scene.start(
                    ["--vault", couple.shop.vault, "watch", "Ann", "--after", "0", "--json"])
                try await couple.ann.done(["send", "Shop", "--ephemeral", "on my way"])
                try await couple.ann.done(["send", "Shop", "here"])
                #expect(try await couple.shop.texts("Ann", count: 1) == ["here"])
                await (try await watching).stop()
                let before = try await couple.ann.show("Shop")
                #expect(before.ownRecords == 2)
            }
        }

        @Test func politeEndOfANodeIsNoFailure() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                #expect(await couple.annNode.stop(SIGTERM) == 0)
                #expect(await couple.shopNode.stop(SIGINT) == 0)
                #expect(await couple.relay.stop(SIGTERM) == 0)
                #expect(couple.annNode.log.contains("error") == false)
            }
        }
    }
}
