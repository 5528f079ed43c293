import Foundation
import Testing

extension EndToEndTests {
    /// What whoever operates a relay or node reads of it.
    @Suite(.serialized)
    struct MetricsTests {
        struct Started: Decodable {
            let address: String?
            let metrics: String
        }

        /// What an HTTP client of another make gets: the status and the body.
        func page(_ path: String, at place: String, in scene: Scene) async throws -> (status: Int, body: String) {
            let script = """
                import sys, urllib.error, urllib.request
                try:
                    answer = urllib.request.urlopen(sys.argv[1], timeout=20)
                except urllib.error.HTTPError as error:
                    answer = error
                print(answer.status)
                print(answer.read().decode(), end="")
                """
            let result = try await Tool.run(
                ["-c", script, "http://\(place)\(path)"], program: URL(fileURLWithPath: "/usr/bin/python3"), in: scene)
            try #require(result.status == 0, "\(result.errors)")
            let parts = result.output.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return (try #require(Int(parts[0])), String(parts[1]))
        }

        @Test func aRelayTellsWhatItDoes() async throws {
            try await Scene.play { scene in
                let relay = try await scene.start([
                    "relay", "run", "--json", "--listen", "127.0.0.1:0", "--folder", "\(scene.folder)/relay",
                    "--metrics", "127.0.0.1:0",
                ])
                let started = try JSONDecoder().decode(Started.self, from: Data(relay.firstLine.utf8))
                let place = started.metrics
                #expect(try await page("/livez", at: place, in: scene) == (200, "alive\n"))
                #expect(try await page("/readyz", at: place, in: scene) == (200, "ready\n"))
                #expect(try await page("/", at: place, in: scene).status == 404)

                let shop = try await scene.makeParty("Shop", relay: try #require(started.address))
                let ann = try await scene.makeParty("Ann", relay: try #require(started.address))
                _ = try await shop.startNode()
                _ = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])

                let text = try await page("/metrics", at: place, in: scene).body
                let figures = try Dictionary(
                    text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                        let space = try #require(line.lastIndex(of: " "))
                        return (String(line[..<space]), try #require(Double(line[space...].dropFirst())))
                    }, uniquingKeysWith: { first, _ in first })
                #expect(figures[#"handfast_relay_knocks_total{outcome="stored"}"#] == 1)
                #expect(try #require(figures["handfast_relay_stored_messages_total"]) > 1)
                #expect(try #require(figures["handfast_relay_connections"]) >= 2)
                #expect(figures["handfast_relay_kept_limit_bytes"] == 68_719_476_736)
                let commits = try #require(figures["handfast_relay_commit_seconds_count"])
                #expect(commits > 0)
                #expect(figures[#"handfast_relay_commit_seconds_bucket{le="+Inf"}"#] == commits)
                #expect(text.contains("# TYPE handfast_relay_commit_seconds histogram\n"))
                for secret in [relay.firstLine.split(separator: "/").last ?? "", "127.0.0.1"] {
                    #expect(!text.contains(secret))
                }
            }
        }

        /// A file of the folder Docs.
        private static func guide(_ name: String) throws -> String {
            let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../Docs/\(name)").standardizedFileURL
            return try String(contentsOf: url, encoding: .utf8)
        }

        @Test func theServiceFileStartsARelayThatTellsWhatTheGuideNames() async throws {
            try await Scene.play { scene in
                let unit = try Self.guide("handfast-relay.service")
                let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
                let places = [
                    "[::]:7447": "127.0.0.1:0", "127.0.0.1:9447": "127.0.0.1:0",
                    "/var/lib/handfast-relay": "\(scene.folder)/relay",
                ]
                let words = line.split(separator: " ").dropFirst().map { places[String($0)] ?? String($0) }
                let relay = try await scene.start(
                    words + ["--json"], environment: ["HANDFAST_RELAY_ADVERTISE": "relay.example"])
                let started = try JSONDecoder().decode(Started.self, from: Data(relay.firstLine.utf8))
                #expect(try #require(started.address).hasPrefix("relay.example:"))
                let told = try await page("/metrics", at: started.metrics, in: scene).body
                let named = try Self.guide("operating-a-relay.md").matches(of: /`(handfast_relay_[a-z_]+)/).map(
                    \.output.1)
                #expect(named.count >= 12)
                for name in named { #expect(told.contains("\n\(name)"), "\(name)") }
                #expect(await relay.stop() == 0)
            }
        }

        @Test func aNodeTellsThatItIsReady() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay()
                let shop = try await scene.makeParty("Shop", relay: relay.address)
                let node = try await scene.start(
                    ["--vault", shop.vault, "node", "run", "--json"],
                    environment: ["HANDFAST_METRICS_LISTEN": "127.0.0.1:0"])
                let started = try JSONDecoder().decode(Started.self, from: Data(node.firstLine.utf8))
                #expect(try await page("/readyz", at: started.metrics, in: scene) == (200, "ready\n"))
                try await shop.done(["invite"])
                func figure(_ name: String) async throws -> String? {
                    try await page("/metrics", at: started.metrics, in: scene).body.split(separator: "\n")
                        .first { $0.hasPrefix("handfast_node_\(name) ") }?.split(separator: " ").last.map(String.init)
                }
                try await Party.until("a relay that is attached to") {
                    try await figure("relays_connected") == "1" ? true : nil
                }
                #expect(try await figure("relays") == "1")
                #expect(try await figure("behind_messages") == "0")
                #expect(try await figure("disconnected_seconds") == "0")
                await relay.daemon.stop(SIGKILL)
                try await Party.until("seconds without the relay") { () -> Bool? in
                    guard try await figure("relays_connected") == "0" else { return nil }
                    return try await figure("disconnected_seconds") == "0" ? nil : true
                }
            }
        }
    }
}
