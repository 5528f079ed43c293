import Foundation
import HandfastTestSupport
import Testing

extension EndToEndTests {
    /// Several relays, and moving between them: real processes that are killed, and every message once and in order.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct MoveTests {
        private struct Moved: Decodable {
            let began: Int
            let already: Int
            let untold: Int
            let unfinished: Int
            let done: Int
            let configuration: String?
            let voidInvitations: [String]
        }

        /// A line of what `move --json` writes: how far it is, or, the last one, what became of it.
        private enum Line: Decodable {
            case progress(Progress)
            case result(Moved)

            struct Progress: Decodable {
                let untold: Int
                let unfinished: Int
                let confirmed: Int
                let done: Int
            }

            private enum Key: CodingKey { case progress }

            init(from decoder: any Decoder) throws {
                let fields = try decoder.container(keyedBy: Key.self)
                if let progress = try fields.decodeIfPresent(Progress.self, forKey: .progress) {
                    self = .progress(progress)
                } else {
                    self = .result(try Moved(from: decoder))
                }
            }
        }

        /// Moves, and gives what was told meanwhile and at the end.
        private static func move(
            _ party: Party, _ arguments: String...
        ) async throws -> (progress: [Line.Progress], result: Moved) {
            let lines = try await party.done(["move"] + arguments + ["--json"]).lines(Line.self)
            guard case .result(let moved)? = lines.last else { throw Party.NeverCame(description: "no result") }
            let progress = lines.dropLast().compactMap { line -> Line.Progress? in
                if case .progress(let progress) = line { progress } else { nil }
            }
            #expect(progress.count == lines.count - 1)
            return (progress, moved)
        }

        private static func lines(_ count: Int, named name: String) -> [String] {
            (1...count).map { "\(name) \($0)" }
        }

        /// Says lines one batch after another, again where its node was killed.
        private static func send(_ count: Int, named name: String, from party: Party, to peer: String) async throws {
            let all = lines(count, named: name)
            for start in stride(from: 0, to: count, by: 20) {
                let input = all[start..<min(start + 20, count)].joined(separator: "\n")
                let arguments = ["send", peer, "--lines", "--idempotency", "\(name) \(start)", "--wait", "0"]
                while true {
                    let result = try await party.run(arguments, input: input)
                    if result.status == 0 { break }
                    // Killed, being started, or a new epoch begins.
                    guard [69, 75].contains(result.status) else {
                        throw Tool.UnexpectedEnd(arguments: arguments, result: result)
                    }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }

        @Test func aMoveUnderTrafficLosesNothingWhoeverIsKilled() async throws {
            let environment = ProcessInfo.processInfo.environment
            let seed = environment["HANDFAST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1_000_000)
            print("move: HANDFAST_SEED=\(seed)")
            var random = SeededEntropy(seed: seed)
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let (second, newAddress) = try await scene.startRelay(named: "second")
                let (shop, ann) = (couple.shop, couple.ann)
                var (old, new, shopNode, annNode) = (couple.relay, second, couple.shopNode, couple.annNode)
                let count = 200
                async let fromAnn: Void = Self.send(count, named: "ann", from: ann, to: "Shop")
                async let fromShop: Void = Self.send(count, named: "shop", from: shop, to: "Ann")
                let moved = try await Self.move(ann, "--relay", newAddress, "--all", "--wait", "0").result
                #expect(moved.began == 1 && moved.configuration != nil, "seed \(seed)")
                for _ in 0..<5 {
                    let victim = Int.random(in: 0..<4, using: &random)
                    switch victim {
                    case 0:
                        await shopNode.stop(SIGKILL)
                        shopNode = try await shop.startNodeOnceFree()
                    case 1:
                        await annNode.stop(SIGKILL)
                        annNode = try await ann.startNodeOnceFree()
                    case 2:
                        await old.stop(SIGKILL)
                        old = try await scene.startRelay(at: couple.relayAddress).daemon
                    default:
                        await new.stop(SIGKILL)
                        new = try await scene.startRelay(at: newAddress, named: "second").daemon
                    }
                    print("move: killed \(["shop", "ann", "the old relay", "the new relay"][victim])")
                }
                try await fromAnn
                try await fromShop
                #expect(try await shop.texts("Ann", count: count) == Self.lines(count, named: "ann"), "seed \(seed)")
                #expect(try await ann.texts("Shop", count: count) == Self.lines(count, named: "shop"), "seed \(seed)")
                let place = String(newAddress.prefix { $0 != "/" })
                let shown = try await ann.wait("Shop") { $0.moving == nil }
                #expect(shown.receivesAt == [place])
                #expect(try await shop.show("Ann").sendsTo == [place])
                // The same again changes nothing, and what began by one command ends by none.
                let again = try await Self.move(ann, "--relay", newAddress, "--all").result
                #expect(again.already == 1 && again.began == 0 && again.unfinished == 0)
                try await ann.done(["ledger", "verify", try await ann.export("Shop"), try await shop.export("Ann")])
            }
        }

        @Test func aSecondRelayCarriesWhatTheFirstCannot() async throws {
            try await Scene.play { scene in
                let (_, shopRelay) = try await scene.startRelay(named: "shops")
                var (first, firstAddress) = try await scene.startRelay(named: "first")
                let (second, secondAddress) = try await scene.startRelay(named: "second")
                let shop = try await scene.makeParty("Shop", relay: shopRelay, options: ["--public", "shop.example"])
                let ann = try await scene.makeParty("Ann", relay: firstAddress, options: ["--relay", secondAddress])
                _ = try await shop.startNode()
                _ = try await ann.startNode()
                try await ann.done(
                    ["accept", try await shop.invite(label: "Ann"), "--label", "Shop", "--unasked-domain"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await shop.wait("Ann") { $0.state == "live" && $0.sendsTo.count == 2 }
                async let under: Void = Self.send(200, named: "shop", from: shop, to: "Ann")
                await first.stop(SIGKILL)
                try await under
                #expect(try await ann.texts("Shop", count: 200) == Self.lines(200, named: "shop"))
                #expect(try await shop.show("Ann").sendingTo == 1)
                #expect(try await shop.done(["doctor"]).output.contains("could not be reached"))
                first = try await scene.startRelay(at: firstAddress, named: "first").daemon
                try await shop.wait("Ann") { $0.sendingTo == 0 }
                await second.stop(SIGKILL)
                try await Self.send(60, named: "more", from: shop, to: "Ann")
                let all = Self.lines(200, named: "shop") + Self.lines(60, named: "more")
                #expect(try await ann.texts("Shop", count: 260) == all)
                await first.stop()
            }
        }

        /// Somebody watches a move whose other side is away, is asked again, and sees its end.
        @Test func aMoveTellsHowFarItIs() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let (_, address) = try await scene.startRelay(named: "second")
                let ann = couple.ann
                await couple.shopNode.stop()
                let arguments = ["move", "--relay", address, "--all", "--wait", "1"]
                let first = try await ann.done(arguments)
                #expect(first.output.contains("1 relationship moves to \(address): 0 of 1 done, 1 "))
                #expect(first.errors.contains("moving: 0 of 1 done, 1 "))
                try await ann.wait("Shop") { $0.moving?.contains("was told") == true }
                let again = try await ann.done(arguments)
                #expect(again.output.contains("A move to \(address) is under way already: 0 of 1 done, 1 told."))
                let node = try await couple.shop.startNodeOnceFree()
                // Until it is done, which ends the command long before its time.
                let (progress, result) = try await Self.move(ann, "--relay", address, "--all", "--wait", "300")
                #expect(result.began == 0 && result.already == 1 && result.done == 1 && result.unfinished == 0)
                for step in progress { #expect(step.untold + step.unfinished + step.done == 1) }
                let last = try await ann.done(arguments)
                #expect(last.output.contains("1 relationship receives at \(address) already."))
                #expect(last.errors.isEmpty)
                await node.stop()
            }
        }

        /// The leave to send is renewed at the same relay: with the other side, without it, and told to persons and scripts.
        @Test func theLeaveToSendIsRenewedInPlace() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let (ann, shop) = (couple.ann, couple.shop)
                let place = try await ann.show("Shop").receivesAt
                try await shop.done(["send", "Ann", "by the old leave"])
                let told = try await ann.done(["move", "--renew", "Shop", "--wait", "300"])
                #expect(told.output == "The other side uses new queues, and the old ones are closed.\n")
                let (progress, renewed) = try await Self.move(ann, "--renew", "Shop", "--wait", "300")
                #expect(renewed.began == 1 && renewed.already == 0 && renewed.done == 1)
                #expect(renewed.untold == 0 && renewed.unfinished == 0)
                #expect(renewed.configuration == nil && renewed.voidInvitations.isEmpty)
                for step in progress { #expect(step.untold + step.unfinished + step.done == 1) }
                try await shop.done(["send", "Ann", "by the new leave"])

                await couple.shopNode.stop()
                let (_, waiting) = try await Self.move(ann, "--renew", "Shop", "--wait", "0")
                #expect(waiting.began == 1 && waiting.done == 0 && waiting.untold + waiting.unfinished == 1)
                let again = try await ann.done(["move", "--renew", "Shop", "--wait", "0"])
                #expect(
                    again.output
                        == "New queues are on their way to the other side; the old ones are closed once it uses them.\n"
                )
                #expect(again.errors.contains("a running node"))
                try await shop.done(["send", "Ann", "by the next", "--wait", "0"])
                let node = try await shop.startNodeOnceFree()
                let (_, last) = try await Self.move(ann, "--renew", "Shop", "--wait", "300")
                // Where the one before has ended meanwhile, another begins.
                #expect(last.began + last.already == 1 && last.done == 1 && last.unfinished == 0)
                #expect(
                    try await ann.texts("Shop", count: 3) == ["by the old leave", "by the new leave", "by the next"])
                let shown = try await ann.wait("Shop") { $0.moving == nil }
                #expect(shown.receivesAt == place && shown.epoch == 0)
                await node.stop()

                for wrong in [["--all"], ["Shop", "--relay", couple.relayAddress], ["Shop", "--forget"], []] {
                    #expect(try await ann.run(["move", "--renew"] + wrong).status == 64, "\(wrong)")
                }
                let nobody = try await ann.run(["move", "--renew", "Nobody"])
                #expect(nobody.status == 64 && nobody.errors.contains("Nobody"))
            }
        }

        @Test func whatIsAskedWronglyIsSaidPlainly() async throws {
            try await Scene.play { scene in
                let (_, address) = try await scene.startRelay()
                let ann = try await scene.makeParty("Ann", relay: address)
                #expect(try await ann.run(["move", "--all"]).status == 64)
                #expect(try await ann.run(["move", "--relay", address]).status == 64)
                #expect(try await ann.run(["move", "--relay", "nonsense", "--all"]).status == 65)
                #expect(try await ann.run(["move", "--relay", address, "--relay", address, "--all"]).status == 65)
                let moved = try await Self.move(ann, "--relay", address, "--all").result
                #expect(moved.began == 0 && moved.already == 0)
                let (_, other) = try await scene.startRelay(named: "other")
                let uri = try await ann.invite(label: "Bob")
                let left = try await Self.move(ann, "--relay", other, "--relay", address, "--all").result
                #expect(left.voidInvitations.isEmpty)
                let next = try await Self.move(ann, "--relay", other, "--all").result
                #expect(next.voidInvitations == ["Bob"])
                #expect(try await ann.invite(label: "Bob") != uri)
                #expect(try await ann.done(["config", "check"]).status == 0)
            }
        }
    }
}
