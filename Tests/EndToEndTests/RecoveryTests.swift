import Foundation
import HandfastTestSupport
import Testing

extension EndToEndTests {
    /// Recovery words, and what is left to a thief once they were used.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct RecoveryTests {
        struct Created: Decodable {
            let words: String
            let keys: Int
        }

        struct Rotated: Decodable {
            let rotated: Int
            let refusals: [String]
            let inVault: Int
            let keys: Int
            let wellKnown: String?
        }

        /// Makes recovery words, and waits until every identity promises a key of theirs.
        private static func words(of party: Party, keys: Int = 20) async throws -> String {
            let file = party.scene.newFile("words")
            let created = try await party.ask(Created.self, "recovery", "create", "--keys", "\(keys)")
            #expect(created.keys == keys)
            try created.words.write(toFile: file, atomically: true, encoding: .utf8)
            return file
        }

        /// How many events of a kind the feed holds.
        private static func events(of party: Party, _ kind: String, in scene: Scene) async throws -> Int {
            let watch = try await scene.start(["--vault", party.vault, "watch", "--after", "0", "--json"])
            defer { watch.abandon() }
            return watch.output.split(separator: "\n").count { $0.contains("\"\(kind)\"") }
        }

        private static func relationship(_ party: Party, _ name: String, is standing: String) async throws {
            try await party.wait(name) { !$0.isRejoining && $0.trouble == nil && $0.state == standing }
        }

        /// The device is stolen while it runs, with everything on it; its owner has a backup and the words.
        @Test func thiefWithACopyOfTheVaultHasNothingOnceTheWordsWereUsed() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let (ann, shop) = (couple.ann, couple.shop)
                let words = try await Self.words(of: ann)
                try await ann.done(["send", "Shop", "before"])
                _ = try await shop.texts("Ann", count: 1)
                // Not even the owner rotates without the words.
                let alone = try await ann.run(["rotate", "Shop"])
                #expect(alone.status == 65 && alone.errors.contains("recovery rotate"), "\(alone)")
                let file = scene.newFile("backup")
                _ = try await BackupTests.backUp(ann, to: file)
                try await ann.done(["send", "Shop", "after the backup"])
                _ = try await shop.texts("Ann", count: 2)
                await couple.annNode.stop(SIGKILL)
                let thief = Party(name: "Thief", vault: scene.newFile("stolen"), scene: scene)
                try FileManager.default.moveItem(atPath: ann.vault, toPath: thief.vault)

                let (owner, _) = try await BackupTests.restore(file, of: ann)
                let ownerNode = try await owner.startNode()
                try await Self.relationship(owner, "Shop", is: "live")
                // What a later state may have promised is promised to nobody else.
                let doctor = try await owner.run(["doctor"])
                #expect(doctor.output.contains("handfast recovery refill"), "\(doctor)")
                let wrong = scene.newFile("words")
                let right = try String(contentsOfFile: words, encoding: .utf8)
                try "\(right.hasPrefix("babab") ? "babad" : "babab")\(right.dropFirst(5))"
                    .write(toFile: wrong, atomically: true, encoding: .utf8)
                #expect(try await owner.run(["recovery", "rotate", "--words", wrong]).status == 65)
                let rotated = try await owner.done(
                    ["recovery", "rotate", "--words", words, "--keys", "5", "--json"]
                ).json(Rotated.self)
                #expect(rotated.rotated == 1 && rotated.refusals.isEmpty && rotated.keys == 5, "\(rotated)")
                try await Party.until("the rotation is said") {
                    try await shop.done(["read", "Ann", "--from", "peer", "--json"]).json(Party.History.self)
                        .entries.contains { $0.type == "relationship/rotate" && $0.sequence > 4 } ? true : nil
                }
                try await Self.relationship(owner, "Shop", is: "live")
                try await BackupTests.say("it is me", owner, to: "Shop")
                _ = try await shop.texts("Ann", count: 3)
                await ownerNode.stop(SIGTERM)
                let before = try await shop.show("Ann")

                // Now the thief has the field alone, the owner's relay service included.
                let thiefNode = try await thief.startNode()
                for _ in 0..<2 {
                    _ = try await thief.run(["rejoin", "Shop", "--wait", "2"])
                    let sent = try await thief.run(["send", "Shop", "I am Ann", "--wait", "1"])
                    #expect(sent.status != 0, "\(sent)")
                }
                // The queue of the shop that the thief knows takes nothing any more.
                try await Party.until("the shop's relay refuses the thief's rejoin") {
                    let events = try await Self.events(of: thief, "delivery.refused", in: scene)
                    return events > 0 ? true : nil
                }
                let rotation = try await thief.run(["rotate", "Shop"])
                #expect(rotation.status != 0, "\(rotation)")
                _ = try await shop.run(["send", "Ann", "for Ann alone", "--wait", "2"])
                let after = try await shop.show("Ann")
                #expect(after.peerRecords == before.peerRecords && after.state == "live")
                #expect(try await shop.texts("Ann", from: "peer") == ["before", "after the backup", "it is me"])
                #expect(try await thief.texts("Shop", from: "peer").isEmpty)
                #expect(try await !thief.texts("Shop", from: "own").contains("it is me"))
                await thiefNode.stop(SIGKILL)

                // The owner comes back, and goes on.
                _ = try await owner.startNode()
                try await owner.done(["rejoin", "Shop", "--wait", "30"])
                try await BackupTests.say("still me", owner, to: "Shop")
                #expect(try await shop.texts("Ann", count: 4).last == "still me")
            }
        }

        /// A vendor's public identity, whose key stands behind all of its relationships.
        @Test func publicIdentityIsRotatedWithTheWordsAndTold() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let words = try await Self.words(of: couple.shop)
                #expect(try await couple.shop.run(["rotate", "--public"]).status == 65)
                try await Self.relationship(couple.shop, "Ann", is: "live")
                let rotated = try await couple.shop.done(
                    ["recovery", "rotate", "--words", words, "--json"]
                ).json(Rotated.self)
                #expect(rotated.rotated == 2 && rotated.inVault == 0, "\(rotated)")
                let path = try #require(rotated.wellKnown)
                // The inception, the rotation that took the words up, and that with the words.
                #expect(try #require(FileManager.default.contents(atPath: path)).first == 0x83)
                try await Self.relationship(couple.shop, "Ann", is: "live")
                try await BackupTests.say("same shop", couple.shop, to: "Ann")
                #expect(try await couple.ann.texts("Shop", count: 1) == ["same shop"])
                let types = try await Party.until("the customer is told") {
                    let entries = try await couple.ann.ask(Party.History.self, "read", "Shop", "--from", "peer").entries
                    let count = entries.count { $0.type == "relationship/endorse" }
                    return count == 2 ? entries.map(\.type) : nil
                }
                #expect(types.count { $0 == "relationship/rotate" } == 2)
            }
        }
    }
}
