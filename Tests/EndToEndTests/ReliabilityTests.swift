import DeliveryHistory
import Foundation
import HandfastTestSupport
import Synchronization
import Testing

extension EndToEndTests {
    /// The promise: every message once, in order, whatever is killed, as ``DeliveryHistory`` judges it.
    @Suite(.serialized, .timeLimit(.minutes(20)))
    struct ReliabilityTests {
        /// Whom a kill hits.
        enum Victim: CaseIterable {
            case shop
            case ann
            case relay
        }

        /// What both senders and readers saw.
        private final class Seen: Sendable {
            let judge = Mutex(DeliveryHistory())
        }

        /// A run of another size, or the same again: HANDFAST_MESSAGES, HANDFAST_KILLS, HANDFAST_SEED.
        struct Plan {
            let messages: Int
            let kills: Int
            let seed: UInt64

            init() {
                let environment = ProcessInfo.processInfo.environment
                messages = environment["HANDFAST_MESSAGES"].flatMap { Int($0) } ?? 20_000
                kills = environment["HANDFAST_KILLS"].flatMap { Int($0) } ?? 10
                seed = environment["HANDFAST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1_000_000)
            }
        }

        @Test func everyMessageArrivesOnceAndInOrderWhateverIsKilled() async throws {
            let plan = Plan()
            print("reliability: \(plan.messages) messages, \(plan.kills) kills, HANDFAST_SEED=\(plan.seed)")
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let half = plan.messages / 2
                let clock = ContinuousClock()
                let begin = clock.now
                let history = Seen()
                // Both directions at once; a sender that fails says the same again.
                async let fromAnn: Void = Self.send(half, named: "ann", from: couple.ann, to: "Shop", history)
                async let fromShop: Void = Self.send(half, named: "shop", from: couple.shop, to: "Ann", history)
                try await Self.kill(plan, couple, scene)
                try await fromAnn
                try await fromShop
                let atShop = try await couple.shop.texts("Ann", count: half)
                let atAnn = try await couple.ann.texts("Shop", count: half)
                let duration = begin.duration(to: clock.now)
                #expect(atShop == Self.lines(half, named: "ann"), "seed \(plan.seed)")
                #expect(atAnn == Self.lines(half, named: "shop"), "seed \(plan.seed)")
                history.judge.withLock { history in
                    for text in atShop { history.reads(text, in: "to Shop") }
                    for text in atAnn { history.reads(text, in: "to Ann") }
                    #expect(history.counts.acknowledged == 2 * half, "seed \(plan.seed)")
                    #expect(history.faults(isOver: true) == [], "seed \(plan.seed)")
                }
                try await Self.compareLedgers(couple, half)
                print("reliability: \(plan.messages) messages, \(plan.kills) kills, \(duration)")
            }
        }

        private static func lines(_ count: Int, named name: String) -> [String] {
            (1...count).map { "\(name) \($0)" }
        }

        /// Messages of one command: none of the next is tried before all of these are acknowledged.
        private static let part = 500

        private static func send(
            _ count: Int, named name: String, from party: Party, to peer: String,
            _ history: Seen
        ) async throws {
            let lines = lines(count, named: name)
            for start in stride(from: 0, to: count, by: part) {
                let texts = Array(lines[start..<min(count, start + part)])
                let arguments = ["send", peer, "--lines", "--idempotency", "\(name) \(start)", "--wait", "0"]
                history.judge.withLock { history in for text in texts { history.tries(text, in: "to \(peer)") } }
                while true {
                    let result = try await party.run(arguments, input: texts.joined(separator: "\n"))
                    if result.status == 0 { break }
                    // Its node was killed, or is being started.
                    guard result.status == 75 else { throw Tool.UnexpectedEnd(arguments: arguments, result: result) }
                    try await Task.sleep(for: .milliseconds(20))
                }
                history.judge.withLock { history in for text in texts { history.acknowledged(text) } }
            }
        }

        /// Kills at moments spread over the run, drawn from the seed, and starts again at once.
        private static func kill(_ plan: Plan, _ couple: Couple, _ scene: Scene) async throws {
            var random = SeededEntropy(seed: plan.seed)
            var (relay, shop, ann) = (couple.relay, couple.shopNode, couple.annNode)
            for kill in 0..<plan.kills {
                let (low, high) = (plan.messages * kill / plan.kills, plan.messages * (kill + 1) / plan.kills)
                let moment = Int.random(in: low..<high, using: &random)
                let victim = Victim.allCases.randomElement(using: &random) ?? .relay
                try await Party.until("\(moment) messages did not arrive") {
                    try await arrived(couple) >= moment ? true : nil
                }
                switch victim {
                case .shop:
                    await shop.stop(SIGKILL)
                    shop = try await couple.shop.startNodeOnceFree()
                case .ann:
                    await ann.stop(SIGKILL)
                    ann = try await couple.ann.startNodeOnceFree()
                case .relay:
                    await relay.stop(SIGKILL)
                    relay = try await scene.startRelay(at: couple.relayAddress).daemon
                }
                print("reliability: killed \(victim) after \(moment) messages")
            }
        }

        /// Messages that have arrived on either side; a side that is busy starting counts as before.
        private static func arrived(_ couple: Couple) async throws -> Int {
            var count = 0
            for (party, peer) in [(couple.shop, "Ann"), (couple.ann, "Shop")] {
                let relationship = try await party.wait(peer) { _ in true }
                // Not a message: the introduction.
                count += max(0, Int(relationship.peerRecords) - 1)
            }
            return count
        }

        private static func compareLedgers(_ couple: Couple, _ half: Int) async throws {
            struct Verdict: Decodable {
                struct Agreement: Decodable {
                    let inviteeRecords: Int
                    let inviterRecords: Int
                    let isComplete: Bool
                }
                let agreement: Agreement
            }
            let files = [try await couple.ann.export("Shop"), try await couple.shop.export("Ann")]
            let agreement = try await couple.ann.done(["ledger", "verify", "--json"] + files).json(Verdict.self)
                .agreement
            #expect(agreement.isComplete)
            #expect(agreement.inviteeRecords == half + 1 && agreement.inviterRecords == half + 1)
        }
    }
}
