import Foundation
import Testing

extension EndToEndTests {
    /// Files by the command line, between real processes.
    @Suite(.serialized, .timeLimit(.minutes(10)))
    struct AttachmentTests {
        /// Whom a kill hits.
        enum Victim: CaseIterable, Sendable {
            case sender
            case receiver
        }

        struct Attachment: Decodable {
            let sender: String
            let sequence: UInt64
            let name: String
            let size: Int
            let state: String
            let transferred: Int
        }

        private struct List: Decodable {
            let attachments: [Attachment]
        }

        private struct Sent: Decodable {
            let sequences: [UInt64]
            let attachment: Attachment
        }

        private static func file(of size: Int, in scene: Scene) throws -> (path: String, content: Data) {
            // One block over and over, each time with its number: no two chunks are alike.
            let block = Data((0..<4_096).map { _ in UInt8.random(in: .min ... .max) })
            var content = Data(capacity: size + block.count)
            while content.count < size { content += block + Data("\(content.count)".utf8) }
            content = content.prefix(size)
            let path = scene.newFile("letter ü")
            try content.write(to: URL(fileURLWithPath: path))
            return (path, content)
        }

        /// The last attachment that a party has from the other; `nil` where its node is just being started.
        private static func last(_ party: Party, _ peer: String) async throws -> Attachment? {
            let result = try await party.run(["attachment", "list", peer, "--json"])
            return result.status == 0 ? try result.json(List.self).attachments.last : nil
        }

        @Test(arguments: Victim.allCases)
        func aFileArrivesWholeAlthoughANodeIsKilledInTheMiddle(victim: Victim) async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                let (path, content) = try Self.file(of: 20 << 20, in: scene)
                let sent = try await couple.ann.ask(Sent.self, "send", "Shop", "--attach", path, "--wait", "0")
                var (kills, seen) = (0, 0)
                let received = try await Party.until("the file did not arrive") {
                    guard let now = try await Self.last(couple.shop, "Ann") else { return nil as Attachment? }
                    if now.state == "received" { return now }
                    guard kills < 2, now.transferred > seen else { return nil }
                    seen = now.transferred
                    kills += 1
                    switch victim {
                    case .sender:
                        await couple.annNode.stop(SIGKILL)
                        couple.annNode = try await couple.ann.startNodeOnceFree()
                    case .receiver:
                        await couple.shopNode.stop(SIGKILL)
                        couple.shopNode = try await couple.shop.startNodeOnceFree()
                    }
                    return nil
                }
                #expect(kills > 0, "the file was across before anybody was killed")
                #expect(received.sequence == sent.sequences[0] && received.transferred == content.count)
                let copy = scene.newFile("copy")
                try await couple.shop.done(["attachment", "save", "Ann", "\(received.sequence)", copy])
                #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == content)
                _ = try await Party.until("the sender never learned of it") {
                    try await Self.last(couple.ann, "Shop")?.state == "delivered" ? true : nil
                }
                // Its own copy went with that.
                let left = try FileManager.default.contentsOfDirectory(atPath: couple.ann.vault + "/attachments")
                #expect(left.isEmpty)
            }
        }

        @Test func peopleSendAndSaveFilesAndSeeThemInWhatWasSaid() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let (path, content) = try Self.file(of: 100_000, in: scene)
                let said = try await couple.ann.done(["send", "Shop", "--attach", path, "as", "promised"])
                #expect(said.output.contains("97.6 KiB, delivered"))
                let read = try await couple.shop.done(["read", "Ann"]).output
                #expect(read.contains("97.6 KiB, here] as promised") && !read.contains("key"))
                #expect(try await couple.shop.done(["show", "Ann"]).output.contains("97.6 KiB, here]"))
                let json = try await couple.shop.done(["read", "Ann", "--json"]).output
                #expect(json.contains(#""state":"received""#) && !json.contains("chunkSize"))
                let sequence = try #require(try await Self.last(couple.shop, "Ann")).sequence

                let copy = scene.newFile("copy")
                try await couple.shop.done(["attachment", "save", "Ann", "\(sequence)", copy])
                #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == content)
                let again = try await couple.shop.run(["attachment", "save", "Ann", "\(sequence)", copy])
                #expect(again.status == 73 && again.errors.contains("there is something of this name"))
                for (arguments, status) in [
                    (["attachment", "save", "Ann", "99", copy + "2"], 65), (["attachment", "accept", "Ann", "1"], 65),
                    (["attachment", "cancel", "Ann", "\(sequence)"], 65),
                    (["attachment", "save", "Ann", "x", copy], 64),
                    (["send", "Ann", "--attach", "/nowhere"], 73), (["send", "Ann", "--attach", path, "--lines"], 64),
                ] as [([String], Int32)] {
                    let result = try await couple.shop.run(arguments)
                    #expect(result.status == status, "\(arguments): \(result.errors)")
                    #expect(result.errors.contains("handfast: "), "\(arguments): \(result.errors)")
                }
                try await couple.shop.done(["attachment", "delete", "Ann", "\(sequence)"])
                #expect(try await Self.last(couple.shop, "Ann")?.state == "deleted")
            }
        }

        @Test func aLargeFileWaitsForAWord() async throws {
            try await Scene.play { scene in
                let (relay, address) = try await scene.startRelay()
                defer { relay.abandon() }
                let shop = try await scene.makeParty(
                    "Shop", relay: address, environment: ["HANDFAST_LIMITS_ATTACHMENT_BYTES": "1000"])
                let ann = try await scene.makeParty("Ann", relay: address)
                _ = try await shop.startNode()
                let annNode = try await ann.startNode()
                try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop"])
                try await shop.wait("Ann") { $0.state == "live" }
                let (path, content) = try Self.file(of: 1_001, in: scene)
                await annNode.stop()
                // Without a node of its own, the command waits for as long as something moves.
                let sent = try await ann.ask(Sent.self, "send", "Shop", "--attach", path, "--wait", "1")
                #expect(sent.attachment.state == "sending" && sent.attachment.transferred == 0)
                let waiting = try #require(try await Self.last(shop, "Ann"))
                #expect(waiting.state == "waiting")
                #expect(try await shop.done(["read", "Ann"]).output.contains("waits for your word"))
                try await shop.done(["attachment", "accept", "Ann", "\(waiting.sequence)", "--wait", "0"])
                _ = try await ann.startNode()
                _ = try await Party.until("the file did not arrive") {
                    try await Self.last(shop, "Ann")?.state == "received" ? true : nil
                }
                let copy = scene.newFile("copy")
                try await shop.done(["attachment", "save", "Ann", "\(waiting.sequence)", copy])
                #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == content)
            }
        }
    }
}
