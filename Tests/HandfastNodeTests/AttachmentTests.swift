import Foundation
import Handfast
import HandfastCrypto
import HandfastStore
import Testing

@testable import HandfastNode

@Suite(.serialized) struct AttachmentTests {
    /// A vendor and a customer in a relationship, and files of theirs.
    private final class Scene: Sendable {
        let relay: LoopbackRelay
        let vendor: Person
        let customer: Person
        let id: RelationshipID
        let folder: URL

        init(vendorTakes: UInt64 = 100 << 20, altogether: UInt64 = 4 << 30) async throws {
            relay = try await LoopbackRelay()
            vendor = try await Person("Vendor", at: relay.address, attachmentBytes: vendorTakes, altogether: altogether)
            customer = try await Person("Customer", at: relay.address)
            vendor.start()
            customer.start()
            id = try await meet(vendor, customer)
            folder = FileManager.default.temporaryDirectory.appending(path: "hf-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }

        func end() async {
            await vendor.stop()
            await customer.stop()
            await relay.stop()
            try? FileManager.default.removeItem(at: folder)
        }

        func file(_ count: Int) throws -> (path: String, content: [UInt8]) {
            var random = SecureRandom()
            let content = random.bytes(count)
            let path = folder.appending(path: "file \(UUID().uuidString)").path
            try Data(content).write(to: URL(fileURLWithPath: path))
            return (path, content)
        }

        /// Sends a file of the customer's.
        func send(_ path: String, text: String? = nil) async throws -> UInt64 {
            let report = try await customer.node.attach(.init(path: path, text: text), to: id)
            return try #require(report.sequences.first)
        }

        func vendorHas(_ sequence: UInt64, in state: String) async throws {
            try await until("\(sequence) \(state) at the vendor's", vendor, customer) {
                try await self.vendor.node.attachment(sequence, from: .peer, in: self.id).state == state
            }
        }

        func customerHas(_ sequence: UInt64, in state: String) async throws {
            try await until("\(sequence) \(state) at the customer's", vendor, customer) {
                try await self.customer.node.attachment(sequence, from: .own, in: self.id).state == state
            }
        }

        /// What the vendor saves of an attachment.
        func saved(_ sequence: UInt64) async throws -> [UInt8] {
            let path = folder.appending(path: UUID().uuidString).path
            try await vendor.node.saveAttachment(sequence, from: .peer, in: id, to: path)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }

        func files(of person: Person) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: person.folder)
        }
    }

    @Test func filesOfAllSizesArriveWholeAndTheSendersCopyGoes() async throws {
        let scene = try await Scene()
        for size in [0, 1, 60_416, 60_417, 2 * 60_416, 3_000_000] {
            let (path, content) = try scene.file(size)
            let sequence = try await scene.send(path, text: "size \(size)")
            try await scene.vendor.event(.attachmentReceived) { $0.detail.sequence == sequence }
            try await scene.customer.event(.attachmentDelivered) { $0.detail.sequence == sequence }
            #expect(try await scene.saved(sequence) == content, "\(size) bytes")
            let report = try await scene.vendor.node.attachment(sequence, from: .peer, in: scene.id)
            #expect(report.size == UInt64(size) && report.transferred == UInt64(size))
        }
        #expect(try scene.files(of: scene.vendor).count == 6)
        try await until("the copies gone", scene.customer) { try scene.files(of: scene.customer).isEmpty }
        #expect(try await scene.vendor.events(.ephemeralReceived).isEmpty)
        await scene.end()
    }

    @Test func nothingOverTheLimitIsSentBeforeConsent() async throws {
        let scene = try await Scene(vendorTakes: 1_000)
        let (path, content) = try scene.file(1_001)
        let sequence = try await scene.send(path)
        try await scene.vendor.event(.attachmentWaiting) { $0.detail.sequence == sequence }
        try await scene.vendorHas(sequence, in: "waiting")
        try await until("rest", scene.customer) { try await scene.customer.node.waiting(in: scene.id) == 0 }
        let key = TransferKey(relationship: scene.id, direction: .invitee, sequence: sequence)
        #expect(try await scene.customer.node.keeper.transfer(key) == KeptTransfer(stage: .giving, size: 1_001))
        #expect(try scene.files(of: scene.vendor).isEmpty)
        await #expect(throws: NodeError.self) { try await scene.saved(sequence) }

        try await scene.vendor.node.acceptAttachment(sequence, in: scene.id)
        try await scene.customerHas(sequence, in: "delivered")
        #expect(try await scene.saved(sequence) == content)
        await scene.end()
    }

    @Test func filesOnTheirWayCountAgainstTheLimitOfAll() async throws {
        let scene = try await Scene(vendorTakes: 1 << 40, altogether: 100_000)
        let (path, _) = try scene.file(60_000)
        await scene.vendor.stop()
        let first = try await scene.send(path)
        let second = try await scene.send(path)
        scene.vendor.start()
        try await scene.vendorHas(second, in: "waiting")
        try await scene.vendorHas(first, in: "received")
        #expect(try scene.files(of: scene.vendor).count == 1)
        await scene.end()
    }

    @Test func theEndOfARelationshipEndsItsTransfers() async throws {
        let scene = try await Scene(vendorTakes: 0)
        let (path, _) = try scene.file(5_000)
        let sequence = try await scene.send(path)
        try await scene.vendorHas(sequence, in: "waiting")
        try await scene.vendor.node.end(scene.id)
        try await scene.customerHas(sequence, in: "failed")
        try await until("the copy gone", scene.customer) { try scene.files(of: scene.customer).isEmpty }
        await scene.end()
    }

    @Test func eitherSideCanEndATransfer() async throws {
        let scene = try await Scene(vendorTakes: 0)
        let (path, _) = try scene.file(5_000)
        let declined = try await scene.send(path)
        try await scene.vendorHas(declined, in: "waiting")
        try await scene.vendor.node.cancelAttachment(declined, from: .peer, in: scene.id)
        try await scene.customer.event(.attachmentDeclined) { $0.detail.sequence == declined }
        let takenBack = try await scene.send(path)
        try await scene.vendorHas(takenBack, in: "waiting")
        try await scene.customer.node.cancelAttachment(takenBack, from: .own, in: scene.id)
        try await scene.vendor.event(.attachmentGone) { $0.detail.sequence == takenBack }
        try await until("the copies gone", scene.customer) { try scene.files(of: scene.customer).isEmpty }
        // Who asks after all learns that there is nothing.
        try await scene.vendor.node.acceptAttachment(takenBack, in: scene.id)
        try await scene.vendorHas(takenBack, in: "gone")
        await #expect(throws: NodeError.self) {
            try await scene.customer.node.cancelAttachment(takenBack, from: .own, in: scene.id)
        }
        await scene.end()
    }

    @Test func aTextOvertakesAFile() async throws {
        let scene = try await Scene()
        let (path, content) = try scene.file(30 << 20)
        let sequence = try await scene.send(path)
        try await until("progress", scene.vendor, scene.customer) {
            try await scene.vendor.node.attachment(sequence, from: .peer, in: scene.id).transferred > 0
        }
        try await scene.customer.node.send([.text("meanwhile")], to: scene.id)
        try await scene.vendor.event(.recordReceived) { $0.detail.text == "meanwhile" }
        #expect(try await scene.vendor.events(.attachmentReceived).isEmpty)
        #expect(try await scene.customer.node.waiting(in: scene.id) <= 64)
        try await scene.customerHas(sequence, in: "delivered")
        #expect(try await scene.saved(sequence) == content)
        await scene.end()
    }

    @Test(arguments: ["vendor", "customer", "both"])
    func aTransferGoesOnAfterARestart(of whom: String) async throws {
        let scene = try await Scene()
        let (path, content) = try scene.file(12 << 20)
        let sequence = try await scene.send(path)
        for _ in 0..<3 {
            let before =
                (try? await scene.vendor.node.attachment(sequence, from: .peer, in: scene.id))?.transferred ?? 0
            try await until("progress", scene.vendor, scene.customer) {
                let now = try await scene.vendor.node.attachment(sequence, from: .peer, in: scene.id)
                return now.transferred > before || now.state == "received"
            }
            for person in [scene.vendor, scene.customer] where whom == "both" || person.name.lowercased() == whom {
                try await person.restart()
            }
            for person in [scene.vendor, scene.customer] where whom == "both" || person.name.lowercased() == whom {
                person.start()
            }
        }
        try await scene.customerHas(sequence, in: "delivered")
        #expect(try await scene.saved(sequence) == content)
        #expect(try await scene.vendor.events(.attachmentReceived).count == 1)
        #expect(try await scene.customer.events(.attachmentDelivered).count == 1)
        await scene.end()
    }

    @Test func whatCannotBeStoredIsTriedAgainAndSaysWhy() async throws {
        let scene = try await Scene(vendorTakes: 0)
        let (path, content) = try scene.file(200_000)
        let sequence = try await scene.send(path)
        try await scene.vendorHas(sequence, in: "waiting")
        var faults = StoreFaults()
        // The decision itself is the next commit.
        let next = scene.vendor.store.commitCount + 1
        faults.failBefore = Set(next + 1...next + 1_000)
        scene.vendor.store.inject(faults)
        try await scene.vendor.node.acceptAttachment(sequence, in: scene.id)
        try await until("a reason", scene.vendor) {
            let report = try await scene.vendor.node.attachment(sequence, from: .peer, in: scene.id)
            return report.state == "receiving" && report.reason?.contains("injected") == true
        }
        scene.vendor.store.inject(StoreFaults())
        try await scene.customerHas(sequence, in: "delivered")
        #expect(try await scene.saved(sequence) == content)
        #expect(try await scene.vendor.node.attachment(sequence, from: .peer, in: scene.id).reason == nil)
        await scene.end()
    }

    @Test func nothingIsDueWhereNothingTravels() async throws {
        let scene = try await Scene()
        let (path, _) = try scene.file(1_000)
        let sequence = try await scene.send(path)
        try await scene.customerHas(sequence, in: "delivered")
        for person in [scene.vendor, scene.customer] {
            try await until("rest", person) { await person.node.courier?.nextDue() == nil }
        }
        await scene.end()
    }

    @Test func aCopyThatIsDamagedBeforeItLeavesIsDeclinedAndNamesTheChunk() async throws {
        let scene = try await Scene(vendorTakes: 0)
        let (path, _) = try scene.file(200_000)
        let sequence = try await scene.send(path)
        try await scene.vendorHas(sequence, in: "waiting")
        let copy = URL(fileURLWithPath: scene.customer.folder).appending(
            path: try #require(try scene.files(of: scene.customer).first))
        var bytes = try Data(contentsOf: copy)
        bytes[150_000] ^= 1
        try bytes.write(to: copy)
        try await scene.vendor.node.acceptAttachment(sequence, in: scene.id)
        let event = try await scene.vendor.event(.attachmentFailed)
        #expect(event.detail.reason?.hasPrefix("Chunk 2 ") == true)
        try await scene.customer.event(.attachmentDeclined)
        try await until("no part left", scene.vendor) { try scene.files(of: scene.vendor).isEmpty }
        await scene.end()
    }

    @Test func aSavedFileIsThereWholeOrNotAtAll() async throws {
        let scene = try await Scene()
        let (path, _) = try scene.file(200_000)
        let sequence = try await scene.send(path)
        try await scene.vendorHas(sequence, in: "received")
        let stored = URL(fileURLWithPath: scene.vendor.folder).appending(
            path: try #require(try scene.files(of: scene.vendor).first))
        await #expect(throws: NodeError.file(path: path, reason: "there is something of this name")) {
            try await scene.vendor.node.saveAttachment(sequence, from: .peer, in: scene.id, to: path)
        }
        var bytes = try Data(contentsOf: stored)
        bytes[70_000] ^= 1
        try bytes.write(to: stored)
        let before = try FileManager.default.contentsOfDirectory(atPath: scene.folder.path)
        await #expect(throws: NodeError.relationship(.chunk(1, .notAuthentic))) { try await scene.saved(sequence) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scene.folder.path) == before)
        try await scene.vendor.node.deleteAttachment(sequence, in: scene.id)
        try await until("its content gone", scene.vendor) { try scene.files(of: scene.vendor).isEmpty }
        await scene.end()
    }

    @Test func aFileThatCannotBeReadSendsNothing() async throws {
        let scene = try await Scene()
        await #expect(throws: NodeError.self) { try await scene.send("/nowhere/at/all") }
        await #expect(throws: NodeError.file(path: scene.folder.path, reason: "it is not a file")) {
            try await scene.send(scene.folder.path)
        }
        #expect(try scene.files(of: scene.customer).isEmpty)
        #expect(try await scene.customer.node.attachments(of: scene.id).isEmpty)
        await scene.end()
    }

    @Test func aRepeatedKeySendsOneFile() async throws {
        let scene = try await Scene()
        let (path, _) = try scene.file(1_000)
        let first = try await scene.customer.node.attach(.init(path: path), to: scene.id, idempotencyKey: "k")
        let second = try await scene.customer.node.attach(.init(path: path), to: scene.id, idempotencyKey: "k")
        #expect(second.isRepeat && second.sequences == first.sequences)
        #expect(try await scene.customer.node.attachments(of: scene.id).count == 1)
        await scene.end()
    }

    @Test func chunksThatNobodyAskedForChangeNothing() async throws {
        let scene = try await Scene(vendorTakes: 0)
        let (path, _) = try scene.file(1_000)
        let sequence = try await scene.send(path)
        try await scene.vendorHas(sequence, in: "waiting")
        let id = scene.id
        try await scene.customer.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            for record in [sequence, 1, 99] {
                keeper.say(
                    .chunk(record: record, round: 1, number: 0, sealed: [1, 2, 3]), in: relationship, draft)
                keeper.say(.offer(record: record), in: relationship, draft)
                keeper.say(.gone(record: record + 50), in: relationship, draft)
                keeper.say(.want(record: record, round: 1, from: 0, until: 9), in: relationship, draft)
                keeper.say(.have(record: record), in: relationship, draft)
            }
        }
        try await scene.customer.node.send([.text("after")], to: id)
        try await scene.vendor.event(.recordReceived) { $0.detail.text == "after" }
        try await scene.vendorHas(sequence, in: "waiting")
        #expect(try scene.files(of: scene.vendor).isEmpty)
        #expect(try await scene.vendor.events(.envelopeRefused).isEmpty)
        await scene.end()
    }

    // MARK: The receiver's side alone

    private static func sealed(_ size: Int) throws -> (AttachmentMessage, [[UInt8]]) {
        var random = SecureRandom()
        let content = random.bytes(size)
        var sealer = try AttachmentSealer(contentSize: UInt64(size), chunkSize: 256, using: &random)
        var chunks: [[UInt8]] = []
        while let count = sealer.nextSize {
            let start = 256 * chunks.count
            chunks.append(try sealer.seal(Array(content[start..<start + count]).bytes))
        }
        return (try sealer.finish(name: "f"), chunks)
    }

    private static let key = TransferKey(
        relationship: RelationshipID(Digest(.zero)), direction: .invitee, sequence: 1)

    private static func withFolder(_ body: (AttachmentFolder) async throws -> Void) async throws {
        let path = "\(NSTemporaryDirectory())/hf-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(try AttachmentFolder(path: path))
    }

    @Test func aGapBeginsANewRoundAndLeftoversOfTheOldOneDoNot() async throws {
        try await Self.withFolder { folder in
            let (attachment, chunks) = try Self.sealed(256 * 40)
            let incoming = IncomingAttachments(folder)
            #expect(
                try await incoming.open(Self.key, attachment, round: 0, until: 0)
                    == .want(round: 1, from: 0, until: 32))
            func take(_ number: Int, _ round: UInt32) async -> IncomingAttachments.Step {
                await incoming.take(Self.key, round: round, number: UInt64(number), chunks[number])
            }
            #expect(await take(0, 1) == .rest)
            #expect(await take(2, 1) == .want(round: 2, from: 1, until: 33))
            for number in 3..<10 { #expect(await take(number, 1) == .rest) }
            #expect(await take(0, 2) == .rest)
            for number in 1..<16 { #expect(await take(number, 2) == .rest) }
            #expect(await take(16, 2) == .want(round: 2, from: 17, until: 40))
            for number in 17..<39 { #expect(await take(number, 2) == .rest) }
            #expect(await take(39, 2) == .complete)
            #expect(await take(39, 2) == .complete)
            let closed = try #require(await incoming.close(Self.key))
            #expect(closed.fault == nil)
        }
    }

    @Test func whatIsOnTheDiskIsVerifiedAndGoneOnFrom() async throws {
        try await Self.withFolder { folder in
            let (attachment, chunks) = try Self.sealed(256 * 10 + 3)
            let path = folder.partial(Self.key, attachment)
            let (four, all) = (Array(chunks[..<4].joined()), Array(chunks.joined()))
            let cases: [(bytes: [UInt8], next: Int)] = [
                (four, 4), (four + chunks[4].dropLast(), 4), (chunks[0] + chunks[2], 1), ([], 0), (all, 11),
                (all + [0], 11),
            ]
            for (bytes, next) in cases {
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                let incoming = IncomingAttachments(folder)
                let step = try await incoming.open(Self.key, attachment, round: 7, until: 0)
                #expect(step == (next == 11 ? .complete : .want(round: 8, from: UInt64(next), until: 11)))
            }
        }
    }

    @Test func aFileOfAnotherDigestIsNeverWhole() async throws {
        try await Self.withFolder { folder in
            var (attachment, chunks) = try Self.sealed(100)
            attachment.digest = .zero
            let incoming = IncomingAttachments(folder)
            _ = try await incoming.open(Self.key, attachment, round: 0, until: 0)
            #expect(await incoming.take(Self.key, round: 1, number: 0, chunks[0]) == .complete)
            let closed = try #require(await incoming.close(Self.key))
            #expect(closed.fault == RelationshipError.attachmentDigestMismatch.description)
        }
    }
}
