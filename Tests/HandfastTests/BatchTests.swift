import HandfastChannel
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

struct BatchTests {
    // MARK: In one relationship

    @Test func oneSignatureCoversManyRecords() throws {
        let meeting = try Meeting.live()
        let entries = try meeting.invitee.say((1...100).map { "message \($0)" })
        #expect(Set(entries.map(\.signed.signature)).count == 1)
        #expect(entries.allSatisfy { $0.signed.encoded().count <= LedgerLimits.record })
        try meeting.settle()
        #expect(meeting.inviter.relationship.peerHead == entries.last?.reference)
        for entry in entries {
            let bytes = entry.encoded()
            #expect(try Entry(decoding: bytes.bytes) == entry)
        }
    }

    @Test func aRecordKeepsItsHashHoweverItIsSigned() throws {
        let meeting = try Meeting.live()
        let batched = try meeting.invitee.say(["one", "two"])[0]
        let single = try Entry(
            signed: COSESign1.sign(
                batched.signed.payload, type: Record.mediaType, with: meeting.invitee.identity.signingKey),
            salt: batched.salt, body: batched.body)
        #expect(single.hash == batched.hash && single != batched)
        try meeting.inviter.receive(single)
        #expect(try meeting.inviter.receive(batched) == .duplicate)
        try meeting.settle()
    }

    @Test func aBatchIsVerifiedOnceAndFaultsInItAreFound() throws {
        let meeting = try Meeting.live()
        let entries = try meeting.invitee.say(["one", "two", "three"])
        var inviter = meeting.inviter.relationship
        var batches = BatchVerifier()
        func receive(_ entry: Entry) throws(RelationshipError) -> RecordOutcome {
            try inviter.receive(entry, batches: &batches, ownHash: { _ in nil }, peerEntry: { _ in nil })
        }
        _ = try receive(entries[0])
        let forged = Entry(
            signed: entries[0].signed,
            statement: Statement(
                record: entries[1].record, hash: entries[1].hash, salt: entries[1].salt, body: entries[1].body))
        #expect(throws: RelationshipError.invalidSignature(sequence: entries[1].record.sequence, .invalidSignature)) {
            try receive(forged)
        }
        _ = try receive(entries[1])
        _ = try receive(entries[2])
    }

    @Test func keysInForceBindBatchesToo() throws {
        let meeting = try Meeting.live()
        try meeting.invitee.say(["old key", "old key"])
        let old = meeting.invitee.identity.encoded()
        try meeting.invitee.rotate()
        try meeting.invitee.say(["new key", "new key"])
        try meeting.settle()
        #expect(try meeting.inviter.export.verify().invitee.head == meeting.invitee.relationship.ownHead)

        // The thief of the old key signs what would come next.
        let stolen = try Identity.decode(old.bytes)
        var relationship = meeting.invitee.relationship
        let next = try relationship.append(
            [NewRecord(TextMessage(text: "a")), NewRecord(TextMessage(text: "b"))], at: meeting.invitee.now,
            with: meeting.invitee.identity, using: &meeting.invitee.random)
        let contents = next.map { (payload: $0.signed.payload, leaf: $0.hash) }
        let signed = COSESign1.sign(
            batch: contents, type: Record.mediaType, with: stolen.signingKey, using: &meeting.invitee.random)
        let entry = Entry(signed: signed[0], statement: next[0].statement)
        #expect(throws: RelationshipError.invalidSignature(sequence: entry.record.sequence, .invalidSignature)) {
            try meeting.inviter.receive(entry)
        }
    }

    @Test func contradictingBatchesAreAFork() throws {
        let meeting = try Meeting.live()
        let before = meeting.invitee.relationship
        let first = try meeting.invitee.say(["a", "b"])
        try meeting.settle()
        var past = before
        let other = try past.append(
            [NewRecord(TextMessage(text: "x")), NewRecord(TextMessage(text: "y"))], at: meeting.invitee.now,
            with: meeting.invitee.identity, using: &meeting.invitee.random)
        guard case .forked(.records(let kept, let received)) = try meeting.inviter.receive(other[0]) else {
            Issue.record("no fork")
            return
        }
        #expect(kept == first[0].withoutBody && received == other[0].withoutBody)
        let stored = meeting.inviter.relationship.encoded()
        #expect(try Relationship(decoding: stored.bytes) == meeting.inviter.relationship)
    }

    @Test func refusesMoreThanOneBatchHolds() throws {
        let meeting = try Meeting.live()
        let record = try NewRecord(TextMessage(text: "x"))
        let many = [NewRecord](repeating: record, count: LedgerLimits.batch + 1)
        #expect(throws: RelationshipError.tooMany("records in a batch", limit: LedgerLimits.batch)) {
            try meeting.invitee.relationship.append(
                many, at: meeting.invitee.now, with: meeting.invitee.identity, using: &meeting.invitee.random)
        }
    }

    // MARK: Across relationships

    /// A shop with a public identity and three customers.
    private final class Shop {
        var identity: PublicIdentity
        var meetings: [Meeting] = []
        var random = SeededEntropy(seed: 77)

        init() throws {
            identity = try PublicIdentity(
                Identity.create(domain: "shop.example", at: Meeting.start, using: &random))
            for seed in 1...3 {
                let meeting = try Meeting(seed: UInt64(seed), signer: identity.identity)
                meeting.inviter.relationship.peerIsLive()
                meetings.append(meeting)
            }
        }

        /// Says one thing to everybody.
        func broadcast(_ text: String) throws -> [Entry] {
            var broadcast = Broadcast(of: identity)
            for meeting in meetings { try meeting.inviter.say(text, in: &broadcast) }
            let entries = try broadcast.sign(with: identity, using: &random)
            for (meeting, entry) in zip(meetings, entries) { meeting.inviter.take(entry) }
            return entries
        }

        func rotate() throws -> KeyEvent {
            var inner = try copy(of: identity.identity)
            let event = try inner.rotate(at: Meeting.start, using: &random)
            identity = try PublicIdentity(inner)
            return event
        }

        func revoke() throws -> KeyEvent {
            var inner = try copy(of: identity.identity)
            let event = try inner.revoke(at: Meeting.start)
            identity = try PublicIdentity(inner)
            return event
        }
    }

    @Test func aPublicIdentitySignsOnceForManyRelationships() throws {
        let shop = try Shop()
        let entries = try shop.broadcast("We open on Sunday")
        #expect(Set(entries.map(\.signed.signature)).count == 1)
        for meeting in shop.meetings {
            try meeting.inviter.say("and you are welcome")
            try meeting.settle()
            let ledger = try meeting.invitee.export.verify()
            #expect(ledger.inviter.head == meeting.inviter.relationship.ownHead)
            let stored = meeting.invitee.relationship.encoded()
            #expect(try Relationship(decoding: stored.bytes) == meeting.invitee.relationship)
        }
    }

    @Test func anotherRelationshipsRecordIsRefused() throws {
        let shop = try Shop()
        let entries = try shop.broadcast("hello")
        #expect(throws: RelationshipError.wrongRelationship(entries[1].record.relationship)) {
            try shop.meetings[0].invitee.receive(entries[1])
        }
        let moved = Entry(signed: entries[1].signed, statement: entries[0].statement)
        #expect(throws: RelationshipError.invalidSignature(sequence: moved.record.sequence, .invalidSignature)) {
            try shop.meetings[0].invitee.receive(moved)
        }
    }

    @Test func aPairwiseIdentityHasNoWayToBroadcast() throws {
        let meeting = try Meeting.live()
        let id = meeting.invitee.identity.id
        let own = try copy(of: meeting.invitee.identity)
        do throws(ChannelError) {
            _ = try PublicIdentity(own)
            Issue.record("a pairwise identity became public")
        } catch {
            #expect(error == .notPublic(id))
        }
    }

    @Test func broadcastsReachOnlyWhomTheIdentityVouchedFor() throws {
        let shop = try Shop()
        var broadcast = Broadcast(of: shop.identity)
        let customer = shop.meetings[0].invitee
        #expect(throws: RelationshipError.wrongPublicIdentity(shop.identity.log.id)) {
            try customer.say("I am no shop", in: &broadcast)
        }
        let stranger = try Meeting.live(seed: 9)
        #expect(throws: RelationshipError.wrongPublicIdentity(shop.identity.log.id)) {
            try stranger.inviter.say("vouched for by another", in: &broadcast)
        }
        #expect(broadcast.count == 0)
    }

    @Test func aPublicKeySignsNothingAloneAndNothingOfTheRelationshipItself() throws {
        let shop = try Shop()
        let meeting = shop.meetings[0]
        let alone = try meeting.inviter.forge(signer: shop.identity.identity.signingKey)
        #expect(throws: RelationshipError.invalidSignature(sequence: alone.record.sequence, .invalidSignature)) {
            try meeting.invitee.receive(alone)
        }
        let end = try meeting.inviter.forge(
            type: .end, body: CBOREncoder().encode(Ending(reason: "thief")), signer: meeting.inviter.identity.signingKey
        )
        let signed = COSESign1.sign(
            batch: [(end.signed.payload, end.hash)], type: Record.mediaType,
            with: shop.identity.identity.signingKey, using: &shop.random)
        #expect(throws: RelationshipError.invalidSignature(sequence: end.record.sequence, .invalidSignature)) {
            try meeting.invitee.receive(Entry(signed: signed[0], statement: end.statement))
        }
    }

    // MARK: Rotation of the public identity

    @Test func anEndorsementCarriesARotationIntoTheRelationship() throws {
        let shop = try Shop()
        _ = try shop.broadcast("before")
        let before = shop.meetings.map(\.inviter.relationship)
        let oldKey = try copy(of: shop.identity.identity)
        let event = try shop.rotate()
        #expect(throws: RelationshipError.wrongPublicIdentity(shop.identity.log.id)) { try shop.broadcast("too early") }
        for meeting in shop.meetings { try meeting.inviter.endorse(event) }
        _ = try shop.broadcast("after")
        for meeting in shop.meetings {
            try meeting.settle()
            #expect(meeting.invitee.relationship.peerEndorser?.matches(shop.identity.log) == true)
            #expect(try meeting.invitee.export.verify().inviter.head == meeting.inviter.relationship.ownHead)
            let stored = meeting.invitee.relationship.encoded()
            #expect(try Relationship(decoding: stored.bytes) == meeting.invitee.relationship)
        }
        #expect(before.allSatisfy { $0.ownEndorser?.count == 1 })

        // The thief of the old public key.
        let meeting = shop.meetings[0]
        let next = try meeting.inviter.forge(signer: meeting.inviter.identity.signingKey)
        let signed = COSESign1.sign(
            batch: [(next.signed.payload, next.hash)], type: Record.mediaType, with: oldKey.signingKey,
            using: &shop.random)
        #expect(throws: RelationshipError.invalidSignature(sequence: next.record.sequence, .invalidSignature)) {
            try meeting.invitee.receive(Entry(signed: signed[0], statement: next.statement))
        }
    }

    @Test func aRevokedPublicIdentitySignsNoMoreBatches() throws {
        let shop = try Shop()
        let meeting = shop.meetings[0]
        try meeting.inviter.endorse(shop.revoke())
        #expect(throws: RelationshipError.wrongPublicIdentity(shop.identity.log.id)) { try shop.broadcast("no") }
        try meeting.inviter.say("from here on alone")
        try meeting.settle()
        let next = try meeting.inviter.forge(signer: meeting.inviter.identity.signingKey)
        let signed = COSESign1.sign(
            batch: [(next.signed.payload, next.hash)], type: Record.mediaType,
            with: shop.identity.identity.signingKey, using: &shop.random)
        #expect(throws: RelationshipError.invalidSignature(sequence: next.record.sequence, .invalidSignature)) {
            try meeting.invitee.receive(Entry(signed: signed[0], statement: next.statement))
        }
        #expect(try meeting.invitee.export.verify().inviter.head == meeting.inviter.relationship.ownHead)
    }

    @Test func contradictingEndorsementsFreezeTheRelationship() throws {
        let shop = try Shop()
        var second = try copy(of: shop.identity.identity)
        let known = try shop.rotate()
        let meeting = shop.meetings[0]
        try meeting.inviter.endorse(known)
        try meeting.settle()
        let conflicting = try second.rotate(at: Meeting.start.adding(seconds: 5), using: &shop.random)
        let body = try CBOREncoder().encode(Endorsement(conflicting))
        let entry = try meeting.inviter.forge(
            type: .endorse, body: body, signer: meeting.inviter.identity.signingKey)
        let outcome = try meeting.invitee.receive(entry)
        #expect(outcome == .forked(.endorsement(kept: known.digest, received: conflicting)))
        #expect(meeting.invitee.relationship.state == .frozen)
        let stored = meeting.invitee.relationship.encoded()
        #expect(try Relationship(decoding: stored.bytes) == meeting.invitee.relationship)
    }

    @Test func refusesAnEndorsementOutOfOrderOrWithoutPublicIdentity() throws {
        let shop = try Shop()
        let event = try shop.rotate()
        let meeting = shop.meetings[0]
        try meeting.inviter.endorse(event)
        try meeting.settle()
        #expect(throws: RelationshipError.keyEventRefused(sequence: 3, .keyLog(.wrongSequence, sequence: 1))) {
            try meeting.inviter.endorse(event)
        }
        #expect(throws: RelationshipError.notEndorsed(sequence: 2)) { try meeting.invitee.endorse(event) }
        let body = try CBOREncoder().encode(Endorsement(event))
        let forged = try meeting.invitee.forge(
            type: .endorse, body: body, signer: meeting.invitee.identity.signingKey)
        #expect(throws: RelationshipError.notEndorsed(sequence: 2)) { try meeting.inviter.receive(forged) }
    }
}

/// Another holder of the same keys.
private func copy(of identity: borrowing Identity) throws -> Identity {
    let bytes = identity.encoded()
    return try Identity.decode(bytes.bytes)
}
