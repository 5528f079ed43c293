import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

/// The rows of Spec/05 §5.5.
struct StateTests {
    @Test func inviteeSignsNothingBetweenHelloAndWelcome() throws {
        var random = SeededEntropy(seed: 5)
        let identity = try Identity.create(at: Meeting.start, using: &random)
        let id = RelationshipID(Digest.of(.record, [1]))
        var (relationship, entries) = try Relationship.greeted(
            id: id, identity: identity, signer: identity.log, at: Meeting.start
        ) { (relationship: inout Relationship) throws(RelationshipError) in
            [try relationship.append(Introduction(name: "A"), at: Meeting.start, with: identity, using: &random)]
        }
        #expect(relationship.state == .greeted)
        #expect(entries.count == 1)
        #expect(try Relationship(decoding: relationship.encoded().bytes) == relationship)
        #expect(throws: RelationshipError.notAllowed(.append, in: .greeted)) {
            try relationship.append(TextMessage(text: "x"), at: Meeting.start, with: identity, using: &random)
        }
        #expect(throws: RelationshipError.notAllowed(.end, in: .greeted)) {
            try relationship.end(at: Meeting.start, with: identity, using: &random)
        }
        #expect(throws: RelationshipError.notAllowed(.receive, in: .greeted)) {
            try relationship.receive(entries[0], ownHash: { _ in nil }, peerEntry: { _ in nil })
        }
        try relationship.close()
        #expect(relationship.state == .ended)
        #expect(try Relationship(decoding: relationship.encoded().bytes) == relationship)
    }

    @Test func helloCarriesAtMost16Records() throws {
        var random = SeededEntropy(seed: 6)
        let identity = try Identity.create(at: Meeting.start, using: &random)
        #expect(throws: RelationshipError.tooMany("first records", limit: 16)) {
            try Relationship.greeted(
                id: RelationshipID(Digest.of(.record, [1])), identity: identity, signer: identity.log, at: Meeting.start
            ) { (relationship: inout Relationship) throws(RelationshipError) in
                var entries: [Entry] = []
                for _ in 0..<17 {
                    entries.append(
                        try relationship.append(
                            TextMessage(text: "x"), at: Meeting.start, with: identity, using: &random))
                }
                return entries
            }
        }
    }

    @Test func inviterSignsFromItsWelcomeOnAndIsLiveByTheFirstEnvelope() throws {
        let meeting = try Meeting(seed: 1)
        let shop = meeting.inviter
        #expect(shop.relationship.state == .welcomed)
        try shop.say("are you there?")
        try shop.receive(try meeting.invitee.say("yes"))
        #expect(shop.relationship.state == .welcomed)
        shop.relationship.peerIsLive()
        #expect(shop.relationship.state == .live)
        #expect(meeting.invitee.relationship.state == .live)
        shop.relationship.peerIsLive()
        #expect(shop.relationship.state == .live)
    }

    @Test(arguments: SenderRole.allCases)
    func endFromEitherSideIsAnswered(role: SenderRole) throws {
        let meeting = try Meeting.live()
        let (one, other) = (meeting.party(role), meeting.party(role.other))
        let inFlight = try other.say("crossing")
        let end = try one.end("enough")
        #expect(one.relationship.state == .ending)
        #expect(throws: RelationshipError.notAllowed(.append, in: .ending)) { try one.say("more") }
        #expect(throws: RelationshipError.notAllowed(.rotate, in: .ending)) { try one.rotate() }
        #expect(throws: RelationshipError.notAllowed(.end, in: .ending)) { try one.end() }
        #expect(try one.receive(inFlight) == .accepted(.message(TextMessage(text: "crossing"))))
        #expect(one.relationship.state == .ending)

        #expect(try other.receive(end) == .accepted(.ended(Ending(reason: "enough"), mustAnswer: true)))
        #expect(other.relationship.state == .ended)
        #expect(other.relationship.owesEnd)
        #expect(try Relationship(decoding: other.relationship.encoded().bytes) == other.relationship)
        #expect(throws: RelationshipError.notAllowed(.append, in: .ended)) { try other.say("but") }
        let answer = try other.end()
        #expect(!other.relationship.owesEnd)
        #expect(throws: RelationshipError.notAllowed(.end, in: .ended)) { try other.end() }

        #expect(try one.receive(answer) == .accepted(.ended(Ending(), mustAnswer: false)))
        #expect(one.relationship.state == .ended)
        #expect(try LedgerExport.agree(one.export, other.export).isComplete)
    }

    @Test func welcomedInviterMayEndAndBeEnded() throws {
        let ending = try Meeting(seed: 2)
        try ending.inviter.end()
        #expect(ending.inviter.relationship.state == .ending)
        let ended = try Meeting(seed: 3)
        #expect(
            try ended.inviter.receive(try ended.invitee.end()) == .accepted(.ended(Ending(), mustAnswer: true)))
        #expect(ended.inviter.relationship.state == .ended)
    }

    @Test func crossedEndsNeedNoAnswer() throws {
        let meeting = try Meeting.live()
        let (ours, theirs) = (try meeting.invitee.end(), try meeting.inviter.end())
        #expect(try meeting.invitee.receive(theirs) == .accepted(.ended(Ending(), mustAnswer: false)))
        #expect(try meeting.inviter.receive(ours) == .accepted(.ended(Ending(), mustAnswer: false)))
        for role in SenderRole.allCases {
            #expect(meeting.party(role).relationship.state == .ended)
            #expect(throws: RelationshipError.notAllowed(.end, in: .ended)) { try meeting.party(role).end() }
        }
        #expect(try LedgerExport.agree(meeting.invitee.export, meeting.inviter.export).isComplete)
    }

    @Test func endingIsClosedWithoutThePeer() throws {
        let meeting = try Meeting.live()
        try meeting.invitee.end()
        try meeting.invitee.relationship.close()
        #expect(meeting.invitee.relationship.state == .ended)
        #expect(throws: RelationshipError.notAllowed(.close, in: .ended)) { try meeting.invitee.relationship.close() }
    }

    @Test func endedRefusesEveryRecord() throws {
        let meeting = try Meeting.live()
        let late = try meeting.invitee.say("late")
        try meeting.inviter.relationship.close()
        let before = meeting.inviter.relationship
        for entry in [late, meeting.invitee.ownEntries[0]] {
            #expect(throws: RelationshipError.notAllowed(.receive, in: .ended)) { try meeting.inviter.receive(entry) }
        }
        #expect(meeting.inviter.relationship == before)
    }

    // MARK: Keys

    @Test func rotationIsFollowedAndTheOldKeyEnds() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let stolen = try SigningKey(seed: SecretBytes(copying: ada.identity.signingKey.seed))
        try shop.receive(try ada.say("before"))
        let rotation = try ada.rotate()
        guard case .accepted(.rotated(let event)) = try shop.receive(rotation) else {
            Issue.record("the rotation was not accepted")
            return
        }
        #expect(event == ada.identity.log.events.last)
        #expect(try shop.peerKeyLog == ada.identity.log)
        #expect(shop.relationship.peerLog == ada.relationship.ownLog)

        let before = shop.relationship
        #expect(throws: RelationshipError.invalidSignature(sequence: 4, .invalidSignature)) {
            try shop.receive(try ada.forge(signer: stolen))
        }
        #expect(shop.relationship == before)
        try shop.receive(try ada.say("after"))
        #expect(shop.relationship.peerKey(at: 2) == stolen.publicKey)
        #expect(shop.relationship.peerKey(at: 3) == ada.identity.log.currentKey)
        try ada.catchUp(with: shop)
        #expect(try LedgerExport.agree(ada.export, shop.export).isComplete)
    }

    @Test func rotationSignedByTheOldKeyIsRefused() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let old = try SigningKey(seed: SecretBytes(copying: ada.identity.signingKey.seed))
        let event = try ada.identity.rotate(at: ada.now, using: &ada.random)
        let body = try CBOREncoder().encode(Rotation(event))
        let before = shop.relationship
        #expect(throws: RelationshipError.invalidSignature(sequence: 2, .invalidSignature)) {
            try shop.receive(try ada.forge(type: .rotate, body: body, signer: old))
        }
        #expect(shop.relationship == before)
    }

    @Test func rotationOfAnotherIdentityIsRefused() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        var thief = try Identity.create(at: Meeting.start, using: &ada.random)
        let event = try thief.rotate(at: Meeting.start, using: &ada.random)
        let body = try CBOREncoder().encode(Rotation(event))
        let before = shop.relationship
        #expect(
            throws: RelationshipError.keyEventRefused(sequence: 2, .keyLog(.wrongIdentity, sequence: 1))
        ) {
            try shop.receive(try ada.forge(type: .rotate, body: body, signer: ada.identity.signingKey))
        }
        #expect(shop.relationship == before)
    }

    @Test func rotationToAKeyThatWasNotCommittedIsRefused() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let event = try ada.identity.rotate(at: ada.now, using: &ada.random)
        // The thief of the signing key signs the same event with a next key of its own.
        let thief = SigningKey.generate(using: &ada.random)
        let honest = event.signed.payload
        let key = event.signingKey.array
        let position = try #require(honest.indices.first { honest[$0...].starts(with: key) })
        var payload = honest
        payload.replaceSubrange(position..<position + 32, with: thief.publicKey.array)
        let forged = try KeyEvent(decoding: COSESign1.sign(payload, type: KeyEvent.type, with: thief).encoded().bytes)
        let body = try CBOREncoder().encode(Rotation(forged))
        let before = shop.relationship
        #expect(
            throws: RelationshipError.keyEventRefused(sequence: 2, .keyLog(.uncommittedKey, sequence: 1))
        ) {
            try shop.receive(try ada.forge(type: .rotate, body: body, signer: thief))
        }
        #expect(shop.relationship == before)
    }

    @Test func rotationThatSaysNothingNewIsRefused() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let rotation = try ada.rotate()
        try shop.receive(rotation)
        let again = try ada.forge(type: .rotate, body: rotation.body, signer: ada.identity.signingKey)
        let before = shop.relationship
        #expect(
            throws: RelationshipError.keyEventRefused(sequence: 3, .keyLog(.wrongSequence, sequence: 1))
        ) { try shop.receive(again) }
        #expect(shop.relationship == before)
    }

    @Test func revocationEndsTheRelationshipOnBothSides() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let revocation = try ada.revoke()
        #expect(ada.relationship.state == .ended)
        #expect(throws: RelationshipError.notAllowed(.append, in: .ended)) { try ada.say("x") }
        guard case .accepted(.revoked) = try shop.receive(revocation) else {
            Issue.record("the revocation was not accepted")
            return
        }
        #expect(shop.relationship.state == .ended)
        #expect(!shop.relationship.owesEnd)
        #expect(shop.relationship.peerLog?.isRevoked == true)
        #expect(try Relationship(decoding: shop.relationship.encoded().bytes) == shop.relationship)
        #expect(try LedgerExport.agree(ada.export, shop.export).isComplete)
    }

    @Test func revocationIsPossibleWhileEnding() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        try ada.end()
        try ada.revoke()
        #expect(ada.relationship.state == .ended)
        #expect(try ada.export.verify().invitee.hasEnded)
        try shop.receive(ada.ownEntries[1])
        #expect(shop.relationship.state == .ended)
    }

    // MARK: Forks

    @Test func twoRecordsUnderOneNumberFreezeWithBothAsEvidence() throws {
        for isLatest in [true, false] {
            let meeting = try Meeting.live()
            let (ada, shop) = (meeting.invitee, meeting.inviter)
            let forged = try ada.forge(signer: ada.identity.signingKey)
            let kept = try ada.say("the price is 10")
            try shop.receive(kept)
            if !isLatest { try shop.receive(try ada.say("and more")) }
            guard case .forked(.records(let first, let second)) = try shop.receive(forged) else {
                Issue.record("the fork was not seen")
                return
            }
            #expect(first.signed == kept.signed)
            #expect(second.signed == forged.signed)
            #expect(shop.relationship.state == .frozen)
            #expect(shop.relationship.evidence == .records(kept: first, received: second))
            #expect(shop.relationship.evidence?.description.contains("under number 2") == true)
            #expect(try Relationship(decoding: shop.relationship.encoded().bytes) == shop.relationship)
            try expectFrozen(shop, peer: ada)
        }
    }

    @Test func forkBeforeARotationIsJudgedByTheKeyOfItsTime() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let old = try SigningKey(seed: SecretBytes(copying: ada.identity.signingKey.seed))
        let forged = try ada.forge(signer: old)
        try ada.say("kept")
        try ada.rotate()
        try shop.catchUp(with: ada)
        let underNewKey = try ada.forge(
            sequence: 2, previous: ada.ownEntries[0].hash, signer: ada.identity.signingKey)
        let before = shop.relationship
        #expect(throws: RelationshipError.invalidSignature(sequence: 2, .invalidSignature)) {
            try shop.receive(underNewKey)
        }
        #expect(shop.relationship == before)
        guard case .forked = try shop.receive(forged) else {
            Issue.record("the fork was not seen")
            return
        }
    }

    @Test func unsignedContradictionDoesNotFreeze() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let stranger = SigningKey.generate(using: &ada.random)
        let forged = try ada.forge(signer: stranger)
        try shop.receive(try ada.say("kept"))
        let before = shop.relationship
        #expect(throws: RelationshipError.invalidSignature(sequence: 2, .invalidSignature)) {
            try shop.receive(forged)
        }
        #expect(shop.relationship == before)
    }

    @Test func twoKeyEventsUnderOneNumberFreezeWithBothAsEvidence() throws {
        let meeting = try Meeting.live()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let backup = ada.identity.encoded()
        var restored = try Identity.decode(backup.bytes)
        let kept = try ada.rotate()
        try shop.receive(kept)
        let fork = try restored.rotate(at: ada.now, using: &ada.random)
        let body = try CBOREncoder().encode(Rotation(fork))
        let forged = try ada.forge(type: .rotate, body: body, signer: restored.signingKey)
        #expect(try shop.receive(forged) == .forked(.keyEvents(kept: ada.identity.log.events[1], received: fork)))
        #expect(shop.relationship.state == .frozen)
        #expect(shop.relationship.evidence?.description.contains("key events under number 1") == true)
        #expect(try Relationship(decoding: shop.relationship.encoded().bytes) == shop.relationship)
        try expectFrozen(shop, peer: ada)
    }

    private func expectFrozen(_ party: Party, peer: Party) throws {
        let before = party.relationship
        let next = try peer.forge(
            sequence: party.relationship.peerHead.sequence + 1, previous: party.relationship.peerHead.hash,
            signer: peer.identity.signingKey)
        #expect(throws: RelationshipError.notAllowed(.receive, in: .frozen)) { try party.receive(next) }
        #expect(throws: RelationshipError.notAllowed(.append, in: .frozen)) { try party.say("x") }
        #expect(throws: RelationshipError.notAllowed(.rotate, in: .frozen)) { try party.rotate() }
        #expect(throws: RelationshipError.notAllowed(.revoke, in: .frozen)) { try party.revoke() }
        #expect(throws: RelationshipError.notAllowed(.end, in: .frozen)) { try party.end() }
        #expect(party.relationship == before)
        _ = try party.export.verify()
        try party.relationship.close()
        #expect(party.relationship.state == .ended)
        #expect(party.relationship.evidence != nil)
        #expect(try Relationship(decoding: party.relationship.encoded().bytes) == party.relationship)
    }
}
