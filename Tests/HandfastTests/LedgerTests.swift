import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

struct LedgerTests {
    /// Both sides say, rotate, deliver and repeat at random; then both ledgers hold the same and verify.
    @Test(arguments: UInt64(1)...12)
    func ledgersAgreeAfterAnyInterleaving(seed: UInt64) throws {
        let meeting = try Meeting.live(seed: seed)
        var random = SeededEntropy(seed: seed &* 7919)
        for step in 0..<60 {
            let role: SenderRole = random.next() % 2 == 0 ? .invitee : .inviter
            let (party, peer) = (meeting.party(role), meeting.party(role.other))
            switch random.next() % 10 {
            case 0...2: try party.say("step \(step)", thread: ThreadID(FixedBytes(random: &random)))
            case 3: try party.append(try RecordType("thing/scan"), ["step": step])
            case 4 where party.relationship.ownLog.count < 4: try party.rotate()
            case 5: try party.append(.introduce, Introduction(name: "name \(step)"))
            case 6:
                guard let again = party.peerEntries.randomElement(using: &random) else { break }
                #expect(try party.receive(again) == .duplicate, "seed \(seed), step \(step)")
            default:
                let waiting = peer.ownEntries.dropFirst(party.peerEntries.count)
                for entry in waiting.prefix(Int(random.next() % 4)) {
                    guard case .accepted = try party.receive(entry) else {
                        Issue.record("seed \(seed), step \(step): a new record was not accepted")
                        return
                    }
                }
            }
            let stored = try Relationship(decoding: party.relationship.encoded().bytes)
            #expect(stored == party.relationship, "seed \(seed), step \(step)")
        }
        try meeting.settle()
        let agreement = try LedgerExport.agree(meeting.invitee.export, meeting.inviter.export)
        #expect(agreement.isComplete, "seed \(seed)")
        #expect(agreement.first == agreement.second, "seed \(seed)")
        #expect(agreement.inviteeCount == UInt64(meeting.invitee.ownEntries.count), "seed \(seed)")
        #expect(agreement.first.domain == "shop.example")

        meeting.invitee.eraseAll()
        let erased = try LedgerExport.agree(meeting.invitee.export, meeting.inviter.export)
        #expect(erased.isComplete, "seed \(seed)")
        #expect(
            erased.first.invitee.erasedCount > 0 || meeting.invitee.ownEntries.allSatisfy { $0.record.type.isPermanent }
        )
    }

    @Test func recordsCarryWhatWasSaid() throws {
        let meeting = try Meeting.live()
        var random = SeededEntropy(seed: 3)
        let thread = ThreadID.random(using: &random)
        let entry = try meeting.invitee.say("hello", thread: thread)
        let read = try Entry(decoding: entry.encoded().bytes)
        #expect(read == entry)
        #expect(read.record.thread == thread)
        #expect(try read.body(as: TextMessage.self) == TextMessage(text: "hello"))
        #expect(try read.body(as: Ending.self) == nil)
        #expect(read.record.type == .textMessage)
        #expect(read.record.direction == .invitee)
        #expect(read.record.sequence == 2)
        #expect(read.record.previous == meeting.invitee.ownEntries[0].hash)
        #expect(read.record.lastSeen == meeting.inviter.ownEntries[0].reference)
        #expect(try meeting.inviter.receive(read) == .accepted(.message(TextMessage(text: "hello"))))
        #expect(meeting.inviter.relationship.peerHead == entry.reference)
        #expect(meeting.inviter.relationship.peerLastSeen == meeting.inviter.relationship.ownHead)
    }

    @Test func firstRecordsFollowTheRelationshipItself() throws {
        let meeting = try Meeting.live()
        let id = meeting.invitee.relationship.id
        #expect(meeting.invitee.ownEntries[0].record.previous == id.digest)
        #expect(meeting.invitee.ownEntries[0].record.lastSeen == RecordReference(sequence: 0, hash: id.digest))
        #expect(meeting.inviter.relationship.peerName == "Ada")
        #expect(meeting.invitee.relationship.peerName == "Shop")
        #expect(meeting.invitee.relationship.domain == "shop.example")
    }

    @Test func unknownTypesAreKeptAndNotActedOn() throws {
        let meeting = try Meeting.live()
        let type = try RecordType("loyalty/stamp")
        let entry = try meeting.invitee.append(type, ["stamps": 3])
        #expect(try meeting.inviter.receive(entry) == .accepted(.unknownType(type)))
        #expect(meeting.inviter.relationship.peerHead == entry.reference)
        let later = try RecordType("relationship/later")
        let forged = try meeting.invitee.forge(
            type: later, body: [0xA0], signer: meeting.invitee.identity.signingKey)
        #expect(try meeting.inviter.receive(forged) == .accepted(.unknownType(later)))
    }

    @Test func keysOfLaterVersionsAreIgnored() throws {
        let meeting = try Meeting.live()
        let body = try CBOREncoder().encode(["mood": "good", "text": "hi"])
        let forged = try meeting.invitee.forge(body: body, signer: meeting.invitee.identity.signingKey)
        #expect(try meeting.inviter.receive(forged) == .accepted(.message(TextMessage(text: "hi"))))
    }

    @Test func repeatedRecordIsADuplicateAndChangesNothing() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let first = try ada.say("once")
        let second = try ada.say("twice")
        try shop.receive(first)
        try shop.receive(second)
        let before = shop.relationship
        #expect(shop.relationship.lookup(for: second) == nil)
        #expect(shop.relationship.lookup(for: first) == .peerEntry(first.record.sequence))
        #expect(try shop.receive(second) == .duplicate)
        #expect(try shop.receive(first) == .duplicate)
        #expect(shop.relationship == before)
        #expect(throws: RelationshipError.recordNotAtHand(sequence: 2)) {
            try shop.relationship.receive(first, ownHash: { _ in nil }, peerEntry: { _ in nil })
        }
        #expect(shop.relationship == before)
    }

    @Test func erasedBodyStillVerifiesAndSaysNothing() throws {
        let meeting = try Meeting.live()
        let entry = try meeting.invitee.say("a secret")
        let erased = try entry.erased()
        #expect(erased.isErased)
        #expect(erased.hash == entry.hash)
        #expect(erased.body == nil && erased.salt == nil)
        #expect(try erased.body(as: TextMessage.self) == nil)
        #expect(try Entry(decoding: erased.encoded().bytes) == erased)
    }

    @Test func relationshipFamilyRefusesErasure() throws {
        let meeting = try Meeting.live()
        for entry in [meeting.invitee.ownEntries[0], try meeting.invitee.rotate(), try meeting.invitee.end()] {
            #expect(throws: RelationshipError.notErasable(entry.record.type)) { try entry.erased() }
        }
    }

    @Test func recordHashLeavesTheSignatureOut() throws {
        let meeting = try Meeting.live()
        let ada = meeting.invitee
        let entry = try ada.say("x")
        let other = SigningKey.generate(using: &ada.random)
        let resigned = try Entry(
            signed: COSESign1.sign(entry.signed.payload, type: Record.mediaType, with: other), salt: entry.salt,
            body: entry.body)
        #expect(resigned.hash == entry.hash)
        #expect(resigned.signed != entry.signed)
    }
}
