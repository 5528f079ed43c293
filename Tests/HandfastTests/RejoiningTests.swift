import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast
@testable import HandfastChannel

/// What a new epoch brings back, and what it makes void.
@Suite struct RejoiningTests {
    // MARK: Heads

    @Test func headsNameTheLatestRecordAndOthersEverFurtherBack() {
        #expect(LedgerHeads.numbers(upTo: 0).isEmpty)
        #expect(LedgerHeads.numbers(upTo: 1) == [1])
        #expect(LedgerHeads.numbers(upTo: 10) == [10, 9, 7, 3])
        #expect(LedgerHeads.numbers(upTo: 16) == [16, 15, 13, 9, 1])
        #expect(LedgerHeads.numbers(upTo: .max).count <= LedgerHeads.maximumCount)
    }

    @Test func headsReadBack() throws {
        let meeting = try Meeting.live()
        for number in 0..<9 { try meeting.invitee.say("\(number)") }
        try meeting.settle()
        let heads = try meeting.invitee.heads()
        #expect(heads.own.map(\.sequence) == [10, 9, 7, 3])
        #expect(heads.peer == meeting.inviter.relationship.ownHead)
        #expect(try decode(heads.encoded(), in: meeting) == heads)
    }

    @Test func headsOutOfOrderAreRefused() throws {
        let meeting = try Meeting.live()
        let (id, hash) = (meeting.invitee.relationship.id, meeting.invitee.relationship.ownHead.hash)
        func refused(_ own: [UInt64], peer: RecordReference) {
            let heads = LedgerHeads(own: own.map { RecordReference(sequence: $0, hash: hash) }, peer: peer)
            #expect(throws: RelationshipError.self) { try decode(heads.encoded(), in: meeting) }
        }
        refused([1, 2], peer: .start(of: id))
        refused([2, 2], peer: .start(of: id))
        refused([2, 0], peer: .start(of: id))
        refused([2, 1], peer: RecordReference(sequence: 0, hash: hash))
    }

    private func decode(_ bytes: [UInt8], in meeting: Meeting) throws -> LedgerHeads {
        try LedgerHeads(decoding: bytes.bytes, of: meeting.invitee.relationship.id)
    }

    // MARK: Coming back

    @Test func aSideThatWentBackGetsBothDirectionsAgain() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        try meeting.invitee.say("one")
        try meeting.settle()
        try meeting.inviter.say("two")
        try meeting.settle()
        try meeting.invitee.say("three")
        try meeting.settle()
        try meet(old, meeting.inviter)
        #expect(old.ownEntries == meeting.invitee.ownEntries)
        #expect(old.peerEntries == meeting.invitee.peerEntries)
        #expect(old.relationship == meeting.invitee.relationship)
        try old.say("four")
        try meeting.inviter.catchUp(with: old)
    }

    @Test func bothSidesMayHaveGoneBack() throws {
        let meeting = try Meeting.live()
        try meeting.invitee.say("one")
        try meeting.settle()
        let oldInviter = try meeting.inviter.copy()
        try meeting.inviter.say("two")
        try meeting.settle()
        let oldInvitee = try meeting.invitee.copy()
        try meeting.invitee.say("three")
        try meeting.settle()
        try meet(oldInvitee, oldInviter)
        // What neither remembers is lost; what one does is not.
        #expect(oldInviter.ownEntries == meeting.inviter.ownEntries)
        #expect(oldInvitee.ownEntries.map(\.hash) == oldInviter.peerEntries.map(\.hash))
        #expect(oldInvitee.peerEntries.map(\.hash) == oldInviter.ownEntries.map(\.hash))
    }

    @Test func whatWasNotSentIsSentAgainByTheSameRecord() throws {
        let meeting = try Meeting.live()
        let entry = try meeting.invitee.say("lost on the way")
        try meet(meeting.invitee, meeting.inviter)
        #expect(meeting.inviter.peerEntries.last == entry)
    }

    @Test func whatACopySaidThatKnewNoBetterIsVoid() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        try meeting.invitee.say("said")
        try meeting.settle()
        let (first, second) = (try old.say("said by the copy"), try old.say("and more"))
        let void = try meet(old, meeting.inviter)
        #expect(void.map(\.hash) == [first.hash, second.hash])
        #expect(old.ownEntries == meeting.invitee.ownEntries)
        #expect(meeting.inviter.relationship.state == .live)
    }

    @Test func nothingIsSignedUntilOwnRecordsAreBack() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        try meeting.invitee.say("one")
        try meeting.settle()
        _ = try old.reconcile(with: meeting.inviter.heads())
        #expect(old.relationship.awaited == meeting.invitee.relationship.ownHead)
        let stored = old.relationship.encoded()
        #expect(try Relationship(decoding: stored.bytes) == old.relationship)
        let waits = RelationshipError.awaitingOwnRecords(upTo: 2)
        #expect(throws: waits) { try old.say("too soon") }
        #expect(throws: waits) { try old.rotate() }
        #expect(throws: waits) { try old.end() }
        #expect(throws: waits) { try old.revoke() }
        #expect(old.identity.log.events.count == 1)
        #expect(try old.receiveReturned(meeting.invitee.ownEntries[1]) == .restored(void: nil))
        #expect(old.relationship.awaited == nil)
        try old.say("in time")
    }

    @Test func whatTwoCopiesSaidFreezesARelationshipWhereThePeerHasSeenOneAndHoldsTheOther() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        let seen = try meeting.invitee.say("seen")
        try meeting.settle()
        try meeting.inviter.say("I have seen it")
        try meeting.settle()
        let before = meeting.invitee.relationship
        let forged = try old.forge(signer: SigningKey.generate(using: &old.random))
        #expect(throws: RelationshipError.invalidSignature(sequence: 2, .invalidSignature)) {
            try meeting.invitee.receiveReturned(forged)
        }
        #expect(meeting.invitee.relationship == before)
        let other = try old.say("of a copy")
        let evidence = ForkEvidence.ownRecords(kept: seen.withoutBody, received: other.withoutBody)
        #expect(try meeting.invitee.receiveReturned(other) == .forked(evidence))
        let frozen = meeting.invitee.relationship
        #expect(frozen.state == .frozen && frozen.evidence == evidence && frozen.ownHead == before.ownHead)
        #expect(evidence.description.contains("new invitation"))
        #expect(try Relationship(decoding: frozen.encoded().bytes) == frozen)
        #expect(throws: RelationshipError.notAllowed(.append, in: .frozen)) { try meeting.invitee.say("no more") }
        #expect(throws: RelationshipError.notAllowed(.receive, in: .frozen)) {
            try meeting.invitee.receiveReturned(other)
        }
    }

    /// Copies of either vault, of which each pair took the other's records: nothing fits together any more.
    @Test func whoFrozeOverItsOwnRecordsShowsThemToThePeer() throws {
        let meeting = try Meeting.live()
        let (otherInvitee, otherInviter) = (try meeting.invitee.copy(), try meeting.inviter.copy())
        let kept = try meeting.invitee.say("one story")
        try meeting.settle()
        try meeting.inviter.say("I have seen it")
        try meeting.settle()
        let held = try otherInvitee.say("another story")
        try otherInviter.catchUp(with: otherInvitee)
        // The first invitee meets the second inviter: each returns what the other contradicts.
        let (invitee, inviter) = (meeting.invitee, otherInviter)
        let (heads, theirs) = (try invitee.heads(), try inviter.heads())
        #expect(try inviter.entries(of: inviter.reconcile(with: heads)) == [held])
        let returned = try invitee.entries(of: invitee.reconcile(with: theirs))
        guard case .forked = try invitee.receiveReturned(held) else {
            Issue.record("not frozen")
            return
        }
        #expect(!invitee.relationship.mayRejoin && invitee.relationship.answersRejoin)
        #expect(invitee.relationship.awaited == nil && inviter.relationship.awaited != nil)
        #expect(returned.map(\.record.sequence) == [2])
        #expect(throws: RelationshipError.lastSeenMismatch(sequence: 2)) { try inviter.receiveReturned(returned[0]) }
        // The inviter asks again.
        #expect(try invitee.entries(of: invitee.reconcile(with: inviter.heads())) == [kept])
        let evidence = ForkEvidence.records(kept: held.withoutBody, received: kept.withoutBody)
        #expect(try inviter.receiveReturned(kept) == .peer(.forked(evidence)))
        #expect(inviter.relationship.state == .frozen && !inviter.relationship.answersRejoin)
        #expect(throws: RelationshipError.notAllowed(.rejoin, in: .frozen)) { try inviter.reconcile(with: heads) }
    }

    @Test func anOwnRecordComesBackByTheOwnSignatureAlone() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        let good = try meeting.invitee.say("mine")
        let before = old.relationship
        let forged = try old.forge(signer: SigningKey.generate(using: &old.random))
        #expect(throws: RelationshipError.invalidSignature(sequence: 2, .invalidSignature)) {
            try old.receiveReturned(forged)
        }
        let next = try meeting.invitee.say("and mine")
        #expect(throws: RelationshipError.missingRecord(expected: 2, received: 3)) { try old.receiveReturned(next) }
        #expect(old.relationship == before)
        // The peer may have erased the body of what it was told, but not what it said itself.
        #expect(try old.receiveReturned(good.erased()) == .restored(void: nil))
        #expect(try old.receiveReturned(good) == .known)
        let told = try meeting.inviter.say("yours").erased()
        #expect(throws: RelationshipError.bodyMissing(sequence: 2)) { try old.receiveReturned(told) }
    }

    @Test func anEndComesBackOrBecomesVoid() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        let end = try meeting.invitee.end("enough")
        #expect(try old.receiveReturned(end) == .restored(void: nil))
        #expect(old.relationship.state == .ending)

        let other = try Meeting.live(seed: 2)
        let copy = try other.invitee.copy()
        let said = try other.invitee.say("going on")
        try copy.end("enough")
        #expect(copy.relationship.state == .ending)
        #expect(try copy.receiveReturned(said) == .restored(void: 2...2))
        #expect(copy.relationship.state == .live)
        try copy.say("indeed")
    }

    @Test func aVoidRotationIsSaidAgain() throws {
        let meeting = try Meeting.live()
        let old = try meeting.invitee.copy()
        try meeting.invitee.say("one")
        try meeting.settle()
        try old.rotate()
        let void = try meet(old, meeting.inviter)
        #expect(void.map(\.record.type) == [.rotate])
        #expect(throws: RelationshipError.wrongIdentity(old.identity.id)) { try old.say("under which key?") }
        let entry = try #require(try old.restateRotation())
        #expect(try meeting.inviter.receive(entry) == .accepted(.rotated(old.identity.log.events[1])))
        #expect(try old.restateRotation() == nil)
        try old.say("with the new key")
        try meeting.inviter.catchUp(with: old)
    }

    @Test func recordsOfBothDirectionsTravelInAnOrderThatEitherCanFollow() throws {
        let meeting = try Meeting.live()
        let blank = try meeting.invitee.copy()
        var random = SeededEntropy(seed: 9)
        for number in 0..<60 {
            try meeting.party(random.next() % 2 == 0 ? .invitee : .inviter).say("\(number)")
            if random.next() % 2 == 0 { try meeting.invitee.catchUp(with: meeting.inviter) }
            if random.next() % 2 == 0 { try meeting.inviter.catchUp(with: meeting.invitee) }
        }
        try meeting.settle()
        let own = Array(meeting.inviter.ownEntries.dropFirst())
        let peer = Array(meeting.inviter.peerEntries.dropFirst())
        let all = RecordContent.merged(own: own, peer: peer)
        for size in [1, 2, 7, 100] {
            var (own, peer, joined) = (own[...], peer[...], [Entry]())
            while joined.count < all.count {
                let part = RecordContent.merged(
                    own: Array(own.prefix(size)), ownIsAll: own.count <= size, peer: Array(peer.prefix(size)),
                    peerIsAll: peer.count <= size)
                try #require(!part.isEmpty)
                own = own.dropFirst(part.count { $0.record.direction == .inviter })
                peer = peer.dropFirst(part.count { $0.record.direction == .invitee })
                joined += part
            }
            #expect(joined == all, "\(size) of each at a time")
        }
        for entry in all {
            // A vault as it was at the beginning takes them all.
            switch try blank.receiveReturned(entry) {
            case .peer(.accepted), .restored(void: nil): break
            case let outcome: Issue.record("\(outcome)")
            }
        }
        #expect(blank.relationship.ownHead == meeting.invitee.relationship.ownHead)
    }

    /// Exchanges heads and records as a rejoin does; returns what became void at the first party.
    @discardableResult
    private func meet(_ asker: Party, _ answerer: Party) throws -> [Entry] {
        let (asked, answered) = (try asker.heads(), try answerer.heads())
        let back = try answerer.reconcile(with: asked)
        let there = try asker.reconcile(with: answered)
        let before = asker.ownEntries
        for entry in try answerer.entries(of: back) { _ = try asker.receiveReturned(entry) }
        for entry in try asker.entries(of: there) { _ = try answerer.receiveReturned(entry) }
        let kept = Set(asker.ownEntries.map(\.hash))
        return before.filter { !kept.contains($0.hash) }
    }
}
