import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

struct CodingTests {
    @Test func mutatedStoredRelationshipNeverCrashes() throws {
        let meeting = try Meeting.live()
        try meeting.invitee.rotate()
        let bytes = meeting.invitee.relationship.encoded()
        var random = SeededEntropy(seed: 11)
        for position in bytes.indices {
            var mutated = bytes
            mutated[position] ^= UInt8(truncatingIfNeeded: random.next() % 255 + 1)
            // Refused under a name, or read as just what it says.
            guard let read = try? Relationship(decoding: mutated.bytes) else { continue }
            #expect(read.encoded() == mutated, "byte \(position)")
        }
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: RelationshipError.self) { try Relationship(decoding: bytes.bytes.extracting(0..<count)) }
        }
    }

    @Test func storedRelationshipIsSmall() throws {
        let meeting = try Meeting.live()
        #expect(meeting.invitee.relationship.encoded().count <= 3_584)
    }

    @Test func ephemeralMessageNestsNoDeeperThanThePeerReads() throws {
        let message = try EphemeralMessage(.textMessage, Nested(levels: CBORLimits.depth - 1))
        #expect(try EphemeralMessage(decoding: message.encoded().bytes) == message)
        #expect(throws: RelationshipError.self) {
            try EphemeralMessage(.textMessage, Nested(levels: CBORLimits.depth))
        }
    }

    @Test func laterVersionOfAStoredRelationshipIsNamed() throws {
        var bytes = try Meeting.live().invitee.relationship.encoded()
        bytes[2] += 1
        #expect(throws: RelationshipError.unsupportedVersion(3)) { try Relationship(decoding: bytes.bytes) }
    }

    @Test func storedStateThatContradictsItselfIsRefused() throws {
        let meeting = try Meeting.live()
        var frozen = meeting.invitee.relationship
        frozen.state = .frozen
        var owing = meeting.invitee.relationship
        owing.owesEnd = true
        var greeted = meeting.invitee.relationship
        greeted.state = .greeted
        var stranger = meeting.invitee.relationship
        stranger.peer = nil
        for relationship in [frozen, owing, greeted, stranger] {
            let bytes = relationship.encoded()
            #expect(throws: RelationshipError.self) { try Relationship(decoding: bytes.bytes) }
        }
    }

    @Test func contentIsCutIntoEnvelopes() throws {
        let meeting = try Meeting.live()
        var entries: [Entry] = []
        for index in 0..<70 { entries.append(try meeting.invitee.say("\(index)")) }
        for _ in 0..<3 { entries.append(try meeting.invitee.say(String(repeating: "x", count: 40_000))) }
        let batches = RecordContent.batches(of: entries)
        #expect(batches.flatMap { $0 } == entries)
        #expect(batches.count == 4)
        for batch in batches {
            let content = try RecordContent.encode(batch)
            #expect(try RecordContent.decode(content.bytes) == batch)
        }
        #expect(RecordContent.batches(of: []).isEmpty)
        #expect(throws: RelationshipError.self) { try RecordContent.encode([]) }
        #expect(throws: RelationshipError.self) { try RecordContent.encode(entries) }
        let empty: [UInt8] = [0x80]
        #expect(throws: RelationshipError.self) { try RecordContent.decode(empty.bytes) }
    }

    @Test func contentOf65EntriesIsRefused() throws {
        let entry = try Meeting.live().invitee.say("x").encoded()
        let content: [UInt8] = [0x98, 65] + Array(repeating: entry, count: 65).joined()
        #expect(throws: RelationshipError.malformed("list of entries", .sizeExceeded(limit: 64, at: 0))) {
            try RecordContent.decode(content.bytes)
        }
    }

    @Test func halfErasedEntryIsRefused() throws {
        let entry = try Meeting.live().invitee.say("x")
        for (salt, body) in [(entry.salt, nil), (nil, entry.body)] {
            var writer = CBORWriter()
            writer.writeArrayHeader(3)
            writer.writeBytes(entry.signed.encoded())
            for part in [salt, body] {
                if let part { writer.writeBytes(part) } else { writer.writeNull() }
            }
            #expect(throws: RelationshipError.self) { try Entry(decoding: writer.bytes.bytes) }
        }
    }

    @Test func ephemeralMessageRoundTrips() throws {
        var random = SeededEntropy(seed: 4)
        let message = try EphemeralMessage(
            .textMessage, TextMessage(text: "typing"), thread: .random(using: &random))
        let bytes = message.encoded()
        #expect(try EphemeralMessage(decoding: bytes.bytes) == message)
        #expect(try message.body(as: TextMessage.self) == TextMessage(text: "typing"))
        #expect(try message.body(as: Introduction.self) == nil)
        #expect(throws: RelationshipError.self) { try EphemeralMessage(.textMessage, [1]) }
        let empty: [UInt8] = [0xA0]
        #expect(throws: RelationshipError.self) { try EphemeralMessage(decoding: empty.bytes) }
        for count in bytes.indices {
            #expect(throws: RelationshipError.self) {
                try EphemeralMessage(decoding: bytes.bytes.extracting(0..<count))
            }
        }
    }
}

/// A map in a map, so many levels deep.
private struct Nested: Encodable {
    private enum CodingKeys: CodingKey {
        case inner
    }

    let levels: Int

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if levels > 1 { try container.encode(Nested(levels: levels - 1), forKey: .inner) }
    }
}
