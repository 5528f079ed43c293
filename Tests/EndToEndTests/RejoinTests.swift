import Foundation
import HandfastTestSupport
import Testing

extension EndToEndTests {
    /// Stores that are copied back or lost: what both sides acknowledged comes back, and they go on.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct RejoinTests {
        @Test func vaultThatIsCopiedBackGetsBackWhatItForgot() async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                try await Self.talk(couple, "before")
                let copy = try await Self.copyVault(of: couple.ann, &couple.annNode)
                try await Self.talk(couple, "forgotten")
                await couple.annNode.stop(SIGTERM)
                try Self.replace(couple.ann.vault, by: copy)
                // Nobody is at home when this is said; it waits at the relay.
                try await couple.shop.done(["send", "Ann", "while you were out"])
                couple.annNode = try await couple.ann.startNode()
                try await Self.rejoined(couple)
                #expect(try await couple.ann.texts("Shop", from: "own") == ["ann before", "ann forgotten"])
                try await Self.talk(couple, "after")
                try await Self.compare(
                    couple, ann: ["ann before", "ann forgotten", "ann after"],
                    shop: ["shop before", "shop forgotten", "while you were out", "shop after"])
            }
        }

        @Test func recordThatContradictsWhatThePeerHoldsIsVoidAndTold() async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                let copy = try await Self.copyVault(of: couple.ann, &couple.annNode)
                try await couple.ann.done(["send", "Shop", "two pounds"])
                #expect(try await couple.shop.texts("Ann", count: 1) == ["two pounds"])
                await couple.annNode.stop(SIGTERM)
                try Self.replace(couple.ann.vault, by: copy)
                // Without a node nothing shows yet that the vault is old: this is signed in the place of the other.
                try await couple.ann.done(["send", "Shop", "three pounds", "--wait", "0"])
                couple.annNode = try await couple.ann.startNode()
                try await Self.rejoined(couple)
                let void = try await couple.ann.event("record.voided")
                #expect(void.detail.text == "three pounds")
                try await couple.ann.done(["send", "Shop", "three pounds"])
                #expect(try await couple.shop.texts("Ann", count: 2) == ["two pounds", "three pounds"])
                try await Self.compare(couple, ann: ["two pounds", "three pounds"], shop: [])
            }
        }

        /// What becomes of the relay's store.
        enum Fate: CaseIterable {
            case lost
            case copiedBack
        }

        @Test(arguments: Fate.allCases)
        func relayThatLosesWhatItConfirmedLosesNoMessage(fate: Fate) async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                let folder = "\(scene.folder)/relay"
                let copy = scene.newFile("copy")
                await couple.relay.stop(SIGTERM)
                try FileManager.default.copyItem(atPath: folder, toPath: copy)
                var relay = try await scene.startRelay(at: couple.relayAddress).daemon
                try await Self.talk(couple, "before")
                // The relay confirms it, and nobody fetches it.
                await couple.annNode.stop(SIGTERM)
                try await couple.shop.done(["send", "Ann", "confirmed"])
                try await couple.shop.wait("Ann") { $0.waiting == 0 }
                await relay.stop(SIGKILL)
                switch fate {
                case .lost:
                    for suffix in ["", "-wal", "-shm"] {
                        try? FileManager.default.removeItem(atPath: "\(folder)/relay.sqlite\(suffix)")
                    }
                case .copiedBack: try Self.replace(folder, by: copy)
                }
                relay = try await scene.startRelay(at: couple.relayAddress).daemon
                couple.annNode = try await couple.ann.startNode()
                _ = try await couple.ann.texts("Shop", count: 2)
                try await Self.rejoined(couple)
                try await Self.talk(couple, "after")
                try await Self.compare(
                    couple, ann: ["ann before", "ann after"], shop: ["shop before", "confirmed", "shop after"])
            }
        }

        @Test func bothVaultsCopiedBackGoOnFromWhatIsLeft() async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                try await Self.talk(couple, "both know")
                let oldAnn = try await Self.copyVault(of: couple.ann, &couple.annNode)
                try await Self.talk(couple, "the shop knows")
                let oldShop = try await Self.copyVault(of: couple.shop, &couple.shopNode)
                try await Self.talk(couple, "nobody knows")
                await couple.annNode.stop(SIGTERM)
                await couple.shopNode.stop(SIGTERM)
                try Self.replace(couple.ann.vault, by: oldAnn)
                try Self.replace(couple.shop.vault, by: oldShop)
                couple.annNode = try await couple.ann.startNode()
                couple.shopNode = try await couple.shop.startNode()
                try await Self.rejoined(couple)
                try await Self.talk(couple, "after")
                try await Self.compare(
                    couple, ann: ["ann both know", "ann the shop knows", "ann after"],
                    shop: ["shop both know", "shop the shop knows", "shop after"])
            }
        }

        /// Each is shown the other, what either said was read once or is shown not to have been, and the one that stays goes
        /// on.
        @Test func twoNodesOnOneCopiedVaultAreShownAndHealOnceOneIsStopped() async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                let (ann, shop) = (couple.ann, couple.shop)
                let copy = Party(
                    name: "Ann's copy", vault: try await Self.copyVault(of: ann, &couple.annNode), scene: scene)
                let copyNode = try await copy.startNode()
                for party in [ann, copy] {
                    try await party.wait("Shop") { $0.receiving.first?.isConnected == true }
                }
                // Both have sent and received before, as far as they know, when the copy is the first to speak.
                try await copy.done(["send", "Shop", "by the copy"])
                #expect(try await shop.texts("Ann", count: 1) == ["by the copy"])
                // Whichever acknowledges first takes it from the other: the copy does not move until the shop is away.
                copyNode.hold()
                try await ann.done(["send", "Shop", "in the same place", "--wait", "0"])
                try await Self.rejoined(couple)
                #expect(try await ann.event("record.voided").detail.text == "in the same place")
                #expect(try await ann.done(["doctor"]).output.contains("or another node is at work on a copy of it"))
                try await BackupTests.say("once more", ann, to: "Shop")
                try await BackupTests.say("heard", shop, to: "Ann")
                #expect(try await ann.texts("Shop", count: 1) == ["heard"])
                #expect(try await shop.texts("Ann", count: 2) == ["by the copy", "once more"])

                await couple.shopNode.stop(SIGTERM)
                copyNode.resume()
                _ = try await copy.run(["send", "Shop", "too late", "--wait", "0"])
                // It asked for new keys, which the relay has.
                try await copy.wait("Shop") { $0.isRejoining && $0.waiting == 0 }
                try await copy.isShownTheCopy()
                try await ann.done(["send", "Shop", "while the shop is closed", "--wait", "0"])
                try await ann.isShownTheCopy()
                await copyNode.stop(SIGTERM)

                couple.shopNode = try await shop.startNode()
                try await Self.rejoined(couple)
                try await BackupTests.say("after", ann, to: "Shop")
                try await BackupTests.say("heard, too", shop, to: "Ann")
                _ = try await (shop.texts("Ann", count: 4), ann.texts("Shop", count: 2))
                try await Self.compare(
                    couple, ann: ["by the copy", "once more", "while the shop is closed", "after"],
                    shop: ["heard", "heard, too"])
                let left = try await copy.show("Shop")
                #expect(left.isRejoining && left.trouble != nil)
            }
        }

        @Test func killsAtAnyInstantOfARejoinLoseNothing() async throws {
            let seed =
                ProcessInfo.processInfo.environment["HANDFAST_SEED"].flatMap { UInt64($0) }
                ?? .random(in: 0..<1_000_000)
            print("rejoin: HANDFAST_SEED=\(seed)")
            var random = SeededEntropy(seed: seed)
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                try await Self.talk(couple, "0")
                for round in 1...3 {
                    let copy = try await Self.copyVault(of: couple.ann, &couple.annNode)
                    try await Self.talk(couple, "\(round)")
                    await couple.annNode.stop(SIGTERM)
                    try Self.replace(couple.ann.vault, by: copy)
                    for _ in 0..<3 {
                        couple.annNode = try await couple.ann.startNodeOnceFree()
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<120, using: &random)))
                        if Bool.random(using: &random) {
                            await couple.shopNode.stop(SIGKILL)
                            couple.shopNode = try await couple.shop.startNodeOnceFree()
                        }
                        await couple.annNode.stop(SIGKILL)
                    }
                    couple.annNode = try await couple.ann.startNodeOnceFree()
                    try await Self.rejoined(couple, what: "seed \(seed), round \(round)")
                }
                try await Self.talk(couple, "after")
                let rounds = ["0", "1", "2", "3", "after"]
                try await Self.compare(couple, ann: rounds.map { "ann \($0)" }, shop: rounds.map { "shop \($0)" })
            }
        }

        @Test func rejoinIsRefusedWithWordsWhereItCannotBe() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                try await couple.shop.done(["rejoin", "Ann", "--wait", "20"])
                try await Self.rejoined(couple)
                #expect(try await couple.shop.show("Ann").epoch == 1)
                await couple.annNode.stop(SIGTERM)
                // Ann does not answer: nothing can be sent, and that is said.
                let asked = try await couple.shop.ask(Party.Relationship.self, "rejoin", "Ann", "--wait", "0")
                #expect(asked.isRejoining)
                let send = try await couple.shop.run(["send", "Ann", "too early"])
                #expect(send.status == 69 && send.errors.contains("answer"), "\(send)")
                #expect(try await couple.shop.done(["list"]).output.contains("handfast show"))
                #expect(try await couple.shop.done(["show", "Ann"]).output.contains("answer"))
                _ = try await couple.ann.startNode()
                try await Self.rejoined(couple)
                try await Self.talk(couple, "after")
                try await couple.shop.done(["end", "Ann"])
                try await couple.shop.wait("Ann") { $0.state == "ended" }
                let ended = try await couple.shop.run(["rejoin", "Ann"])
                #expect(ended.status != 0 && ended.errors.contains("ended"), "\(ended)")
            }
        }

        // MARK: Steps

        /// Each says something, and each gets what the other said.
        private static func talk(_ couple: Couple, _ text: String) async throws {
            let counts = (
                try await couple.shop.texts("Ann", from: "peer").count,
                try await couple.ann.texts("Shop", from: "peer").count
            )
            try await couple.ann.done(["send", "Shop", "ann \(text)"])
            try await couple.shop.done(["send", "Ann", "shop \(text)"])
            #expect(try await couple.shop.texts("Ann", count: counts.0 + 1).last == "ann \(text)")
            #expect(try await couple.ann.texts("Shop", count: counts.1 + 1).last == "shop \(text)")
        }

        /// A copy of a vault, made as it has to be: while its node is down. The node runs again afterwards.
        private static func copyVault(of party: Party, _ node: inout Daemon) async throws -> String {
            await node.stop(SIGTERM)
            let copy = party.scene.newFile("copy")
            try FileManager.default.copyItem(atPath: party.vault, toPath: copy)
            node = try await party.startNode()
            return copy
        }

        private static func replace(_ folder: String, by copy: String) throws {
            try FileManager.default.removeItem(atPath: folder)
            try FileManager.default.copyItem(atPath: copy, toPath: folder)
        }

        /// Waits until a new epoch stands on both sides and both hold the same.
        private static func rejoined(_ couple: Couple, what: String = "") async throws {
            let end = ContinuousClock.now + Party.patience
            var last = ""
            while ContinuousClock.now < end {
                let shop = try await couple.shop.wait("Ann") { $0.epoch > 0 && !$0.isRejoining }
                let ann = try await couple.ann.wait("Shop") { $0.epoch > 0 && !$0.isRejoining }
                last = "\(shop) \(ann)"
                if shop.epoch == ann.epoch, shop.trouble == nil, ann.trouble == nil,
                    shop.ownRecords == ann.peerRecords, ann.ownRecords == shop.peerRecords
                {
                    return
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw Party.NeverCame(description: "the two do not agree: \(what) \(last)")
        }

        /// Both sides hold the same, each text once and in order, and both ledgers verify and agree.
        private static func compare(_ couple: Couple, ann: [String], shop: [String]) async throws {
            struct Verdict: Decodable {
                struct Agreement: Decodable { let isComplete: Bool }
                let agreement: Agreement
            }
            #expect(try await couple.ann.texts("Shop", from: "own") == ann)
            #expect(try await couple.shop.texts("Ann", from: "peer") == ann)
            #expect(try await couple.shop.texts("Ann", from: "own") == shop)
            #expect(try await couple.ann.texts("Shop", from: "peer") == shop)
            let files = [try await couple.ann.export("Shop"), try await couple.shop.export("Ann")]
            let verdict = try await couple.ann.done(["ledger", "verify", "--json"] + files).json(Verdict.self)
            #expect(verdict.agreement.isComplete)
        }
    }
}
