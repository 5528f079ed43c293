import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import Handfast
@testable import HandfastChannel

/// When a side asks for a new epoch, and whose rejoin stands.
@Suite struct RejoinPolicyTests {
    /// One side with what its rejoins need.
    struct Side: ~Copyable {
        let party: Party
        let peer: Party
        var policy = RejoinPolicy()
        var resumes = ResumeSecrets()
        var entropy: SeededEntropy

        init(_ party: Party, _ peer: Party, seed: UInt64, epochs: [UInt64] = [0]) {
            self.party = party
            self.peer = peer
            entropy = SeededEntropy(seed: seed)
            for epoch in epochs {
                resumes.insert(SecretBytes(copying: [UInt8](repeating: UInt8(epoch), count: 32).bytes), epoch: epoch)
            }
        }

        /// Asks by the plan; the rejoin goes on its way.
        mutating func ask(
            at now: Timestamp, receivingAt addresses: [Address] = []
        ) throws -> (bytes: [UInt8], hash: Digest) {
            let plan = policy.plan(resumes)
            let rejoin = try Rejoin.make(
                relationship: party.relationship.id, epoch: plan.epoch, resume: plan.resume, resumes: resumes,
                heads: party.heads().encoded(), insteadOf: plan.insteadOf, addresses: addresses,
                identity: party.identity, peer: policy.sealingKey(of: party.peerKeyLog), now: now,
                using: &entropy)
            policy.asked(rejoin, at: now)
            return (rejoin.bytes, rejoin.hash)
        }

        /// Whether a rejoin that was left for an own one tells where the peer receives.
        mutating func learns(from bytes: [UInt8]) throws -> Bool {
            let known = try party.peerKeyLog
            let received = try ReceivedRejoin.open(
                bytes.bytes, relationship: party.relationship.id, identity: party.identity, peerLog: known)
            return policy.showsAddresses(received)
        }

        mutating func judge(_ bytes: [UInt8], isAnswered: Bool = false) throws -> RejoinPolicy.Verdict {
            let known = try party.peerKeyLog
            let received = try ReceivedRejoin.open(
                bytes.bytes, relationship: party.relationship.id, identity: party.identity, peerLog: known)
            let verdict = policy.judge(
                received, resumes: resumes, own: party.identity.id, knownLog: KeyLogOutline(known))
            if isAnswered { policy.answered(received, at: Meeting.start) }
            return verdict
        }
    }

    static let now = Meeting.start
    static let hour = now.adding(seconds: 3_600)

    private func isDue(_ policy: RejoinPolicy, at now: Timestamp = now, in meeting: Meeting) -> Bool {
        policy.isDue(for: meeting.invitee.relationship, at: now)
    }

    @Test func fourEnvelopesInARowAskForARejoin() throws {
        let meeting = try Meeting.live()
        var policy = RejoinPolicy()
        for _ in 0..<3 { policy.refused(ChannelError.unknownTag) }
        policy.opened()
        policy.refused(ChannelError.malformed("no sign of loss"))
        for _ in 0..<3 { policy.refused(ChannelError.notAuthentic) }
        #expect(!isDue(policy, in: meeting))
        policy.refused(ChannelError.unknownTag)
        #expect(policy.cause == .unknownTags)
        #expect(isDue(policy, in: meeting))
        try meeting.invitee.relationship.close()
        #expect(!isDue(policy, in: meeting))
        #expect(policy.nextCheck(for: meeting.invitee.relationship) == nil)
    }

    /// Whoever repeats what the peer once said sends nobody to where the peer listens no more.
    @Test func aRejoinThatComesAgainTellsNoAddress() throws {
        let meeting = try Meeting.live()
        var own = Side(meeting.invitee, meeting.inviter, seed: 41)
        var other = Side(meeting.inviter, meeting.invitee, seed: 42)
        func elsewhere() throws -> [Address] {
            let key = AgreementPrivateKey.generate(using: &other.entropy).publicKey
            let relay = try RelayAddress(host: "relay.example", port: 7_447, key: key)
            return [
                Address(
                    relay: relay, queue: .random(using: &other.entropy), capability: .random(using: &other.entropy))
            ]
        }
        let first = try other.ask(at: Self.now, receivingAt: elsewhere()).bytes
        let second = try other.ask(at: Self.now, receivingAt: elsewhere()).bytes
        #expect(try own.learns(from: first))
        #expect(try !own.learns(from: first))
        #expect(try own.learns(from: second))
        own.policy = try RejoinPolicy(decoding: own.policy.encoded().bytes)
        #expect(try !own.learns(from: first))
        #expect(try !own.learns(from: second))
        // The own rejoin goes to the new place with a later epoch, and once that stands nothing of before tells anything.
        let again = try own.ask(at: Self.now)
        #expect(own.policy.waiting?.epoch == 3)
        #expect(try other.judge(again.bytes) == .answer)
        own.policy.rejoined(at: Self.now)
        #expect(try !own.learns(from: second))
    }

    @Test func aRejoinThatCannotBeAnsweredTellsWhereThePeerReceives() throws {
        let meeting = try Meeting.live()
        var own = Side(meeting.invitee, meeting.inviter, seed: 43, epochs: [2, 3, 4, 5])
        own.policy.epoch = 5
        var other = Side(meeting.inviter, meeting.invitee, seed: 44, epochs: [0, 1])
        let key = AgreementPrivateKey.generate(using: &other.entropy).publicKey
        let elsewhere = Address(
            relay: try RelayAddress(host: "relay.example", port: 7_447, key: key),
            queue: .random(using: &other.entropy), capability: .random(using: &other.entropy))
        // Of an epoch that is over it says nothing.
        other.policy.highestSeen = 4
        let over = try other.ask(at: Self.now, receivingAt: [elsewhere]).bytes
        #expect(try own.judge(over) == .leave(.stale))
        #expect(try !own.learns(from: over))
        let later = try other.ask(at: Self.now, receivingAt: [elsewhere])
        #expect(try own.judge(later.bytes) == .leave(.unknownResume))
        #expect(try own.learns(from: later.bytes))
        #expect(try !own.learns(from: later.bytes))
        // What the own one says is the same wherever it goes.
        own.policy.want(.peerElsewhere)
        #expect(isDue(own.policy, in: meeting))
        #expect(own.policy.plan(own.resumes) == .init(epoch: 7, resume: nil, insteadOf: later.hash))
        #expect(try other.judge(own.ask(at: Self.now).bytes) == .answer)
    }

    @Test func aMissingRecordAsksForARejoin() {
        for error in [
            RelationshipError.missingRecord(expected: 1, received: 2), .previousMismatch(sequence: 1),
            .lastSeenAhead(sequence: 1), .lastSeenMismatch(sequence: 1),
        ] {
            var policy = RejoinPolicy()
            policy.refused(error)
            #expect(policy.cause == .recordMissing)
        }
        var policy = RejoinPolicy()
        policy.refused(RelationshipError.bodyDigestMismatch(sequence: 1))
        #expect(policy.cause == nil)
    }

    @Test func whatComesCausesOneRejoinAnHour() throws {
        let meeting = try Meeting.live()
        var side = Side(meeting.invitee, meeting.inviter, seed: 1)
        side.policy.want(.recordMissing)
        #expect(isDue(side.policy, in: meeting))
        _ = try side.ask(at: Self.now)
        #expect(side.policy.isWaiting)
        // While it waits, what comes is no sign of anything.
        for _ in 0..<9 { side.policy.refused(ChannelError.unknownTag) }
        #expect(side.policy.cause == nil)
        side.policy.rejoined(at: Self.now)
        #expect(side.policy.epoch == 1)
        side.policy.want(.recordMissing)
        #expect(!isDue(side.policy, at: Timestamp(seconds: Self.hour.seconds - 1), in: meeting))
        #expect(side.policy.nextCheck(for: meeting.invitee.relationship) == Self.hour)
        #expect(isDue(side.policy, at: Self.hour, in: meeting))
        // A clock that was set back does not stop it, and a person is not made to wait.
        #expect(isDue(side.policy, at: Timestamp(seconds: Self.now.seconds - 1), in: meeting))
        side.policy.want(.person)
        #expect(isDue(side.policy, in: meeting))
    }

    @Test func aRejoinWithoutAnAnswerIsMadeAnewAfterADay() throws {
        let meeting = try Meeting.live()
        var side = Side(meeting.invitee, meeting.inviter, seed: 2)
        _ = try side.ask(at: Self.now)
        let day = Self.now.adding(seconds: 86_400)
        #expect(!isDue(side.policy, at: Timestamp(seconds: day.seconds - 1), in: meeting))
        #expect(isDue(side.policy, at: day, in: meeting))
        #expect(side.policy.nextCheck(for: meeting.invitee.relationship) == day)
        _ = try side.ask(at: day)
        side.policy.rejoined(at: day)
        #expect(side.policy.epoch == 2)
    }

    @Test func ofTwoRejoinsOfOneEpochThatOfTheLowerIdentityStands() throws {
        let meeting = try Meeting.live()
        let isFirst = meeting.invitee.identity.id < meeting.inviter.identity.id
        let (low, high) = isFirst ? (meeting.invitee, meeting.inviter) : (meeting.inviter, meeting.invitee)
        var lower = Side(low, high, seed: 3)
        var higher = Side(high, low, seed: 4)
        let fromLower = try lower.ask(at: Self.now).bytes
        let fromHigher = try higher.ask(at: Self.now).bytes
        #expect(try lower.judge(fromHigher) == .leave(.ownStands))
        #expect(try higher.judge(fromLower, isAnswered: true) == .answer)
        #expect(!higher.policy.isWaiting)
        #expect(higher.policy.epoch == 1)
        // The same bytes again change nothing.
        let before = higher.policy
        #expect(try higher.judge(fromLower) == .leave(.answered))
        #expect(higher.policy == before)
        // The higher epoch stands, whoever asks.
        let later = try higher.ask(at: Self.now).bytes
        #expect(try lower.judge(later) == .answer)
    }

    @Test func aRejoinThatCannotBeAnsweredIsReplaced() throws {
        let meeting = try Meeting.live()
        let isFirst = meeting.invitee.identity.id < meeting.inviter.identity.id
        let (low, high) = isFirst ? (meeting.invitee, meeting.inviter) : (meeting.inviter, meeting.invitee)
        var lower = Side(low, high, seed: 5, epochs: [0, 1, 2])
        var higher = Side(high, low, seed: 6, epochs: [0, 1])
        lower.policy.epoch = 2
        higher.policy.epoch = 1
        let (asked, hash) = try lower.ask(at: Self.now)
        #expect(try higher.judge(asked) == .leave(.unknownResume))
        #expect(higher.policy.cause == .unanswerable)
        #expect(higher.policy.plan(higher.resumes) == .init(epoch: 4, resume: 1, insteadOf: hash))
        let answer = try higher.ask(at: Self.now).bytes
        #expect(try lower.judge(answer) == .answer)

        // One that could not even be opened has no epoch to go beyond; it is named all the same.
        var other = Side(high, low, seed: 7, epochs: [0, 1])
        other.policy.epoch = 1
        other.policy.couldNotOpen(hash)
        #expect(other.policy.plan(other.resumes) == .init(epoch: 2, resume: 1, insteadOf: hash))
    }

    @Test func aStaleRejoinIsAnsweredByOneThatResumesNoLaterEpoch() throws {
        let meeting = try Meeting.live()
        var old = Side(meeting.invitee, meeting.inviter, seed: 8, epochs: [0])
        var current = Side(meeting.inviter, meeting.invitee, seed: 9, epochs: [0, 1, 2, 3])
        current.policy.epoch = 3
        let (asked, hash) = try old.ask(at: Self.now)
        #expect(try current.judge(asked) == .leave(.stale))
        #expect(current.policy.plan(current.resumes) == .init(epoch: 4, resume: 0, insteadOf: hash))
        let answer = try current.ask(at: Self.now).bytes
        #expect(try old.judge(answer) == .answer)
    }

    @Test func aKeyThatARejoinShowedIsSealedTo() throws {
        let meeting = try Meeting.live()
        var asker = Side(meeting.invitee, meeting.inviter, seed: 10)
        var answerer = Side(meeting.inviter, meeting.invitee, seed: 11)
        let known = meeting.invitee.identity.log
        try meeting.invitee.rotate()
        _ = try answerer.judge(asker.ask(at: Self.now).bytes)
        #expect(answerer.policy.sealingKey(of: known) == meeting.invitee.identity.log.sealingKey)
        #expect(answerer.policy.sealingKey(of: meeting.invitee.identity.log) == meeting.invitee.identity.log.sealingKey)
        // Two who rotate at once can open each other's rejoin all the same.
        let lost = try Meeting.live(seed: 12)
        try lost.invitee.rotate()
        try lost.inviter.rotate()
        var first = Side(lost.invitee, lost.inviter, seed: 13)
        let bytes = try Rejoin.make(
            relationship: lost.invitee.relationship.id, epoch: 1, resume: nil, resumes: first.resumes,
            heads: lost.invitee.heads().encoded(), identity: lost.invitee.identity,
            peer: lost.invitee.peerKeyLog.sealingKey, now: Self.now, using: &first.entropy
        ).bytes
        var second = Side(lost.inviter, lost.invitee, seed: 14)
        #expect(try second.judge(bytes) == .answer)
    }

    @Test func thePolicyReadsBack() throws {
        let meeting = try Meeting.live()
        var side = Side(meeting.invitee, meeting.inviter, seed: 15)
        try check(side.policy)
        side.policy.want(.recordMissing)
        try check(side.policy)
        _ = try side.ask(at: Self.now)
        side.policy.couldNotOpen(Digest.of(.rejoin, [1]))
        try check(side.policy)
        var other = Side(meeting.inviter, meeting.invitee, seed: 16)
        try meeting.inviter.rotate()
        _ = try side.judge(other.ask(at: Self.now).bytes, isAnswered: true)
        try check(side.policy)
    }

    private func check(_ policy: RejoinPolicy) throws {
        let bytes = policy.encoded()
        #expect(try RejoinPolicy(decoding: bytes.bytes) == policy)
        let short = Array(bytes.dropLast())
        #expect(throws: RelationshipError.self) { try RejoinPolicy(decoding: short.bytes) }
    }
}
