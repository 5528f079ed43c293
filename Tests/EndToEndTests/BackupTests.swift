import Foundation
import HandfastTestSupport
import Testing

extension EndToEndTests {
    /// Backups that are made while a node runs, and vaults that are made from them.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct BackupTests {
        static let passphrase = ["HANDFAST_BACKUP_PASSPHRASE": "of the backup"]

        struct Report: Decodable {
            let size: UInt64
            let written: UInt64
            let rows: UInt64
            let isWhole: Bool
        }

        struct Restored: Decodable {
            let relationships: Int
            let asking: Int
            let records: Int
            let files: [String]
            let attachments: Int
        }

        static func backUp(_ party: Party, to path: String) async throws -> Report {
            let result = try await party.run(["backup", path, "--json"], environment: passphrase)
            guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: ["backup"], result: result) }
            return try result.json(Report.self)
        }

        /// Makes another vault from a backup, whose owner is the same person.
        static func restore(_ path: String, of party: Party) async throws -> (party: Party, report: Restored) {
            let folder = party.scene.newFile("restored")
            let result = try await Tool.run(
                ["restore", path, "--into", folder, "--json"], in: party.scene, environment: passphrase)
            guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: ["restore"], result: result) }
            return (Party(name: party.name, vault: folder, scene: party.scene), try result.json(Restored.self))
        }

        /// Says something once, and again where the channel is just being begun anew.
        static func say(_ text: String, _ party: Party, to name: String) async throws {
            try await Party.until("\(party.name) could not send") {
                let result = try await party.run(["send", name, text, "--idempotency", text])
                return result.status == 0 ? true : nil
            }
        }

        /// The pitfall of element-ios#2814, a restore that rolls the ratchet back, with real processes: what was said after the backup comes back from the other
        /// side, what only the lost vault had said is void, and both go on without a person's help.
        @Test func restoredVaultGoesOnByItselfWithEveryPeer() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let (ann, shop) = (couple.ann, couple.shop)
                try await ann.done(["send", "Shop", "before"])
                let file = scene.newFile("backup")
                let first = try await Self.backUp(ann, to: file)
                #expect(first.isWhole)
                try await ann.done(["send", "Shop", "after"])
                let second = try await Self.backUp(ann, to: file)
                #expect(!second.isWhole && second.written < first.size / 2, "\(second)")
                try await ann.done(["send", "Shop", "lost"])
                try await shop.done(["send", "Ann", "lost, too"])
                _ = try await ann.texts("Shop", count: 1)
                _ = try await shop.texts("Ann", count: 3)
                await couple.annNode.stop(SIGKILL)
                try FileManager.default.removeItem(atPath: ann.vault)
                try await shop.done(["send", "Ann", "while you were out"])

                let (again, report) = try await Self.restore(file, of: ann)
                #expect(report.relationships == 1 && report.asking == 1 && report.files == ["config.json"])
                // Nothing is signed before an epoch stands.
                let early = try await again.run(["send", "Shop", "too early", "--wait", "0"])
                #expect(early.status == 69 && early.errors.contains("restored from a backup"), "\(early)")
                _ = try await again.startNode()
                try await again.wait("Shop") { $0.epoch > 0 && !$0.isRejoining && $0.trouble == nil }
                #expect(try await again.texts("Shop", count: 2) == ["lost, too", "while you were out"])
                #expect(try await again.texts("Shop", from: "own") == ["before", "after", "lost"])
                try await Self.say("again", again, to: "Shop")
                #expect(try await shop.texts("Ann", count: 4) == ["before", "after", "lost", "again"])
                let exports = (try await again.export("Shop"), try await shop.export("Ann"))
                let verified = try await again.done(["ledger", "verify", exports.0, exports.1])
                #expect(verified.status == 0)
                // What came back is part of the next backup, which is another vault's.
                let other = try await again.run(["backup", file], environment: Self.passphrase)
                #expect(other.status == 65 && other.errors.contains("another vault"), "\(other)")
                #expect(try await Self.backUp(again, to: scene.newFile("backup")).isWhole)
            }
        }

        /// The whole machine is gone, with it the relay that the node served itself; its key is in the backup, so that
        /// the address that peers know stays true.
        @Test func restoreBringsBackANodeThatWasItsOwnRelay() async throws {
            try await Scene.play { scene in
                let (_, address) = try await scene.startRelay()
                let shop = try await scene.makeParty("Shop", relay: address)
                _ = try await shop.startNode()
                let ann = Party(name: "Ann", vault: "\(scene.folder)/Ann", scene: scene)
                try await ann.done(["init", "--name", "Ann"])
                let node = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                let file = scene.newFile("backup")
                #expect(try await Self.backUp(ann, to: file).isWhole)
                try await shop.done(["send", "Ann", "known to the lost machine"])
                _ = try await ann.texts("Shop", count: 1)
                await node.stop(SIGKILL)
                try FileManager.default.removeItem(atPath: ann.vault)
                let (again, report) = try await Self.restore(file, of: ann)
                #expect(Set(report.files) == ["config.json", "relay.key"])
                _ = try await again.startNode()
                try await again.wait("Shop") { $0.epoch > 0 && !$0.isRejoining }
                try await Self.say("new", shop, to: "Ann")
                #expect(try await again.texts("Shop", count: 2) == ["known to the lost machine", "new"])
                try await Self.say("here I am", again, to: "Shop")
                #expect(try await shop.texts("Ann", count: 1) == ["here I am"])
            }
        }

        /// The old node comes back beside the restored one: each owner is shown it, what the peer said comes once, and
        /// what the old one says is not taken for said.
        @Test func oldNodeBesideTheRestoredOneIsShownAndLosesNothingOfThePeer() async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                let (old, shop) = (couple.ann, couple.shop)
                let file = scene.newFile("backup")
                _ = try await Self.backUp(old, to: file)
                try await old.done(["send", "Shop", "from the old one"])
                _ = try await shop.texts("Ann", count: 1)
                // Whichever acknowledges first takes it from the other: the old one does not move until the shop is away.
                couple.annNode.hold()
                let (again, _) = try await Self.restore(file, of: old)
                let node = try await again.startNode()
                try await again.wait("Shop") { $0.epoch > 0 && !$0.isRejoining }
                try await Self.say("from the new one", again, to: "Shop")
                #expect(try await shop.texts("Ann", count: 2) == ["from the old one", "from the new one"])
                try await Self.say("heard", shop, to: "Ann")
                #expect(try await again.texts("Shop", count: 1) == ["heard"])

                await couple.shopNode.stop(SIGTERM)
                couple.annNode.resume()
                _ = try await old.run(["send", "Shop", "from the old one, too", "--wait", "0"])
                // It asked for new keys, which the relay has.
                let beside = try await old.wait("Shop") { $0.isRejoining && $0.waiting == 0 }
                #expect(beside.trouble != nil)
                try await old.isShownTheCopy()
                try await again.done(["send", "Shop", "while the shop is closed", "--wait", "0"])
                try await again.isShownTheCopy()
                // Stopped at last, the old one leaves the field: the restored one and the shop agree.
                await couple.annNode.stop(SIGTERM)
                couple.shopNode = try await shop.startNode()
                try await Self.say("and again", again, to: "Shop")
                try await Self.say("heard, too", shop, to: "Ann")
                #expect(try await again.texts("Shop", count: 2) == ["heard", "heard, too"])
                let said = ["from the old one", "from the new one", "while the shop is closed", "and again"]
                #expect(try await shop.texts("Ann", count: 4) == said)
                #expect(try await again.texts("Shop", from: "own") == said)
                #expect(try await old.show("Shop").isRejoining)
                await node.stop(SIGTERM)
            }
        }

        @Test func restoreRefusesWhatWouldDoHarmAndSaysWhy() async throws {
            try await Scene.play { scene in
                let ann = try await scene.makeParty("Ann", relay: "127.0.0.1:1/\(String(repeating: "A", count: 43))")
                let file = scene.newFile("backup")
                let missing = try await ann.run(["backup", file])
                #expect(missing.status == 64 && missing.errors.contains("--backup-passphrase-file"), "\(missing)")
                _ = try await Self.backUp(ann, to: file)
                #expect(try await ann.run(["doctor"]).output.contains("no backup") == false)
                let over = try await ann.run(["restore", file, "--into", ann.vault], environment: Self.passphrase)
                #expect(over.status == 64, "\(over)")
                func restore(_ path: String, _ folder: String, _ passphrase: String) async throws -> Tool.Result {
                    try await Tool.run(
                        ["restore", path, "--into", folder], in: scene,
                        environment: ["HANDFAST_BACKUP_PASSPHRASE": passphrase])
                }
                let existing = try await restore(file, ann.vault, "of the backup")
                #expect(existing.status == 73 && existing.errors.contains("already"), "\(existing)")
                let folder = scene.newFile("new")
                let wrong = try await restore(file, folder, "wrong")
                #expect(wrong.status == 77 && wrong.errors.contains("passphrase"), "\(wrong)")
                var bytes = try #require(FileManager.default.contents(atPath: file))
                bytes[bytes.count - 40] ^= 1
                let changed = scene.newFile("changed")
                try bytes.write(to: URL(fileURLWithPath: changed))
                let damaged = try await restore(changed, folder, "of the backup")
                #expect(damaged.status == 65 && damaged.errors.contains("damaged"), "\(damaged)")
                #expect(!FileManager.default.fileExists(atPath: folder))
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/config.json"))
                let occupied = try await restore(file, folder, "of the backup")
                #expect(occupied.status == 73 && occupied.errors.contains("config.json"), "\(occupied)")
                #expect(!FileManager.default.fileExists(atPath: "\(folder)/vault.sqlite"))
                #expect(!FileManager.default.fileExists(atPath: "\(folder)/vault.key"))
            }
        }
    }
}
