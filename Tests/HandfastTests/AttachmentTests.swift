import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import Handfast

@Suite struct AttachmentTests {
    private static func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) } }

    private static func seal(
        _ content: [UInt8], chunkSize: Int = 256, name: String = "file"
    ) throws -> (attachment: AttachmentMessage, chunks: [[UInt8]]) {
        var random = SeededEntropy(seed: UInt64(content.count))
        var sealer = try AttachmentSealer(contentSize: UInt64(content.count), chunkSize: chunkSize, using: &random)
        var chunks: [[UInt8]] = []
        var rest = content[...]
        while let size = sealer.nextSize {
            chunks.append(try sealer.seal(Array(rest.prefix(size)).bytes))
            rest = rest.dropFirst(size)
        }
        return (try sealer.finish(name: name), chunks)
    }

    private static func open(_ attachment: AttachmentMessage, _ chunks: [[UInt8]]) throws -> [UInt8] {
        var opener = AttachmentOpener(attachment)
        var (content, part): ([UInt8], [UInt8]) = ([], [])
        for chunk in chunks {
            try opener.open(chunk.bytes, into: &part)
            content += part
        }
        try opener.finish()
        return content
    }

    @Test(arguments: [0, 1, 255, 256, 257, 511, 512, 513, 5_000])
    func aFileOpensAsItWasSealed(size: Int) throws {
        let content = Self.content(size)
        let (attachment, chunks) = try Self.seal(content)
        #expect(UInt64(chunks.count) == attachment.chunkCount)
        #expect(chunks.count == max(1, (size + 255) / 256))
        #expect(UInt64(chunks.reduce(0) { $0 + $1.count }) == attachment.sealedSize)
        for (number, chunk) in chunks.enumerated() {
            #expect(attachment.sealedSize(ofChunk: UInt64(number)) == chunk.count)
            #expect(attachment.offset(ofChunk: UInt64(number)) == UInt64(chunks[..<number].reduce(0) { $0 + $1.count }))
        }
        #expect(try Self.open(attachment, chunks) == content)
    }

    @Test func everyWayOfBeingWrongNamesTheChunk() throws {
        let (attachment, chunks) = try Self.seal(Self.content(600))
        func refused(_ chunks: [[UInt8]], _ error: RelationshipError, by attachment: AttachmentMessage = attachment) {
            #expect(throws: error) { try Self.open(attachment, chunks) }
        }
        refused([], .chunk(0, .missing))
        refused([chunks[0], chunks[1]], .chunk(2, .missing))
        refused([chunks[0], chunks[0], chunks[1]], .chunk(1, .notAuthentic))
        refused([chunks[1], chunks[0], chunks[2]], .chunk(0, .notAuthentic))
        refused([chunks[0], chunks[2]], .chunk(1, .wrongLength))
        refused(chunks + [chunks[2]], .chunk(3, .beyondEnd))
        refused([chunks[0], chunks[1].dropLast()], .chunk(1, .wrongLength))
        var changed = attachment
        changed.digest = .zero
        refused(chunks, .attachmentDigestMismatch, by: changed)
        changed = attachment
        changed.contentSize = 512
        refused(chunks, .chunk(1, .wrongTag), by: changed)
        changed = attachment
        changed.contentSize = 601
        refused(chunks, .chunk(2, .wrongLength), by: changed)
        changed = attachment
        changed.contentSize = 1 << 40
        refused(chunks, .chunk(2, .wrongLength), by: changed)
        changed = attachment
        changed.key = .zero
        refused(chunks, .chunk(0, .notAuthentic), by: changed)
    }

    @Test func theSealerTakesExactlyTheFileThatWasAnnounced() throws {
        var random = SeededEntropy(seed: 1)
        var sealer = try AttachmentSealer(contentSize: 300, chunkSize: 256, using: &random)
        #expect(throws: RelationshipError.chunk(0, .wrongLength)) { try sealer.seal(Self.content(255).bytes) }
        _ = try sealer.seal(Self.content(256).bytes)
        #expect(throws: RelationshipError.chunk(1, .wrongLength)) { try sealer.seal(Self.content(45).bytes) }
        _ = try sealer.seal(Self.content(44).bytes)
        #expect(throws: RelationshipError.chunk(2, .beyondEnd)) { try sealer.seal([UInt8]().bytes) }
        let unfinished = try AttachmentSealer(contentSize: 1, using: &random)
        do throws(RelationshipError) {
            _ = try unfinished.finish(name: "x")
            Issue.record("an unfinished file was finished")
        } catch {
            #expect(error == .chunk(0, .missing))
        }
    }

    @Test(arguments: [
        "", ".", "..", "a/b", #"a\b"#, "/etc/passwd", "a\nb", "a\u{202E}b", String(repeating: "x", count: 256),
    ])
    func aNameThatIsAPathOrDeceivesIsRefused(name: String) throws {
        #expect(throws: RelationshipError.self) { try Self.seal([1], name: name) }
    }

    @Test func sizesOutOfBoundsAreRefusedBeforeAnythingIsSealed() throws {
        var random = SeededEntropy(seed: 2)
        for (size, chunk) in [((1 << 40) + 1, 60_416), (1, 255), (1, 60_417), (1, 0), (1, -1)] {
            do throws(RelationshipError) {
                _ = try AttachmentSealer(contentSize: UInt64(size), chunkSize: chunk, using: &random)
                Issue.record("\(size) in \(chunk) was taken")
            } catch {
                guard case .malformedBody = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test func aRecordCarriesTheAttachmentToThePeer() throws {
        let meeting = try Meeting(seed: 5)
        let (attachment, _) = try Self.seal(Self.content(10), name: "photo.jpg")
        let entry = try meeting.invitee.append(.attachment, attachment)
        guard case .accepted(.attachment(let received)) = try meeting.inviter.receive(entry) else {
            Issue.record("not accepted as an attachment")
            return
        }
        #expect(received == attachment)
        #expect(try entry.body(as: AttachmentMessage.self) == attachment)
    }

    @Test func aBodyOutOfBoundsIsRefusedByBothSides() throws {
        let meeting = try Meeting(seed: 5)
        var (attachment, _) = try Self.seal(Self.content(10))
        attachment.name = "../x"
        #expect(throws: RelationshipError.self) { try meeting.invitee.append(.attachment, attachment) }
    }

    @Test func transferMessagesComeBackAsTheyWere() throws {
        let messages: [TransferMessage] = [
            .want(record: 1, round: 2, from: 3, until: 67), .have(record: .max), .decline(record: 0), .offer(record: 5),
            .chunk(record: 1, round: .max, number: 9, sealed: [UInt8](repeating: 7, count: 60_433)), .gone(record: 6),
        ]
        for message in messages {
            let content = try message.message().encoded()
            #expect(try TransferMessage(EphemeralMessage(decoding: content.bytes)) == message)
        }
        let typing = try EphemeralMessage(RecordType("message/typing"), TextMessage(text: ""))
        #expect(try TransferMessage(typing) == nil)
        for (from, until) in [(0, 0), (2, 1), (0, 65)] as [(UInt64, UInt64)] {
            let want = try TransferMessage.want(record: 1, round: 1, from: from, until: until).message()
            #expect(throws: RelationshipError.self) { try TransferMessage(want) }
        }
    }
}
