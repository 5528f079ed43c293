import Foundation
import HandfastTestSupport
import Testing

extension EndToEndTests {
    /// Relays and nodes over databases, as real processes.
    @Suite(.serialized)
    struct PostgresTests {
        private static func database() throws -> String { try PostgresServer.shared.get().newDatabase() }

        static func query(_ sql: String, _ database: String, in scene: Scene) async throws {
            let result = try await Tool.run(
                ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, database],
                program: URL(fileURLWithPath: "/usr/bin/env"), in: scene)
            #expect(result.status == 0, "\(result.errors)")
        }

        /// A relay over a database; all with the same folder's key are the same relay to their clients.
        private static func startRelay(
            _ folder: String, over database: String, at address: String? = nil, in scene: Scene
        ) async throws -> Daemon {
            let place = String(address?.prefix { $0 != "/" } ?? "127.0.0.1:0")
            return try await scene.start(
                ["relay", "run", "--listen", place, "--folder", "\(scene.folder)/\(folder)"],
                environment: ["HANDFAST_STORE": database])
        }

        @Test func nodesAndRelaysThatAreKilledGoOnElsewhere() async throws {
            try await Scene.play { scene in
                let database = try Self.database()
                let first = try await Self.startRelay("r1", over: database, in: scene)
                let address = first.firstLine
                let shopDatabase = try Self.database()
                let shop = try await scene.makeParty(
                    "Shop", relay: address, environment: ["HANDFAST_STORE": shopDatabase])
                let ann = try await scene.makeParty(
                    "Ann", relay: address, environment: ["HANDFAST_STORE": try Self.database()])
                var shopNode = try await shop.startNode()
                _ = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await shop.wait("Ann") { $0.state == "live" }
                for number in 0..<5 { try await ann.done(["send", "Shop", "\(number)", "--wait", "0"]) }

                // The relay's machine is gone; another with the same key goes on over the same database.
                await first.stop(SIGKILL)
                for number in 5..<10 { try await ann.done(["send", "Shop", "\(number)", "--wait", "0"]) }
                try FileManager.default.createDirectory(
                    atPath: "\(scene.folder)/r2", withIntermediateDirectories: false)
                try FileManager.default.copyItem(
                    atPath: "\(scene.folder)/r1/relay.key", toPath: "\(scene.folder)/r2/relay.key")
                _ = try await Self.startRelay("r2", over: database, at: address, in: scene)
                #expect(try await shop.texts("Ann", count: 10) == (0..<10).map { "\($0)" })

                // So is the node's: whoever has its folder's key and configuration takes the vault.
                let spare = try shop.elsewhere("spare")
                let taken = try await spare.startNode()
                #expect(taken.firstLine.contains("stands by"), "\(taken.firstLine)")
                kill(shopNode.processID, SIGSTOP)
                // As if the machine had been away for longer than its term.
                try await Self.query("UPDATE handfast_vault.feed SET until = 0", shopDatabase, in: scene)
                try await ann.done(["send", "Shop", "to the spare one", "--wait", "0"])
                #expect(try await spare.texts("Ann", count: 11).last == "to the spare one")
                // It wakes, sees what it was told to receive, cannot commit it, and ends.
                kill(shopNode.processID, SIGCONT)
                try await ann.done(["send", "Shop", "to both", "--wait", "0"])
                #expect(try await spare.texts("Ann", count: 12).last == "to both")
                #expect(await shopNode.stop(0) == 75, "\(shopNode.log)")

                try await spare.done(["send", "Ann", "all there", "--wait", "0"])
                #expect(try await ann.texts("Shop", count: 1) == ["all there"])
                await taken.stop()
                shopNode = try await shop.startNode()
                try await shop.done(["ledger", "verify", try await shop.export("Ann")])
                let numbers = try await shop.ask(Party.History.self, "read", "Ann", "--wait", "0").entries
                #expect(Set(numbers.compactMap(\.text)).count == numbers.compactMap(\.text).count)
                await shopNode.stop()
            }
        }

        @Test func aVaultThatIsCarriedOverGoesOn() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay()
                let shop = try await scene.makeParty("Shop", relay: relay.address)
                let ann = try await scene.makeParty("Ann", relay: relay.address)
                _ = try await shop.startNode()
                let annNode = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await ann.done(["send", "Shop", "from SQLite"])
                let database = try Self.database()
                let migrate = ["migrate", "--from", "sqlite", "--to", "postgres"]
                #expect(try await ann.run(migrate).status == 64)
                let busy = try await ann.run(migrate + ["--store", database])
                #expect(busy.status == 75, "\(busy.errors)")
                await annNode.stop()

                struct Migrated: Decodable {
                    struct Part: Decodable {
                        let tables: [String: Int]
                        let retired: String
                    }
                    let migrated: [String: Part]
                }
                let result = try await ann.done(migrate + ["--store", database, "--json"]).json(Migrated.self)
                #expect(result.migrated["vault"]?.tables["relationship"] == 1)
                #expect(result.migrated.count == 1)
                var moved = ann
                moved.environment["HANDFAST_STORE"] = database
                _ = try await moved.startNode()
                try await moved.done(["send", "Shop", "from PostgreSQL"])
                #expect(try await shop.texts("Ann", count: 2) == ["from SQLite", "from PostgreSQL"])
                #expect(try await moved.texts("Shop", from: "own") == ["from SQLite", "from PostgreSQL"])
                // Without the database's name there is no vault any more, rather than an old one.
                #expect(try await ann.run(["list", "--wait", "0"]).status != 0)

                // The relay's queues, with what waits in them.
                await relay.daemon.stop()
                try await moved.done(["send", "Shop", "waits", "--wait", "0"])
                let queues = try Self.database()
                let carried = try await Tool.run(
                    migrate + ["--relay-folder", "\(scene.folder)/relay", "--store", queues], in: scene)
                #expect(carried.status == 0 && carried.output.contains("read back"), "\(carried.errors)")
                _ = try await Self.startRelay("relay", over: queues, at: relay.address, in: scene)
                #expect(try await shop.texts("Ann", count: 3).last == "waits")
            }
        }

        @Test func aVaultInADatabaseIsBackedUpBesideItsNodeAndRestoredIntoAnother() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty(
                    "Shop", relay: relay, environment: ["HANDFAST_STORE": try Self.database()])
                let ann = try await scene.makeParty("Ann", relay: relay)
                let shopNode = try await shop.startNode()
                _ = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await ann.done(["send", "Shop", "before"])
                let file = scene.newFile("backup")
                let desk = try shop.elsewhere("desk")
                #expect(try await BackupTests.backUp(desk, to: file).isWhole)
                try await shop.done(["send", "Ann", "added"])
                let added = try await BackupTests.backUp(shop, to: file)
                #expect(!added.isWhole && added.rows > 0)
                try await ann.done(["send", "Shop", "after"])
                _ = try await shop.texts("Ann", count: 2)
                await shopNode.stop(SIGKILL)

                let again = Party(
                    name: "Shop", vault: scene.newFile("restored"), scene: scene,
                    environment: ["HANDFAST_STORE": try Self.database()])
                let restored = try await Tool.run(
                    ["restore", file, "--into", again.vault, "--json"], in: scene,
                    environment: BackupTests.passphrase.merging(again.environment) { $1 })
                #expect(restored.status == 0, "\(restored.errors)")
                #expect(!FileManager.default.fileExists(atPath: "\(again.vault)/vault.sqlite"))
                // The configuration names the new database now, not the one of the old vault.
                let named = Party(name: "Shop", vault: again.vault, scene: scene)
                _ = try await named.startNode()
                try await named.wait("Ann") { $0.epoch > 0 && !$0.isRejoining && $0.trouble == nil }
                #expect(try await named.texts("Ann", count: 2) == ["before", "after"])
                #expect(try await named.texts("Ann", from: "own") == ["added"])
                try await named.done(["send", "Ann", "again"])
                #expect(try await ann.texts("Shop", count: 2) == ["added", "again"])
                let twice = try await Tool.run(
                    ["restore", file, "--into", scene.newFile("other")], in: scene,
                    environment: BackupTests.passphrase.merging(again.environment) { $1 })
                #expect(twice.status == 73, "\(twice.errors)")
            }
        }

        @Test func noPasswordIsShown() async throws {
            try await Scene.play { scene in
                let party = Party(
                    name: "Ann", vault: "\(scene.folder)/ann", scene: scene,
                    environment: ["HANDFAST_STORE": "postgres://ann:s3cret@127.0.0.1:1/none"])
                for command in [["config", "show"], ["config", "check"], ["init"], ["config", "show", "--json"]] {
                    let result = try await party.run(command)
                    #expect(!(result.output + result.errors).contains("s3cret"), "\(command)")
                }
                #expect(try await party.done(["config", "show"]).output.contains("postgres://ann@127.0.0.1:1/none"))
                let bad = try await party.run(
                    ["config", "check"], environment: ["HANDFAST_STORE": "postgres://ann:s3cret@host/y?nonsense=1"])
                #expect(bad.status == 65 && !bad.output.contains("s3cret") && bad.output.contains("HANDFAST_STORE"))
            }
        }
    }
}
