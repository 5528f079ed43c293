import DeliveryHistory
import Foundation
import Testing

extension EndToEndTests {
    /// Disks that fail and networks that part under real processes, while they talk: what was acknowledged is read once and
    /// in order, and what went wrong is said.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct FaultTests {
        /// What two sides say to each other, and what became of it.
        private struct Conversation {
            let shop: Party
            let ann: Party
            private var history = DeliveryHistory()
            private var count = 0
            /// What got no answer, to be said again under the same key.
            private var unanswered: [(text: String, isFromAnn: Bool)] = []

            init(shop: Party, ann: Party) {
                self.shop = shop
                self.ann = ann
            }

            /// One side says something; how its command ends.
            @discardableResult
            mutating func say(fromAnn: Bool) async throws -> Tool.Result {
                count += 1
                let text = "\(fromAnn ? "ann" : "shop") \(count)"
                return try await say(text, fromAnn: fromAnn)
            }

            private mutating func say(_ text: String, fromAnn: Bool) async throws -> Tool.Result {
                history.tries(text, in: fromAnn ? "to shop" : "to ann")
                let result = try await (fromAnn ? ann : shop).run(
                    ["send", fromAnn ? "Shop" : "Ann", text, "--idempotency", text, "--wait", "0"])
                if result.status == 0 { history.acknowledged(text) } else { unanswered.append((text, fromAnn)) }
                return result
            }

            /// Says again what got no answer.
            mutating func sayAgain() async throws {
                let again = unanswered
                unanswered = []
                for (text, isFromAnn) in again {
                    let result = try await say(text, fromAnn: isFromAnn)
                    #expect(result.status == 0, "\(text): \(result.errors)")
                }
            }

            /// Waits until everything has come, and judges it.
            mutating func end() async throws {
                try await shop.wait("Ann") { $0.waiting == 0 }
                try await ann.wait("Shop") { $0.waiting == 0 }
                let heads = try await (shop.show("Ann"), ann.show("Shop"))
                try await shop.wait("Ann") { $0.peerRecords == heads.1.ownRecords }
                try await ann.wait("Shop") { $0.peerRecords == heads.0.ownRecords }
                for text in try await shop.texts("Ann", from: "peer") { history.reads(text, in: "to shop") }
                for text in try await ann.texts("Shop", from: "peer") { history.reads(text, in: "to ann") }
                #expect(history.counts.acknowledged == count)
                #expect(history.faults(isOver: true).isEmpty, "\(history.faults(isOver: true))")
            }
        }

        /// After each nobody knows what is on the disk. That a disk is full is no such failure unless a flush says so.
        private static let diskFails = ["fdatasync:error=EIO", "fdatasync:error=ENOSPC", "pwrite64:error=EIO"]
        private static let diskIsFull = "pwrite64:error=ENOSPC"

        /// Pitfall 1, an acknowledgement before the flush: a write or flush that fails ends the process, and nothing that it
        /// might have lost was acknowledged.
        @Test(
            .enabled(if: SystemFaults.canFailCalls, "strace may attach to no process here: run it as root"),
            arguments: diskFails)
        func aFailedFlushEndsTheProcessAndLosesNothing(fault: String) async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                var conversation = Conversation(shop: couple.shop, ann: couple.ann)
                for fromAnn in [true, false] { try await conversation.say(fromAnn: fromAnn) }

                let underRelay = try await SystemFaults.FailingCalls(fault, of: couple.relay, in: scene)
                try await conversation.say(fromAnn: true)
                #expect(await couple.relay.ended() != 0)
                #expect(couple.relay.log.contains("Check the disk, then start again"), "\(couple.relay.log)")
                await underRelay.end()
                _ = try await scene.startRelay(at: couple.relayAddress)
                for fromAnn in [true, false] { try await conversation.say(fromAnn: fromAnn) }

                let underNode = try await SystemFaults.FailingCalls(fault, of: couple.annNode, in: scene)
                // How the command ends is left open: a node that met the failure in a commit of its own has ended before,
                // and then the command has taken the vault and committed by itself, on a disk that works.
                try await conversation.say(fromAnn: true)
                #expect(await couple.annNode.ended() != 0)
                #expect(couple.annNode.log.contains("Check the disk, then start again"), "\(couple.annNode.log)")
                await underNode.end()
                couple.annNode = try await couple.ann.startNodeOnceFree()
                try await conversation.say(fromAnn: false)
                try await conversation.sayAgain()
                try await conversation.end()
            }
        }

        /// Pitfall 14, a quota that loses silently: whoever has no room says so, and goes on once there is.
        @Test(.enabled(if: SystemFaults.canFailCalls, "strace may attach to no process here: run it as root"))
        func aFullDiskIsToldAndHealsOnceThereIsRoom() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                var conversation = Conversation(shop: couple.shop, ann: couple.ann)

                let underNode = try await SystemFaults.FailingCalls(Self.diskIsFull, of: couple.annNode, in: scene)
                let failed = try await conversation.say(fromAnn: true)
                #expect(failed.status != 0)
                #expect(failed.errors.contains("free some room"), "\(failed.errors)")
                // What comes for it waits at the relay.
                try await conversation.say(fromAnn: false)
                try await couple.shop.wait("Ann") { $0.waiting == 0 }
                await underNode.end()
                try await conversation.sayAgain()

                let underRelay = try await SystemFaults.FailingCalls(Self.diskIsFull, of: couple.relay, in: scene)
                try await conversation.say(fromAnn: true)
                try await Party.until("the relay says nothing") {
                    couple.relay.log.contains("free some room") ? true : nil
                }
                #expect(try await couple.ann.show("Shop").waiting > 0)
                await underRelay.end()
                try await conversation.say(fromAnn: false)
                try await conversation.end()
            }
        }

        /// Pitfall 5, a subscription that died in silence: after a partition everything goes on by itself.
        @Test(.enabled(if: SystemFaults.canMakeNetworks, "no network namespaces may be made here: run it as root"))
        func everythingGoesOnAfterAPartition() async throws {
            try await Scene.play { scene in
                let networks = try SystemFaults.Networks()
                let relay = try await networks.start(
                    [
                        "relay", "run", "--listen", "\(SystemFaults.Networks.relayHost):7447", "--folder",
                        "\(scene.folder)/relay",
                    ], side: 0, in: scene)
                let shop = try await scene.makeParty("Shop", relay: relay.firstLine)
                let ann = try await scene.makeParty("Ann", relay: relay.firstLine)
                for party in [shop, ann] {
                    _ = try await networks.start(["--vault", party.vault, "node", "run"], side: 1, in: scene)
                }
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await shop.wait("Ann") { $0.state == "live" }

                var conversation = Conversation(shop: shop, ann: ann)
                for _ in 0..<2 {
                    for fromAnn in [true, false] { try await conversation.say(fromAnn: fromAnn) }
                    try networks.setCable(isIn: false)
                    for fromAnn in [true, false] { try await conversation.say(fromAnn: fromAnn) }
                    try await ann.wait("Shop") { $0.waiting > 0 }
                    try await shop.wait("Ann") { $0.waiting > 0 }
                    try networks.setCable(isIn: true)
                }
                try await conversation.end()
            }
        }
    }
}
